import type { EngineTensor } from "../engine/mod.ts";
import type { AttentionTap } from "../graph/mod.ts";
import { composeSource, type Image } from "../image/mod.ts";
import type { LayerAttention } from "./prediction.ts";

/**
 * One image's share of an attention tensor, with the way back to the film.
 *
 * @param tensor `[batch · factor, heads, queries, keys]`; the factor is 1, or the number of Swin's windows
 * @param index which image of the batch
 * @returns `[heads, queries, keys]`, or `[windows, heads, queries, keys]` where attention stays inside windows
 */
export function attentionOf(
  tap: AttentionTap,
  tensor: EngineTensor,
  { index, batch, prepared }: { readonly index: number; readonly batch: number; readonly prepared: Image },
): LayerAttention {
  const [rows = 0, ...rest] = tensor.shape;
  const size = tensor.data.length / batch;
  const data = tensor.data as Float32Array;
  const { grid } = tap;
  return {
    ...tap,
    data: batch === 1 ? data : data.slice(index * size, (index + 1) * size),
    shape: rows === batch ? rest : [rows / batch, ...rest],
    toSource: composeSource(
      prepared.toSource,
      [prepared.width / grid.width, 0, 0, 0, prepared.height / grid.height, 0],
      grid,
    ),
  };
}
