import { MammolabError } from "../base/mod.ts";
import type { LayerAttention } from "../model/mod.ts";
import { checkGlobal, fuseHeads, tokensOf, tokensRead } from "./_layers.ts";
import type { Relevance } from "./relevance.ts";

/** Choices of a class attention map. */
export type ClassAttentionOptions = {
  /** Layer number from 0; default the last. */
  readonly layer?: number;
  /** Numbers of the heads to take the mean of, from 0; default all. */
  readonly heads?: readonly number[];
};

/**
 * What the class token looks at in one layer: its row of the attention, the mean over heads. Where the head reads the image
 * tokens and no class token, it is the attention that each token receives from them, the mean over their rows.
 *
 * @param attention one a layer, each `[heads, tokens, tokens]`
 * @returns `[grid.height, grid.width]`; with the prefix tokens' share it sums to 1
 * @throws MammolabError when the layer's attention is not all-to-all, or there is no such layer or head
 *
 * @example
 * ```ts
 * import { classAttention } from "mammolab/explain";
 * import { assertEquals } from "@std/assert";
 * const layer = {
 *   name: "attention.0", layer: 0, kind: "global", heads: 1, grid: { height: 1, width: 2 }, prefixTokens: 1,
 *   data: Float32Array.of(0.25, 0.5, 0.25, 1, 0, 0, 1, 0, 0), shape: [1, 3, 3], toSource: [16, 0, 0, 0, 16, 0],
 * } as const;
 * assertEquals([...classAttention([layer]).data], [0.5, 0.25]);
 * ```
 */
export function classAttention(
  attention: readonly LayerAttention[],
  { layer, heads }: ClassAttentionOptions = {},
): Relevance {
  const action = "show what the class token looks at";
  if (!attention) checkGlobal(action, attention); // notebooks run without a type checker
  const chosen = layer === undefined ? attention.at(-1) : attention.find((one) => one.layer === layer);
  if (!chosen && attention.length > 0) {
    throw new MammolabError(
      `Cannot ${action}: there is no layer ${layer}, the layers are ${
        attention.map((one) => one.layer).join(", ")
      }; choose one of them`,
    );
  }
  checkGlobal(action, chosen ? [chosen] : []);
  const { grid, prefixTokens, toSource, layer: number, shape } = chosen!;
  const missing = heads?.find((head) => !(Number.isSafeInteger(head) && head >= 0 && head < shape[0]!));
  if (missing !== undefined || heads?.length === 0) {
    throw new MammolabError(
      `Cannot ${action}: ${
        missing === undefined ? "no head is chosen" : `there is no head ${missing}`
      }, layer ${number} has heads 0 to ${shape[0]! - 1}; choose among them`,
    );
  }
  const links = fuseHeads(chosen!, "mean", heads);
  const tokens = tokensOf(chosen!);
  const { classToken, first, end } = tokensRead(chosen!);
  const data = new Float32Array(grid.height * grid.width);
  for (let key = 0; key < data.length; key++) {
    let sum = 0;
    for (let query = first; query < end; query++) sum += links[query * tokens + prefixTokens + key]!;
    data[key] = sum / (end - first);
  }
  const which = heads
    ? (heads.length === 1 ? `head ${heads[0]}` : `mean over heads ${heads.join(", ")}`)
    : "mean over heads";
  const what = classToken ? "class attention" : "attention received";
  return { data, ...grid, toSource, method: `${what} of layer ${number}, ${which}` };
}
