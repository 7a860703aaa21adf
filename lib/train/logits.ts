import { MammolabError } from "../base/mod.ts";
import type { Provider } from "../engine/mod.ts";
import { buildNet, type NetSpec, type Normalization } from "../nets/mod.ts";
import type { Samples } from "./fit.ts";
import { trainedNames, usualOptimizer } from "./recipe.ts";
import { type Numbers, openTrainer, type Trainer, type TrainingEngine } from "./trainer.ts";

/** A network and its numbers, and what runs it. */
export type LogitsOptions = {
  readonly spec: NetSpec;
  readonly normalization: Normalization;
  readonly inputChannels?: number;
  /** All parameters, by name: what `fit` gives in the end. */
  readonly weights: Numbers;
  /** Images a run of the network; default 8. */
  readonly batchSize?: number;
  /** Default `onnx`. */
  readonly engine?: TrainingEngine;
  readonly provider?: Provider;
  readonly threads?: number;
};

/**
 * What a network says of samples that are not augmented, straight from the numbers that a training gave: nothing has to be
 * saved for it.
 *
 * @returns `[samples, classes]`, before the softmax
 * @throws MammolabError when numbers are missing or do not fit, or an image is of another size
 */
export async function logitsOf(
  samples: Pick<Samples, "ids" | "image">,
  { spec, normalization, inputChannels = 1, weights, batchSize = 8, engine = "onnx", provider = "cpu", threads }:
    LogitsOptions,
): Promise<Float32Array> {
  await using trainer = await openTrainer({
    spec,
    normalization,
    inputChannels,
    batchSize,
    values: weights,
    // No step is taken; of a step that could be, the head alone is the cheapest.
    trained: trainedNames([...buildNet(spec, { normalization, inputChannels }).parameters.keys()], "head", spec),
    loss: { kind: "crossEntropy" },
    optimizer: usualOptimizer,
    layerDecay: 1,
    engine,
    provider,
    ...(threads === undefined ? {} : { threads }),
  });
  return await trainerLogits(trainer, samples, { spec, inputChannels, batchSize });
}

/** The logits of samples that are not augmented, `[samples, classes]`, some at a time through an open trainer. */
export async function trainerLogits(
  trainer: Trainer,
  { ids, image }: Pick<Samples, "ids" | "image">,
  { spec: { imageSize: { height, width }, classes }, inputChannels, batchSize, averaged = false }: {
    readonly spec: NetSpec;
    readonly inputChannels: number;
    readonly batchSize: number;
    readonly averaged?: boolean;
  },
): Promise<Float32Array> {
  const size = inputChannels * height * width;
  const logits = new Float32Array(ids.length * classes);
  for (let start = 0; start < ids.length; start += batchSize) {
    const images = await Promise.all(ids.slice(start, start + batchSize).map((_, k) => image(start + k, -1)));
    const data = new Float32Array(images.length * size);
    images.forEach((pixels, k) => {
      if (pixels.length !== size) {
        throw new MammolabError(
          `Cannot predict ${
            ids[start + k]
          }: it has ${pixels.length} values, the network takes ${size}; prepare it to ${height} × ${width}`,
        );
      }
      data.set(pixels, k * size);
    });
    logits.set(await trainer.predict(data, { averaged }), start * classes);
  }
  return logits;
}
