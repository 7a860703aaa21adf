// What is measured runs in a process of its own, alone: two engines in one process slow each other down, and memory can be
// read from outside. The parent sends lines, the child answers each with a line of JSON.

/** A process to be measured. */
export type Subject = {
  /**
   * `predict`: our way, prepared images to predictions · `bare`: ONNX Runtime's own run on the same graph, nothing around
   * it · `products`: a chain of constant-weight products of a ViT's shapes, the engine's own limit · `torch`: PyTorch
   * eager, timm's network with the same weights · `step`: our training step, AdamW included · `torchStep`: PyTorch's, eager,
   * fused AdamW.
   */
  readonly runs: "predict" | "bare" | "products" | "torch" | "step" | "torchStep";
  /** A network of the catalogue; for `products` the one whose shapes are taken. */
  readonly net: string;
  /** The folder of its weights. */
  readonly folder: string;
  readonly batch: number;
  readonly threads: number;
  /** Also give every layer's attention. */
  readonly attention?: boolean;
  /** Of a step: train only so many blocks, the last norm and the head; default all. */
  readonly lastBlocks?: number;
};

/** What a subject says of itself once it is ready. */
export type Ready = {
  /** Of the engine behind it. */
  readonly version: string;
  /** Floating-point operations of one run. */
  readonly flop: number;
  readonly provider?: string;
  /** A number that must agree between subjects with the same network: the largest logit of a fixed image, the loss of the second step. */
  readonly logit?: number;
  /** The process that does the work, where it is not the one that was started. */
  readonly pid?: number;
};

/** Time for one run of the batch. */
export type Timing = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of a step: the part that is not the graph. */
  readonly optimizerSeconds?: number;
};

export type Running = AsyncDisposable & {
  readonly ready: Ready;
  readonly pid: number;
  /** Mean over as many runs as fill about `atLeast` seconds. */
  readonly measure: (atLeast?: number) => Promise<Timing>;
  /** Sends any line and gives the answer. */
  readonly ask: (line: string) => Promise<Record<string, unknown>>;
};

/** Starts a subject and waits until it is ready. @returns undefined where its peer is not installed */
export async function start(subject: Subject): Promise<Running | undefined> {
  return await startProcess(files[subject.runs], subject);
}

const files: Readonly<Record<Subject["runs"], string>> = {
  predict: "_engine_subject.ts",
  bare: "_engine_subject.ts",
  products: "_engine_subject.ts",
  step: "_step_subject.ts",
  torch: "_torch_subject.ts",
  torchStep: "_torch_subject.ts",
};

/** Runs a file of this folder as a subject. @param subject given to it as JSON */
export async function startProcess(file: string, subject: object): Promise<Running | undefined> {
  const child = new Deno.Command("deno", {
    // The bench itself may start nothing but deno; a subject may start Python and read its own memory.
    args: ["run", "-q", "-A", new URL(file, import.meta.url).pathname, JSON.stringify(subject)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lines())[Symbol.asyncIterator]();
  const writer = child.stdin.getWriter();
  const next = async () => {
    const { value, done } = await answers.next();
    return done ? undefined : JSON.parse(value) as Record<string, unknown>;
  };
  const ready = await next() as Ready | undefined;
  if (!ready) {
    await child.status;
    return undefined;
  }
  const ask = async (line: string) => {
    await writer.write(new TextEncoder().encode(`${line}\n`));
    const answer = await next();
    if (!answer) throw new Error(`the subject ${JSON.stringify(subject)} has ended`);
    return answer;
  };
  let runs = 1;
  return {
    ready,
    pid: ready.pid ?? child.pid,
    ask,
    async measure(atLeast = 0.6) {
      const timing = await ask(`run ${runs}`) as Timing;
      runs = Math.max(1, Math.round(atLeast / timing.seconds));
      return timing;
    },
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await child.status;
    },
  };
}

/** Splits text into lines. */
export function lines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part);
    },
  });
}
