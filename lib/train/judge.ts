import { auc } from "../evaluate/mod.ts";
import type { LossOptions } from "./losses.ts";

/** How well logits fit their targets. */
export type Judgement = {
  /** Mean cross-entropy: of the classes together (softmax), or of each by itself where they were trained so (`binary`). */
  readonly loss: number;
  /** Share of images whose most likely class is the one with the largest target. */
  readonly accuracy: number;
  /** Of the last class against all others; absent where one of the two is missing. */
  readonly auc?: number;
};

/**
 * Judges logits by their targets.
 *
 * @param logits `[images, classes]`
 * @param targets one an image, each shares of the classes
 * @param loss what the logits were trained with; of it only the kind counts. Default cross-entropy
 *
 * @example
 * ```ts
 * import { judge } from "mammolab/train";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * const { loss, accuracy, auc } = judge(Float32Array.of(0, 0, 0, 9), [[1, 0], [0, 1]]);
 * assertAlmostEquals(loss, Math.LN2 / 2, 1e-4);
 * assertEquals([accuracy, auc], [1, 1]);
 * ```
 */
export function judge(
  logits: Float32Array,
  targets: readonly (readonly number[])[],
  { kind }: Pick<LossOptions, "kind"> = { kind: "crossEntropy" },
): Judgement {
  const count = targets.length;
  const classes = logits.length / count;
  let [loss, right] = [0, 0];
  const cases = targets.map((target, item) => {
    const own = [...logits.subarray(item * classes, (item + 1) * classes)];
    const largest = Math.max(...own);
    const logSum = kind === "binary" ? 0 : largest + Math.log(own.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    loss += kind === "binary"
      ? target.reduce((sum, y, c) => sum + softplus(own[c]!) - y * own[c]!, 0) / classes
      : target.reduce((sum, y, c) => sum - y * (own[c]! - logSum), 0);
    const label = target.indexOf(Math.max(...target));
    if (own.indexOf(largest) === label) right++;
    return { positive: label === classes - 1, score: own[classes - 1]! - logSum };
  });
  const both = new Set(cases.map(({ positive }) => positive)).size === 2;
  return { loss: loss / count, accuracy: right / count, ...(both ? { auc: auc(cases) } : {}) };
}

/** log(1 + eᶻ), which overflows for no z. */
const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
