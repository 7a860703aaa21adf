import { MammolabError, seededRandom, shuffled } from "../base/mod.ts";
import { flatParameters, sliceOf } from "./flat_parameters.ts";
import { checkClassWeights } from "./losses.ts";
import { clipGradients, optimizer } from "./optimizers.ts";
import { scheduleAt, type ScheduleOptions } from "./schedules.ts";

/** A linear layer from features to logits, named as in timm: `head.weight`, `head.bias`. */
export type LinearHead = {
  /** `[classes, dim]` */
  readonly weight: Float32Array;
  /** `[classes]` */
  readonly bias: Float32Array;
  /** Mean loss of each epoch, first epoch first. */
  readonly losses: readonly number[];
};

/** Options of {@linkcode trainLinearHead}. */
export type HeadOptions = {
  readonly dim: number;
  readonly classes: number;
  readonly seed: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly schedule?: ScheduleOptions;
  /** Factor on the loss of each class; default 1. */
  readonly classWeights?: readonly number[];
  /** Largest norm of the gradients; default: not clipped. */
  readonly clip?: number;
  readonly signal?: AbortSignal;
  /** Called after each epoch with the head of that moment; its arrays are written on in the next one. */
  readonly onEpoch?: (head: Pick<LinearHead, "weight" | "bias">) => void;
};

/**
 * Trains the last layer alone on features that a frozen network gave: softmax regression by AdamW, in plain TypeScript
 * (linear probing; the fine-tuning head of Dosovitskiy et al. 2021, section 3.1). 1,000 images × 100 epochs of 192 numbers
 * take about 0.6 s; the event loop gets a turn between epochs.
 *
 * @param features `[images, dim]`
 * @param targets `[images, classes]`, each row sums to 1 (soft labels are welcome)
 * @throws MammolabError when sizes do not fit, fewer than two classes occur, or the loss is no number any more
 */
export async function trainLinearHead(
  features: Float32Array,
  targets: Float32Array,
  {
    dim,
    classes,
    seed,
    epochs = 100,
    batchSize = 32,
    learningRate = 1e-2,
    weightDecay = 1e-2,
    schedule = { kind: "cosine" },
    classWeights = new Array<number>(classes).fill(1),
    clip,
    signal,
    onEpoch,
  }: HeadOptions,
): Promise<LinearHead> {
  const images = features.length / dim;
  if (!Number.isInteger(images) || images === 0 || targets.length !== images * classes) {
    throw new MammolabError(
      `Cannot train the head: ${features.length} feature values and ${targets.length} targets do not fit ${dim} features and ${classes} classes an image; check the sizes`,
    );
  }
  const strange = Object.entries({ epochs, batchSize }).find(([, n]) => !(Number.isSafeInteger(n) && n > 0));
  if (strange) {
    throw new MammolabError(`Cannot train the head: ${strange.join(" is ")}; give a whole number above 0`);
  }
  checkClassWeights(classWeights, classes);
  const occurring = Array.from({ length: classes }, (_, c) => targets.some((t, i) => i % classes === c && t > 0));
  if (occurring.filter(Boolean).length < 2) {
    throw new MammolabError(
      "Cannot train the head: the training side holds one class only; add images of another class",
    );
  }

  const parameters = flatParameters(new Map([["head.weight", [classes, dim]], ["head.bias", [classes]]]));
  const [weight, bias] = [...parameters.slices.values()].map((slice) => sliceOf(parameters.values, slice)) as [
    Floats,
    Floats,
  ];
  const [dWeight, dBias] = [...parameters.slices.values()]
    .map((slice) => sliceOf(parameters.gradients, slice)) as [Floats, Floats];
  const { step } = optimizer(parameters, { kind: "adamw", weightDecay });
  const perEpoch = Math.ceil(images / batchSize);
  const losses: number[] = [];
  const error = new Float64Array(classes);
  const everyImage = Array.from({ length: images }, (_, i) => i);

  for (let epoch = 0; epoch < epochs; epoch++) {
    signal?.throwIfAborted();
    const order = shuffled(everyImage, seededRandom(seed, "head", epoch));
    let epochLoss = 0;
    for (let start = 0; start < images; start += batchSize) {
      const end = Math.min(start + batchSize, images);
      dWeight.fill(0);
      dBias.fill(0);
      for (let k = start; k < end; k++) {
        const image = order[k]!;
        epochLoss += softmaxError(image, 1 / (end - start), error) * (end - start);
        for (let c = 0; c < classes; c++) {
          const [from, row, share] = [image * dim, c * dim, error[c]!];
          for (let d = 0; d < dim; d++) dWeight[row + d]! += share * features[from + d]!;
          dBias[c]! += share;
        }
      }
      const done = epoch * perEpoch + Math.floor(start / batchSize);
      if (clip !== undefined) clipGradients(parameters, clip);
      step(learningRate * scheduleAt(schedule, done, epochs * perEpoch), done + 1);
    }
    if (!Number.isFinite(epochLoss) || !weight.every(Number.isFinite)) {
      const found = Number.isFinite(epochLoss) ? "a weight is no number" : `the loss is ${epochLoss}`;
      throw new MammolabError(
        `Cannot go on training the head: in epoch ${
          epoch + 1
        } ${found}; check the features, or lower the learning rate`,
      );
    }
    losses.push(epochLoss / images);
    onEpoch?.({ weight, bias });
    if (epoch % 10 === 9) await new Promise((turn) => setTimeout(turn, 0));
  }
  return { weight: weight.slice(), bias: bias.slice(), losses };

  /** Writes d loss / d logits of one image, times `share`; gives its loss times `share`. */
  function softmaxError(image: number, share: number, error: Float64Array): number {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) {
      let logit = bias[c]!;
      const [from, row] = [image * dim, c * dim];
      for (let d = 0; d < dim; d++) logit += weight[row + d]! * features[from + d]!;
      error[c] = logit;
      largest = Math.max(largest, logit);
    }
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(error[c]! - largest);
    const logSum = largest + Math.log(sum);
    let [loss, mass] = [0, 0];
    for (let c = 0; c < classes; c++) {
      const factor = targets[image * classes + c]! * classWeights[c]!;
      loss += factor * (logSum - error[c]!);
      mass += factor;
    }
    for (let c = 0; c < classes; c++) {
      const score = Math.exp(error[c]! - logSum);
      error[c] = share * (mass * score - targets[image * classes + c]! * classWeights[c]!);
    }
    return loss * share;
  }
}

/**
 * What a linear head says of features.
 *
 * @param features `[images, dim]`
 * @returns `[images, classes]`, before the softmax
 *
 * @example
 * ```ts
 * import { headLogits } from "mammolab/train";
 * import { assertEquals } from "@std/assert";
 * const head = { weight: Float32Array.of(1, 0, 0, 2), bias: Float32Array.of(0.5, 0) };
 * assertEquals(headLogits(head, Float32Array.of(3, 4)), Float32Array.of(3.5, 8));
 * ```
 */
export function headLogits(
  { weight, bias }: Pick<LinearHead, "weight" | "bias">,
  features: Float32Array,
): Float32Array {
  const classes = bias.length;
  const dim = weight.length / classes;
  return Float32Array.from({ length: features.length / dim * classes }, (_, at) => {
    const [from, c] = [Math.floor(at / classes) * dim, at % classes];
    let sum = bias[c]!;
    for (let d = 0; d < dim; d++) sum += weight[c * dim + d]! * features[from + d]!;
    return sum;
  });
}

type Floats = Float32Array<ArrayBuffer>;
