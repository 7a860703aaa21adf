// The only file that loads onnxruntime-node, and only when a session is opened: importing lib/engine loads no native code.
import type Ort from "onnxruntime-node";
import { cpus } from "node:os";
import { checkWord, MammolabError } from "../base/mod.ts";
import { engineError } from "./errors.ts";
import { checkTensors, type EngineTensor, type Port, type TensorData } from "./tensor.ts";

/** What runs a graph. */
export type Provider = "cpu" | "webgpu" | "cuda";

/** All of them. */
export const providers: readonly Provider[] = ["cpu", "webgpu", "cuda"];

/** How to open a session in this thread. */
export type BlockingSessionOptions = {
  /** The graph: a path, or the bytes of an ONNX model. */
  readonly model: string | Uint8Array;
  /** Where the files are that a graph given as bytes names as its external weights. */
  readonly weightsFolder?: string;
  /** Default `cpu`. */
  readonly provider?: Provider;
  /** Default: as many as the machine has physical cores, or as this process may use where that is fewer. */
  readonly threads?: number;
  /** Idle threads wait busily: up to 10 % faster for one session alone, several times slower where two live. Default false. */
  readonly spinning?: boolean;
  /** Keep a packed copy of the weights: 6-12 % faster, one private copy in memory. Default true. */
  readonly packing?: boolean;
  /** A graph of a training step: run as it is written, its order spares memory that the engine's own plan would take. Default false. */
  readonly training?: boolean;
  /** What errors call the model; default the file, or "the graph". */
  readonly name?: string;
};

/** What a run may be told. */
export type BlockingRunOptions<Names extends string = string> = {
  /** The outputs to compute; default those of `into`, without it all. What is not asked for costs nothing. */
  readonly fetch?: readonly Names[];
  /** Arrays that receive the outputs of these names, of exactly their shape. */
  readonly into?: Readonly<Partial<Record<Names, EngineTensor>>>;
};

/** A session that runs in the thread that opened it, and blocks it. */
export type BlockingSession = AsyncDisposable & {
  readonly provider: Provider;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Runs the graph once. Views over a `WebAssembly.Memory` are read and written in place. */
  readonly run: <Names extends string = string>(
    feeds: Readonly<Record<string, EngineTensor>>,
    options?: BlockingRunOptions<Names>,
  ) => Promise<Readonly<Record<Names, EngineTensor>>>;
};

/**
 * Opens a session **in this thread, which every run then blocks**: for code that already is a Worker of its own, such as a
 * training loop whose optimizer shares memory with the engine. Everybody else wants `openSession`.
 *
 * @throws MammolabError when the model or its weights are missing or broken, the provider cannot start, memory runs out
 */
export async function openBlockingSession(options: BlockingSessionOptions): Promise<BlockingSession> {
  const { model, provider = "cpu", name = typeof model === "string" ? model : "the graph" } = options;
  checkWord(`Cannot open ${name}: the provider`, provider, providers);
  let native: Ort.InferenceSession;
  let ort: typeof Ort;
  try {
    ort = (await import("onnxruntime-node")).default;
    ort.env.logLevel = "fatal"; // the engine's errors come as exceptions; without this they go to stderr as well
    native = await ort.InferenceSession.create(model as string, nativeOptions(options, provider));
  } catch (cause) {
    throw engineError(`open ${name}`, cause);
  }
  const [inputs, outputs] = [portsOf(native.inputMetadata), portsOf(native.outputMetadata)];
  let closed = false;
  return {
    provider,
    inputs,
    outputs,
    async run<Names extends string>(
      feeds: Readonly<Record<string, EngineTensor>>,
      { fetch, into }: BlockingRunOptions<Names> = {},
    ) {
      const given = (into ?? {}) as Readonly<Record<string, EngineTensor>>;
      const wanted = [...new Set([...fetch ?? (into ? [] : outputs.map((port) => port.name)), ...Object.keys(given)])];
      const sizes = new Map<string, number>();
      checkTensors(name, "input", inputs, feeds, sizes);
      checkTensors(name, "output", outputs, given, sizes);
      checkNames(name, outputs, wanted);
      const tensorOf = (port: string, { data, shape }: EngineTensor, ports: readonly Port[]) =>
        new ort.Tensor(ports.find((p) => p.name === port)!.type as "float32", data as Float32Array, shape);
      try {
        const results = await native.run(
          Object.fromEntries(Object.entries(feeds).map(([port, tensor]) => [port, tensorOf(port, tensor, inputs)])),
          Object.fromEntries(
            wanted.map((port) => [port, given[port] ? tensorOf(port, given[port], outputs) : null]),
          ),
          { logSeverityLevel: 4 },
        );
        // A given array holds the result; the tensor that the engine returns for it is a further copy.
        return Object.fromEntries(
          Object.entries(results).map(([port, tensor]) => [
            port,
            given[port] ?? { data: plain(tensor.data as TensorData), shape: [...tensor.dims] },
          ]),
        ) as Record<Names, EngineTensor>;
      } catch (cause) {
        throw engineError(`run ${name}`, cause);
      }
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await native.release();
    },
  };
}

function nativeOptions(
  { weightsFolder, threads, spinning = false, packing = true, training = false }: BlockingSessionOptions,
  provider: Provider,
): Ort.InferenceSession.SessionOptions {
  const count = threads ?? defaultThreads();
  return {
    executionProviders: [provider],
    ...(count === undefined ? {} : { intraOpNumThreads: count }),
    logSeverityLevel: 4,
    graphOptimizationLevel: training ? "disabled" : "all",
    enableMemPattern: !training,
    extra: {
      session: {
        intra_op: {
          allow_spinning: spinning || training ? "1" : "0",
          // A step is 1,600 short operations; a thread that falls asleep between two of them is late for the second.
          ...(training && !spinning ? { spin_duration_us: "30" } : {}),
        },
        ...(packing ? {} : { disable_prepacking: "1" }),
        ...(weightsFolder === undefined ? {} : { model_external_initializers_file_folder_path: weightsFolder }),
      },
    },
  };
}

/** Undefined leaves the choice to ONNX Runtime: one thread a physical core. It does not see the limits of a container. */
function defaultThreads(): number | undefined {
  const usable = navigator.hardwareConcurrency;
  try {
    return cpus().length > usable ? usable : undefined;
  } catch {
    return usable; // without the permission to count the cores
  }
}

function portsOf(metadata: readonly Ort.InferenceSession.ValueMetadata[]): Port[] {
  return metadata.map((port) => ({
    name: port.name,
    type: port.isTensor ? port.type : "not a tensor",
    shape: port.isTensor ? [...port.shape] : [],
  }));
}

function checkNames(model: string, outputs: readonly Port[], fetch: readonly string[]): void {
  const unknown = fetch.find((name) => !outputs.some((port) => port.name === name));
  if (unknown === undefined) return;
  throw new MammolabError(
    `Cannot run ${model}: it has no output "${unknown}"; its outputs are ${
      outputs.map((port) => port.name).join(", ")
    }`,
  );
}

/** float16 results come as a Float16Array, which is not one of ours. */
function plain(data: TensorData): TensorData {
  return (data as object).constructor.name === "Float16Array" ? Float32Array.from(data as Float32Array) : data;
}
