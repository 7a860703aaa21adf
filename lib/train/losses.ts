import { MammolabError } from "../base/mod.ts";
import {
  absolute,
  add,
  addNumber,
  constant,
  exp,
  log,
  logSoftmax,
  maximum,
  multiply,
  negate,
  scalar,
  scale,
  subtract,
  sum,
  type Tensor,
} from "../graph/mod.ts";

/** Plain JSON; stands in the recipe. */
export type LossOptions =
  | {
    /** Softmax cross-entropy against labels whose rows sum to 1 (hard, smoothed or mixed). */
    readonly kind: "crossEntropy";
    /** A factor for each class; default 1. The mean is over the images, not over the weights. */
    readonly classWeights?: readonly number[];
  }
  | {
    /** Cross-entropy in which images that are already right count less: `(1 − p)^γ` (Lin et al. 2017, eq. 5). */
    readonly kind: "focal";
    /** γ; 0 is cross-entropy. Default 2. */
    readonly gamma?: number;
    /** α for each class; default 1. */
    readonly classWeights?: readonly number[];
  }
  /** A sigmoid for each output by itself: labels in 0..1 that need not sum to 1. */
  | { readonly kind: "binary" };

/**
 * The mean loss of a batch, as an expression.
 *
 * @param logits `[batch, classes]`, the batch fixed
 * @param targets `[batch, classes]`
 * @returns a single number
 */
export function lossOf(logits: Tensor, targets: Tensor, options: LossOptions): Tensor {
  const [images, classes] = logits.shape as readonly [number, number];
  if (options.kind === "binary") {
    // max(z, 0) − z y + log(1 + e^−|z|): no overflow for any z
    const softplus = log(addNumber(exp(negate(absolute(logits))), 1));
    const each = add(subtract(maximum(logits, scalar(0)), multiply(logits, targets)), softplus);
    return scale(sum(each), 1 / (images * classes));
  }
  const { classWeights } = options;
  if (classWeights) checkClassWeights(classWeights, classes);
  const weighed = classWeights ? multiply(targets, constant(classWeights, [1, classes])) : targets;
  const logScores = logSoftmax(logits);
  const each = multiply(logScores, weighed);
  if (options.kind === "crossEntropy") return scale(sum(each), -1 / images);

  const { gamma = 2 } = options;
  if (!(gamma >= 0)) throw new MammolabError(`Cannot focus the loss with gamma ${gamma}: give 0 or more`);
  // (1 − p)^γ = e^(γ log(1 − p)); 1e-7 keeps the logarithm finite where p is 1 to float32
  const doubt = exp(scale(log(addNumber(negate(exp(logScores)), 1 + 1e-7)), gamma));
  return scale(sum(multiply(each, doubt)), -1 / images);
}

/** @throws MammolabError when they are not one for each class */
export function checkClassWeights(weights: readonly number[], classes: number): void {
  if (weights.length === classes && weights.every((w) => w >= 0)) return;
  throw new MammolabError(`Cannot weigh the classes by [${weights}]: give ${classes} factors of 0 or more`);
}

/**
 * Moves a share of each label to all classes alike: `y (1 − ε) + ε / K` (Szegedy et al. 2016, section 7).
 *
 * @example
 * ```ts
 * import { smoothed } from "mammolab/train";
 * import { assertEquals } from "@std/assert";
 * assertEquals(smoothed([1, 0], 0.2), [0.9, 0.1]);
 * ```
 */
export function smoothed(target: readonly number[], epsilon: number): readonly number[] {
  return target.map((y) => y * (1 - epsilon) + epsilon / target.length);
}
