import { checkWord, MammolabError } from "../base/mod.ts";
import type { LayerAttention } from "../model/mod.ts";

/** How several heads become one matrix. */
export type HeadFusion = "mean" | "max" | "min";

/** Refuses attention that a method for all-to-all attention would misread, and the missing one of a prediction without. */
export function checkGlobal(action: string, attention: readonly LayerAttention[] | undefined): void {
  const first = attention?.[0];
  if (!first) {
    throw new MammolabError(
      `Cannot ${action}: there is no attention, one matrix a layer is needed; ask for it with predict(…, { attention: true })`,
    );
  }
  const tokens = tokensOf(first);
  for (const { layer, kind, shape, data, grid, prefixTokens } of attention!) {
    if (kind !== "global") {
      throw new MammolabError(
        `Cannot ${action}: layer ${layer} has ${kind} attention, all-to-all (global) attention is needed; use a network such as ViT, DeiT or DINOv2`,
      );
    }
    const fits = shape.length === 3 && shape[1] === tokens && shape[2] === tokens &&
      data.length === shape[0]! * tokens * tokens && prefixTokens + grid.height * grid.width === tokens;
    if (!fits) {
      throw new MammolabError(
        `Cannot ${action}: layer ${layer} has the shape [${
          shape.join(", ")
        }], [heads, ${tokens}, ${tokens}] is expected (${prefixTokens} + ${grid.height} × ${grid.width} tokens); give the layers of one network`,
      );
    }
  }
}

/** Prefix and image tokens together. */
export function tokensOf({ grid, prefixTokens }: LayerAttention): number {
  return prefixTokens + grid.height * grid.width;
}

/** The tokens that the head reads: the class token, or all image tokens where there is none or it is not read. */
export function tokensRead(
  { grid, prefixTokens, pooled }: LayerAttention,
): { readonly classToken: boolean; readonly first: number; readonly end: number } {
  const classToken = prefixTokens > 0 && !pooled;
  return classToken
    ? { classToken, first: 0, end: 1 }
    : { classToken, first: prefixTokens, end: prefixTokens + grid.height * grid.width };
}

/** One `[queries, keys]` matrix of several heads. */
export function fuseHeads(
  { data, shape }: LayerAttention,
  fusion: HeadFusion,
  heads?: readonly number[],
): Float64Array {
  checkWord("Cannot fuse the heads: the way", fusion, ["mean", "max", "min"]);
  const size = shape[1]! * shape[2]!;
  const chosen = heads ?? Array.from({ length: shape[0]! }, (_, head) => head);
  const fused = new Float64Array(size).fill(fusion === "mean" ? 0 : fusion === "max" ? -Infinity : Infinity);
  for (const head of chosen) {
    const from = head * size;
    for (let k = 0; k < size; k++) {
      const value = data[from + k]!;
      if (fusion === "mean") fused[k] = fused[k]! + value / chosen.length;
      else if (fusion === "max" ? value > fused[k]! : value < fused[k]!) fused[k] = value;
    }
  }
  return fused;
}
