import { checkWord, MammolabError } from "../base/mod.ts";
import type { LayerAttention } from "../model/mod.ts";
import { checkGlobal, fuseHeads, type HeadFusion, tokensOf, tokensRead } from "./_layers.ts";
import type { Relevance } from "./relevance.ts";

export type { HeadFusion };

/** Choices of a rollout. */
export type RolloutOptions = {
  /** Share of the weakest links of each layer that are cut, in [0, 1); default 0. */
  readonly discard?: number;
  /** How the heads of a layer become one matrix; default `mean`, as in the paper. */
  readonly headFusion?: HeadFusion;
  /**
   * What `discard` never cuts: the class token's whole row (`classRow`, default), or only its link to itself (`classLink`,
   * as jacobgil/vit-explain does). A network whose head reads no class token keeps nothing.
   */
  readonly keep?: "classRow" | "classLink";
};

/**
 * Attention rollout: how much each image token feeds the class token through all layers (Abnar & Zuidema 2020,
 * arXiv 2005.00928: the product over layers of (A + I) / 2, A the fused heads, rows normalized; the last layer is leftmost).
 *
 * `discard` and `max`, `min` are jacobgil/vit-explain's additions, here with rows that sum to 1 after them (there they do
 * not: its `a / a.sum(dim=-1)` divides column j by the sum of row j). Where the head reads the image tokens and no class token, the
 * result is the mean over their rows.
 *
 * @param attention one a layer, first layer first, each `[heads, tokens, tokens]` with rows that sum to 1
 * @returns `[grid.height, grid.width]`, not scaled; with the prefix tokens' share it sums to 1
 * @throws MammolabError when a layer's attention is not all-to-all, or `discard` is outside [0, 1)
 *
 * @example One layer, one head: half of what the class token looks at
 * ```ts
 * import { rollout } from "mammolab/explain";
 * import { assertEquals } from "@std/assert";
 * const layer = {
 *   name: "attention.0", layer: 0, kind: "global", heads: 1, grid: { height: 1, width: 2 }, prefixTokens: 1,
 *   data: Float32Array.of(0.25, 0.5, 0.25, 1, 0, 0, 1, 0, 0), shape: [1, 3, 3], toSource: [16, 0, 0, 0, 16, 0],
 * } as const;
 * assertEquals([...rollout([layer]).data], [0.25, 0.125]);
 * ```
 */
export function rollout(
  attention: readonly LayerAttention[],
  { discard = 0, headFusion = "mean", keep = "classRow" }: RolloutOptions = {},
): Relevance {
  checkGlobal("roll the attention out", attention);
  checkWord("Cannot roll the attention out: what is kept,", keep, ["classRow", "classLink"]);
  if (!(discard >= 0 && discard < 1)) {
    throw new MammolabError(
      `Cannot roll the attention out with discard ${discard}: it is a share in [0, 1); 0.9 cuts the weakest nine of ten links`,
    );
  }
  const last = attention.at(-1)!;
  const tokens = tokensOf(last);
  const { classToken, first, end } = tokensRead(last);
  // Only one row of the product is wanted: a row vector goes through the layers from the last to the first.
  let row = new Float64Array(tokens).fill(1 / (end - first), first, end);
  const kept = !classToken ? 0 : keep === "classRow" ? tokens : 1;
  for (const layer of attention.toReversed()) {
    const links = fuseHeads(layer, headFusion);
    if (discard > 0) cutWeakest(links, discard, kept);
    row = through(row, links);
  }
  return {
    data: Float32Array.from(row.subarray(last.prefixTokens)),
    ...last.grid,
    toSource: last.toSource,
    method: `attention rollout, ${headFusion} over heads${
      discard > 0 ? `, weakest ${percent(discard)} of links cut` : ""
    }`,
  };
}

/** row · (A + I), each row of A + I normalized. */
function through(row: Float64Array, links: Float64Array): Float64Array<ArrayBuffer> {
  const tokens = row.length;
  const out = new Float64Array(tokens);
  for (let query = 0; query < tokens; query++) {
    const from = query * tokens;
    let sum = 1; // the identity's one
    for (let key = 0; key < tokens; key++) sum += links[from + key]!;
    const share = row[query]! / sum;
    for (let key = 0; key < tokens; key++) out[key] = out[key]! + share * links[from + key]!;
    out[query] = out[query]! + share;
  }
  return out;
}

/** Sets the weakest links to 0, those of the first `kept` entries excepted. */
function cutWeakest(links: Float64Array, share: number, kept: number): void {
  const count = Math.floor(links.length * share);
  if (count === 0) return;
  const order = Uint32Array.from(links.keys()).sort((a, b) => links[a]! - links[b]! || a - b);
  for (const at of order.subarray(0, count)) if (at >= kept) links[at] = 0;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
