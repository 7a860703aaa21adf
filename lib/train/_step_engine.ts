// What the Worker of a training needs from an engine, and the engine that is the default.
import { type BlockingSession, type EngineTensor, openBlockingSession } from "../engine/mod.ts";
import type { Numbers, StepSetup } from "./_step_worker.ts";
import { collectGarbage } from "./_garbage.ts";
import { sizeOf } from "../graph/mod.ts";
import { type FlatParameters, sliceOf } from "./flat_parameters.ts";
import { gridOf, prefixTokensOf } from "../nets/mod.ts";
import { gradientName, gradientSoFar, predictionGraph, stepGraph } from "./step_graph.ts";

/** Runs the two graphs of a training over the numbers of its flat parameters. */
export type StepEngine = {
  /** In words: `onnxruntime-node on cpu`. */
  readonly ranBy: string;
  /** Loss and logits of a batch; the gradients are written into the flat parameters. The logits may be overwritten by the next run. */
  readonly run: (batch: Numbers) => Promise<{ readonly loss: number; readonly logits: Float32Array }>;
  /** Logits of one full batch of images, with numbers that lie as those of the flat parameters. */
  readonly predict: (numbers: Float32Array<ArrayBuffer>, images: Float32Array) => Promise<Float32Array>;
  /** Gives the engine's memory back, which outlives the Worker otherwise. */
  readonly close: () => Promise<void>;
};

/**
 * Into how many equal parts a batch is cut for the processor, so that what an operation writes is still in its caches when
 * the next reads it: parts of at most 1,000 tokens. ViT-Tiny, batch 8: a tenth of the time and a quarter of the memory. Where
 * a network is large its gradients, which each part adds to, would cost more than that spares: ViT-Base stays whole to batch 5.
 */
export function partsOf({ spec, batchSize, provider }: StepSetup): number {
  if (provider !== "cpu") return 1;
  const { height, width } = gridOf(spec);
  const tokens = height * width + prefixTokensOf(spec);
  const parts = Array.from({ length: batchSize }, (_, k) => k + 1).filter((k) => batchSize % k === 0);
  return parts.find((k) => batchSize / k * tokens <= 1000) ?? batchSize;
}

/** ONNX Runtime: it reads and writes the memory of the parameters, nothing is copied. */
export async function onnxEngine(setup: StepSetup, parameters: FlatParameters): Promise<StepEngine> {
  const { spec, batchSize, inputChannels, provider } = setup;
  const parts = partsOf(setup);
  const { model, inputs } = stepGraph(setup, parts);
  const common = { provider, ...(setup.threads === undefined ? {} : { threads: setup.threads }) };
  const session = await openBlockingSession({ model, name: "the training step", training: true, ...common });
  const tensor = (data: Float32Array, shape: readonly number[]): EngineTensor => ({ data, shape });
  const slices = [...parameters.slices.values()];
  const used = new Set(session.inputs.map(({ name }) => name));
  const given = new Set(session.outputs.map(({ name }) => name));
  const zeros = new Float32Array(parts === 1 ? 0 : Math.max(...slices.map(({ length }) => length)));
  const views = (numbers: Float32Array<ArrayBuffer>, nameOf: (parameter: string) => string, known: Set<string>) =>
    slices.filter(({ name, offset }) => offset < numbers.length && known.has(nameOf(name)))
      .map((slice) => [nameOf(slice.name), tensor(sliceOf(numbers, slice), slice.shape)] as const);
  const values = views(parameters.values, (name) => name, used);
  const soFar = views(parameters.gradients, gradientSoFar, used); // the memory that is written as well: it adds in place
  const nothing = soFar.map(([name, { shape }]) => [name, tensor(zeros.subarray(0, sizeOf(shape)), shape)] as const);
  /** Of the first part and of those after it. */
  const feeds = [Object.fromEntries([...values, ...nothing]), Object.fromEntries([...values, ...soFar])] as const;
  const [loss, logits] = [new Float32Array(1), new Float32Array(batchSize * spec.classes)];
  const into = Object.fromEntries([
    ...views(parameters.gradients, gradientName, given),
    ["loss", tensor(loss, [])],
  ]);
  /** One of the equal parts of an array whose first axis is the batch. */
  const partOf = (numbers: Float32Array, part: number) =>
    numbers.subarray(part * numbers.length / parts, (part + 1) * numbers.length / parts);
  let predictor: BlockingSession | undefined;
  return {
    ranBy: `onnxruntime-node on ${provider}`,
    run: async (batch) => {
      let sum = 0;
      for (let part = 0; part < parts; part++) {
        const own = [...inputs].map(([name, shape]) => [name, tensor(partOf(batch[name]!, part), shape)] as const);
        const answer = tensor(partOf(logits, part), [batchSize / parts, spec.classes]);
        await session.run({ ...feeds[part === 0 ? 0 : 1], ...Object.fromEntries(own) }, {
          into: { ...into, logits: answer },
        });
        // The engine has written the gradients where they belong, and handed back copies of all of them as well.
        collectGarbage(parameters.gradients.byteLength);
        sum += loss[0]!;
      }
      return { loss: sum, logits };
    },
    predict: async (numbers, images) => {
      predictor ??= await openBlockingSession({ model: predictionGraph(setup), name: "the prediction", ...common });
      const weights = Object.fromEntries(
        predictor.inputs.filter(({ name }) => name !== "image").map(({ name }) => {
          const slice = parameters.slices.get(name)!;
          return [name, tensor(sliceOf(numbers, slice), slice.shape)];
        }),
      );
      const { height, width } = spec.imageSize;
      const image = tensor(images, [batchSize, inputChannels, height, width]);
      const { logits } = await predictor.run<"logits">({ ...weights, image });
      return logits.data as Float32Array;
    },
    close: async () => {
      await session[Symbol.asyncDispose]();
      await predictor?.[Symbol.asyncDispose]();
    },
  };
}
