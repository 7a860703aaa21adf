// The Worker of a training: one network, its numbers, its optimiser and the engine in one memory. Jobs come from trainer.ts,
// one after the other; what they share lives here, as long as the Worker.
import { MammolabError } from "../base/mod.ts";
import type { Provider } from "../engine/mod.ts";
import { collectGarbage } from "./_garbage.ts";
import { onnxEngine, type StepEngine } from "./_step_engine.ts";
import { tfjsEngine } from "./_step_tfjs.ts";
import { type FlatParameters, flatParameters, sliceOf } from "./flat_parameters.ts";
import { clipGradients, gradientNorm, type Optimizer, optimizer, type OptimizerOptions } from "./optimizers.ts";
import { layerScale } from "./schedules.ts";
import { stepExpression, type StepSpec } from "./step_graph.ts";

/** Numbers by the name of their parameter or input. */
export type Numbers = Readonly<Record<string, Float32Array>>;

/**
 * What runs a training: ONNX Runtime (`onnx`), or TensorFlow.js (`tfjs`): slower by far without its native build, and an
 * independent second opinion. It is not among the packages that are fetched by themselves (`openTfjs` says how to install it).
 */
export type TrainingEngine = "onnx" | "tfjs";

/** What a trainer is opened with: the step, the optimiser, where it runs, and the first numbers. */
export type TrainerSetup = StepSpec & {
  readonly optimizer: OptimizerOptions;
  readonly layerDecay: number;
  /** Steps before a parameter's own first one, where it was frozen until then; default 0. */
  readonly begun?: Readonly<Record<string, number>>;
  /** Default `onnx`. */
  readonly engine?: TrainingEngine;
  /** Of the engine `onnx`. */
  readonly provider: Provider;
  /** Of the engine `onnx`. */
  readonly threads?: number;
  readonly values: Numbers;
};

/** The same without the first numbers. */
export type StepSetup = Omit<TrainerSetup, "values">;

/** One step of the optimiser. */
export type StepJob = {
  /** One batch after the other; their gradients are averaged. */
  readonly batches: readonly Numbers[];
  readonly learningRate: number;
  /** From 1. */
  readonly step: number;
  /** Largest norm of the gradients. */
  readonly clip?: number;
  /** Weight averaging: the average begins with the first numbers and moves by this share towards the new ones. */
  readonly average?: number;
};

/** What the Worker is asked to do. */
export type TrainerJob =
  | { readonly kind: "open"; readonly setup: TrainerSetup }
  | { readonly kind: "step" } & StepJob
  | { readonly kind: "predict"; readonly images: Float32Array; readonly averaged: boolean }
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly state: TrainerState }
  | { readonly kind: "close" };

/** All numbers of a training, by parameter. */
export type TrainerState = {
  readonly values: Numbers;
  readonly first: Numbers;
  readonly second: Numbers;
  readonly average?: Numbers;
};

/** What a step gave. */
export type StepReport = {
  readonly loss: number;
  readonly gradientNorm: number;
  /** `[batch, classes]` of the last batch. */
  readonly logits: Float32Array;
  readonly seconds: number;
  /** Of these, what follows the graph: norm, clipping, the optimiser and the average. */
  readonly optimizerSeconds: number;
};

/** What is told when the trainer has been opened. */
export type Opened = {
  readonly parameters: number;
  readonly trained: number;
  readonly inputs: readonly (readonly [string, readonly number[]])[];
  readonly ranBy: string;
};

type State = {
  readonly setup: StepSetup;
  readonly parameters: FlatParameters;
  readonly optimizer: Optimizer;
  readonly engine: StepEngine;
  average?: Float32Array<ArrayBuffer>;
  accumulated?: Float32Array<ArrayBuffer>;
};

let state: State | undefined;

export async function work(job: TrainerJob): Promise<unknown> {
  if (job.kind === "open") return await open(job.setup);
  if (!state) throw new MammolabError("Cannot train: the trainer is not open; open it first");
  if (job.kind === "step") return await step(state, job);
  if (job.kind === "predict") return await predict(state, job.images, job.averaged);
  if (job.kind === "read") return read(state);
  if (job.kind === "write") return write(state, job.state);
  return await state.engine.close();
}

async function open({ values, ...setup }: TrainerSetup): Promise<Opened> {
  const { parameters: shapes, inputs } = stepExpression(setup);
  const trained = new Set(setup.trained);
  const parameters = flatParameters(shapes, { trainable: (name) => trained.has(name) });
  put(parameters, parameters.values, values);
  collectGarbage(parameters.values.byteLength); // the first numbers came as a copy
  const engine = await (setup.engine === "tfjs" ? tfjsEngine : onnxEngine)(setup, parameters);
  const scaleOf = (name: string) => layerScale(name, { depth: setup.spec.depth, decay: setup.layerDecay });
  const begunAt = (name: string) => setup.begun?.[name] ?? 0;
  state = { setup, parameters, optimizer: optimizer(parameters, setup.optimizer, scaleOf, begunAt), engine };
  const slices = [...parameters.slices.values()];
  const count = (of: readonly { readonly length: number }[]) => of.reduce((sum, { length }) => sum + length, 0);
  return {
    parameters: count(slices),
    trained: count(slices.filter(({ trainable }) => trainable)),
    inputs: [...inputs],
    ranBy: engine.ranBy,
  };
}

async function step(
  own: State,
  { batches, learningRate, step, clip, average }: StepJob,
): Promise<StepReport> {
  const start = performance.now();
  const { parameters, engine } = own;
  const { gradients, kernels } = parameters;
  let loss = 0;
  let logits = new Float32Array() as Float32Array;
  for (const [i, batch] of batches.entries()) {
    const found = await engine.run(batch);
    logits = found.logits;
    loss += found.loss / batches.length;
    if (batches.length === 1) break;
    const sum = own.accumulated ??= alike(gradients);
    if (i === 0) sum.set(gradients);
    else for (let k = 0; k < sum.length; k++) sum[k]! += gradients[k]!;
    if (i === batches.length - 1) {
      gradients.set(sum);
      kernels.blend(gradients.byteOffset, gradients.byteOffset, gradients.length, 1 / batches.length, 0);
    }
  }
  const ran = performance.now();
  const norm = clip === undefined ? gradientNorm(parameters) : clipGradients(parameters, clip);
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw new MammolabError(notFinite(own, step, loss));
  if (average !== undefined) own.average ??= parameters.values.slice(); // before the step: it begins with the first numbers
  own.optimizer.step(learningRate, step);
  if (average !== undefined) {
    const mean = own.average!;
    for (let k = 0; k < gradients.length; k++) mean[k]! += average * (parameters.values[k]! - mean[k]!);
  }
  return {
    loss,
    gradientNorm: norm,
    logits: logits.slice(),
    seconds: (performance.now() - start) / 1000,
    optimizerSeconds: (performance.now() - ran) / 1000,
  };
}

/** Says which layer went wrong first: in the order of the network, numbers before gradients. */
function notFinite({ parameters: { slices, values, gradients } }: State, step: number, loss: number): string {
  const broken = (array: Float32Array<ArrayBuffer>) =>
    [...slices.values()].find((slice) => slice.offset < array.length && !sliceOf(array, slice).every(Number.isFinite))
      ?.name;
  const where = broken(values) ?? broken(gradients);
  const what = Number.isFinite(loss) ? "a gradient is no number" : `the loss is ${loss}`;
  return `Cannot go on training: in step ${step} ${what}${
    where ? `, first in ${where}` : ""
  }; lower the learning rate, warm up longer or clip the gradients`;
}

async function predict(own: State, images: Float32Array, averaged: boolean): Promise<Float32Array> {
  const { setup: { spec, batchSize, inputChannels }, parameters, engine } = own;
  const { height, width } = spec.imageSize;
  const size = inputChannels * height * width;
  const count = images.length / size;
  const out = new Float32Array(count * spec.classes);
  const numbers = averaged && own.average ? own.average : parameters.values;
  for (let start = 0; start < count; start += batchSize) {
    const data = new Float32Array(batchSize * size); // the last batch is filled up with zeros and its surplus dropped
    data.set(images.subarray(start * size, Math.min(count, start + batchSize) * size));
    const logits = await engine.predict(numbers, data);
    out.set(logits.subarray(0, Math.min(batchSize, count - start) * spec.classes), start * spec.classes);
  }
  return out;
}

function read({ parameters, average }: State): TrainerState {
  const { slices, values, first, second } = parameters;
  const take = (array: Float32Array<ArrayBuffer>) =>
    Object.fromEntries(
      [...slices.values()].filter(({ offset }) => offset < array.length).map((
        slice,
      ) => [slice.name, sliceOf(array, slice).slice()]),
    );
  return {
    values: take(values),
    first: take(first),
    second: take(second),
    ...(average ? { average: take(average) } : {}),
  };
}

function write(own: State, { values, first, second, average }: TrainerState): void {
  put(own.parameters, own.parameters.values, values);
  put(own.parameters, own.parameters.first, first);
  put(own.parameters, own.parameters.second, second);
  if (average) put(own.parameters, own.average ??= own.parameters.values.slice(), average);
}

function put({ slices }: FlatParameters, into: Float32Array<ArrayBuffer>, numbers: Numbers): void {
  for (const slice of slices.values()) {
    if (slice.offset >= into.length) continue;
    const own = numbers[slice.name];
    if (!own || own.length !== slice.length) {
      throw new MammolabError(
        `Cannot train: ${slice.name} has ${
          own ? `${own.length} numbers` : "no numbers"
        }, ${slice.length} are needed; choose weights of this network`,
      );
    }
    sliceOf(into, slice).set(own);
  }
}

/** A zeroed array of the same length outside of the shared memory. */
const alike = (array: Float32Array<ArrayBuffer>) => new Float32Array(array.length);
