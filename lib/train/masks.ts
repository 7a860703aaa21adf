import { seededRandom } from "../base/mod.ts";
import type { NetSpec } from "../nets/mod.ts";
import type { Recipe } from "./recipe.ts";
import { stepExpression } from "./step_graph.ts";

/** A random mask of the step: its name in the graph, its shape, and the chance of a zero. */
export type Mask = { readonly name: string; readonly shape: readonly number[]; readonly rate: number };

/** The masks that a recipe asks for: of branches (one number an image) and of values (dropout). */
export function masksOf(
  spec: NetSpec,
  { batchSize, dropPath = 0, dropout = 0 }: Pick<Recipe, "batchSize" | "dropPath" | "dropout">,
): readonly Mask[] {
  if (dropPath === 0 && dropout === 0) return [];
  const { inputs } = stepExpression({
    spec,
    normalization: { mean: [0], std: [1] },
    inputChannels: 1,
    batchSize,
    loss: { kind: "crossEntropy" },
    dropPath,
    dropout,
  });
  return [...inputs].flatMap(([name, shape]) => {
    if (name.startsWith("dropout.")) return [{ name, shape, rate: dropout }];
    const layer = name.match(/^dropPath\.(\d+)\./)?.[1];
    return layer === undefined ? [] : [{ name, shape, rate: dropPath * Number(layer) / (spec.depth - 1) }];
  });
}

/**
 * Draws a mask: 0 with the chance of its rate, else 1 / (1 − rate), so that its mean is 1 (Srivastava et al. 2014,
 * section 10: scaled in training, nothing to do in use). Follows from the seed, the name, the step and the graph run alone.
 */
export function drawMask(
  { name, shape, rate }: Mask,
  { seed, step, run }: { readonly seed: number; readonly step: number; readonly run: number },
): Float32Array {
  const { uniform } = seededRandom(seed, name, step, run);
  const mask = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < mask.length; i++) mask[i] = uniform() < rate ? 0 : 1 / (1 - rate);
  return mask;
}
