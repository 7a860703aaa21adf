import { checkWord, MammolabError, sentenceOf } from "../base/mod.ts";
import { type Link, startWorker } from "./_link.ts";
import type { Results } from "./_messages.ts";
import { missingHere } from "./_missing.ts";
import { type BlockingRunOptions, type BlockingSessionOptions, type Provider, providers } from "./native.ts";
import { fastestFirst, type ProviderCheck } from "./provider.ts";
import type { EngineTensor, Port } from "./tensor.ts";

/** Where to run: a named provider or none, `auto` takes the fastest that gives the right answer here. */
export type ProviderChoice = "auto" | Provider;

/** How to open a session. */
export type SessionOptions = Omit<BlockingSessionOptions, "provider"> & {
  /** Default `auto`. */
  readonly provider?: ProviderChoice;
};

/** What a run may be told. */
export type RunOptions<Names extends string = string> = BlockingRunOptions<Names> & {
  /** Moves the feeds into the engine instead of copying them: their arrays are empty afterwards. Default false. */
  readonly transfer?: boolean;
  /** Aborted before the run begins: the run is dropped. A run that has begun ends by itself. */
  readonly signal?: AbortSignal;
};

/** What a run gives. */
export type RunResult<Names extends string = string> = {
  readonly outputs: Readonly<Record<Names, EngineTensor>>;
  /** Where it ran. */
  readonly provider: Provider;
  /** With `auto`: why it did not run on what might be faster. */
  readonly reason?: string;
  /** Time in the engine, without waiting and passing of messages. */
  readonly seconds: number;
};

/** A graph, open in the engine. */
export type Session = AsyncDisposable & {
  readonly provider: Provider;
  /** With `auto`: why it does not run on what might be faster. */
  readonly reason?: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs the graph once. Calls queue and run in their order; the caller's thread stays free.
   *
   * @param feeds a tensor for each input
   * @throws MammolabError when names, types or shapes do not fit, memory runs out, or the session is closed
   */
  readonly run: <Names extends string = string>(
    feeds: Readonly<Record<string, EngineTensor>>,
    options?: RunOptions<Names>,
  ) => Promise<RunResult<Names>>;
};

/**
 * Opens a graph in ONNX Runtime, in a Worker of its own.
 *
 * Arrays given as `into` are moved to the engine and back: the given ones are empty afterwards, the result holds the same
 * memory. (ONNX Runtime under Deno refuses shared memory; code that wants outputs in place uses `openBlockingSession`.)
 *
 * @throws MammolabError when the model or its weights are missing or broken, or a provider asked for by name cannot run here
 *
 * @example
 * ```ts ignore
 * import { openSession } from "mammolab/engine";
 * await using session = await openSession({ model: "vit.onnx" });
 * const image = { data: new Float32Array(3 * 224 * 224), shape: [1, 3, 224, 224] };
 * const { outputs, provider } = await session.run({ image }, { fetch: ["logits"] });
 * ```
 */
export async function openSession({ provider = "auto", ...options }: SessionOptions): Promise<Session> {
  const { model, name = typeof model === "string" ? model : "the graph" } = options;
  checkWord(`Cannot open ${name}: the provider`, provider, ["auto", ...providers]);
  await checkOptions(options);
  if (provider !== "auto") {
    const opened = await missingHere(provider) ?? await tryToOpen(provider, options, { mustBeFaster: false });
    if ("link" in opened) return sessionOver(opened, { provider }, options);
    throw new MammolabError(`Cannot run on ${provider}: ${opened.reason}; ${opened.fix}`);
  }
  const passedOver: string[] = [];
  for (const candidate of fastestFirst) {
    const opened = failedBefore.get(candidate) ?? await missingHere(candidate) ??
      await tryToOpen(candidate, options, { mustBeFaster: true });
    if ("link" in opened) {
      const reason = passedOver.length ? { reason: passedOver.join("; ") } : {};
      return sessionOver(opened, { provider: candidate, ...reason }, options);
    }
    passedOver.push(`${candidate}: ${opened.reason}`);
  }
  throw new MammolabError("Cannot run the engine: no provider works here; run deno task doctor");
}

/** Providers that did not start in this process: the engine itself cannot try them a second time. */
const failedBefore = new Map<Provider, ProviderCheck & { works: false }>();

type Opened = { readonly link: Link; readonly inputs: readonly Port[]; readonly outputs: readonly Port[] };

async function tryToOpen(
  provider: Provider,
  options: Omit<SessionOptions, "provider">,
  { mustBeFaster }: { readonly mustBeFaster: boolean },
): Promise<Opened | ProviderCheck & { works: false }> {
  const link = startWorker();
  try {
    const result = await link.call<"open">({ kind: "open", options: { ...options, provider }, mustBeFaster });
    if ("inputs" in result) return { link, ...result };
    failedBefore.set(provider, result);
    await link.close();
    return result;
  } catch (error) {
    await link.close();
    // Where a model fails on what might be faster, the processor may still run it, and gives the better message if not.
    if (mustBeFaster && provider !== "cpu") {
      return { provider, works: false, reason: sentenceOf(error), fix: "use the provider cpu" };
    }
    throw error;
  }
}

function sessionOver(
  { link, inputs, outputs }: Opened,
  where: { readonly provider: Provider; readonly reason?: string },
  { model, name = typeof model === "string" ? model : "the graph" }: Omit<SessionOptions, "provider">,
): Session {
  let closing: Promise<void> | undefined;
  return {
    ...where,
    inputs,
    outputs,
    async run<Names extends string>(
      feeds: Readonly<Record<string, EngineTensor>>,
      { fetch, into, transfer = false, signal }: RunOptions<Names> = {},
    ): Promise<RunResult<Names>> {
      signal?.throwIfAborted();
      if (closing) throw new MammolabError(`Cannot run ${name}: its session is closed; open it again`);
      const given = into as Readonly<Record<string, EngineTensor>> | undefined;
      const moving = [...transfer ? Object.values(feeds) : [], ...Object.values(given ?? {})];
      const cancelled = signal ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
      const abort = () => Atomics.store(cancelled as Int32Array, 0, 1);
      signal?.addEventListener("abort", abort, { once: true });
      const result: Results["run"] = await link.call<"run">({
        kind: "run",
        feeds,
        ...(fetch ? { fetch } : {}),
        ...(given ? { into: given } : {}),
        ...(cancelled ? { cancelled } : {}),
      }, [...new Set(moving.map(({ data }) => data.buffer as ArrayBuffer))]).finally(() =>
        signal?.removeEventListener("abort", abort)
      );
      if (result === "cancelled") throw signal?.reason;
      return { outputs: result.outputs as Record<Names, EngineTensor>, seconds: result.seconds, ...where };
    },
    [Symbol.asyncDispose]: () => closing ??= link.close(),
  };
}

async function checkOptions({ model, weightsFolder, threads, name }: Omit<SessionOptions, "provider">): Promise<void> {
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new MammolabError(
      `Cannot open ${name ?? "the graph"}: ${threads} threads were asked for; give a whole number from 1`,
    );
  }
  // Native code reads files past Deno's permissions: asking here first keeps to them, and gives the better sentence.
  if (typeof model === "string") await mustExist(model, "file", name ?? model);
  if (weightsFolder !== undefined) await mustExist(weightsFolder, "folder", name ?? "the graph");
}

async function mustExist(path: string, kind: "file" | "folder", name: string): Promise<void> {
  const found = await Deno.stat(path).catch((cause) => {
    const reason = cause instanceof Deno.errors.NotFound
      ? `the ${kind} ${path} does not exist; check the path`
      : `the ${kind} ${path} cannot be read (${sentenceOf(cause)}); check its permissions`;
    throw new MammolabError(`Cannot open ${name}: ${reason}`, { cause });
  });
  if (kind === "file" ? !found.isFile : !found.isDirectory) {
    throw new MammolabError(`Cannot open ${name}: ${path} is not a ${kind}; check the path`);
  }
}
