import type { Affine } from "mammolab/image";
import type { LayerAttention } from "mammolab/model";

/** Layers of global attention from one flat list `[layers, heads, tokens, tokens]`. */
export function layersOf(
  values: ArrayLike<number>,
  { layers, heads, grid: [height, width], prefixTokens = 1, pooled = false, toSource = [16, 0, 0, 0, 16, 0] }: {
    readonly layers: number;
    readonly heads: number;
    readonly grid: readonly [number, number];
    readonly prefixTokens?: number;
    readonly pooled?: boolean;
    readonly toSource?: Affine;
  },
): LayerAttention[] {
  const tokens = prefixTokens + height * width;
  const size = heads * tokens * tokens;
  const all = Float32Array.from(values);
  return Array.from({ length: layers }, (_, layer) => ({
    name: `attention.${layer}`,
    layer,
    kind: "global",
    heads,
    grid: { height, width },
    prefixTokens,
    ...(pooled ? { pooled } : {}),
    data: all.subarray(layer * size, (layer + 1) * size),
    shape: [heads, tokens, tokens],
    toSource,
  }));
}

/** Random attention whose rows sum to 1. */
export function drawnAttention(
  layers: number,
  heads: number,
  tokens: number,
  uniform: () => number,
): Float32Array {
  const values = Float32Array.from({ length: layers * heads * tokens * tokens }, () => uniform() ** 3 + 1e-3);
  for (let row = 0; row < values.length; row += tokens) {
    const sum = values.subarray(row, row + tokens).reduce((a, b) => a + b, 0);
    for (let k = row; k < row + tokens; k++) values[k] = values[k]! / sum;
  }
  return values;
}
