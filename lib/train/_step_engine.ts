// What the Worker of a training needs from an engine, and the engine that is the default.
import { type BlockingSession, type EngineTensor, openBlockingSession } from "../engine/mod.ts";
import type { Numbers, TrainerSetup } from "./_step_worker.ts";
import { type FlatParameters, sliceOf } from "./flat_parameters.ts";
import { gradientName, predictionGraph, stepGraph } from "./step_graph.ts";

/** Runs the two graphs of a training over the numbers of its flat parameters. */
export type StepEngine = {
  /** In words: `onnxruntime-node on cpu`. */
  readonly ranBy: string;
  /** Loss and logits of a batch; the gradients are written into the flat parameters. The logits may be overwritten by the next run. */
  readonly run: (batch: Numbers) => Promise<{ readonly loss: number; readonly logits: Float32Array }>;
  /** Logits of one full batch of images, with numbers that lie as those of the flat parameters. */
  readonly predict: (numbers: Float32Array<ArrayBuffer>, images: Float32Array) => Promise<Float32Array>;
};

/** ONNX Runtime: it reads and writes the memory of the parameters, nothing is copied. */
export async function onnxEngine(setup: TrainerSetup, parameters: FlatParameters): Promise<StepEngine> {
  const { spec, batchSize, inputChannels, provider } = setup;
  const { model, inputs } = stepGraph(setup);
  const common = { provider, ...(setup.threads === undefined ? {} : { threads: setup.threads }) };
  const session = await openBlockingSession({ model, name: "the training step", training: true, ...common });
  const tensor = (data: Float32Array, shape: readonly number[]): EngineTensor => ({ data, shape });
  const slices = [...parameters.slices.values()];
  const used = new Set(session.inputs.map(({ name }) => name));
  const given = new Set(session.outputs.map(({ name }) => name));
  const feeds = Object.fromEntries(
    slices.filter(({ name }) => used.has(name)).map((
      slice,
    ) => [slice.name, tensor(sliceOf(parameters.values, slice), slice.shape)]),
  );
  const [loss, logits] = [new Float32Array(1), new Float32Array(batchSize * spec.classes)];
  const into = Object.fromEntries([
    ...slices.filter(({ name, trainable }) => trainable && given.has(gradientName(name)))
      .map((slice) => [gradientName(slice.name), tensor(sliceOf(parameters.gradients, slice), slice.shape)]),
    ["loss", tensor(loss, [])],
    ["logits", tensor(logits, [batchSize, spec.classes])],
  ]);
  let predictor: BlockingSession | undefined;
  return {
    ranBy: `onnxruntime-node on ${provider}`,
    run: async (batch) => {
      const fed = Object.fromEntries([...inputs].map(([name, shape]) => [name, tensor(batch[name]!, shape)]));
      await session.run({ ...feeds, ...fed }, { into });
      return { loss: loss[0]!, logits };
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
  };
}
