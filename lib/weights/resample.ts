import { MammolabError } from "../base/mod.ts";
import { imageOf, resizeTo } from "../image/mod.ts";

/** Rows and columns of tokens. */
export type TokenGrid = { readonly height: number; readonly width: number };

/**
 * Position embeddings for another grid of tokens, as timm makes them (`resample_abs_pos_embed`): those of the prefix
 * tokens are kept, those of the image are a picture of `dim` channels that is resized, bicubic with a = -0.5 and antialiased.
 *
 * @param positions `[1, prefixTokens + height · width, dim]`
 * @param options.from the grid they were trained on; default: a square
 * @returns `[1, prefixTokens + to.height · to.width, dim]`
 * @throws MammolabError when the number of rows fits no such grid
 *
 * @example As many tokens, another grid: still not the same positions
 * ```ts
 * import { resamplePositions } from "mammolab/weights";
 * import { assertEquals } from "@std/assert";
 * const positions = { shape: [1, 5, 1], data: Float32Array.of(9, 0, 0, 1, 1) }; // a class token, then a 2 × 2 picture
 * const { shape, data } = resamplePositions(positions, { prefixTokens: 1, to: { height: 4, width: 1 } });
 * assertEquals([shape, data[0]], [[1, 5, 1], 9]);
 * assertEquals(data[1]! < data[2]! && data[2]! < data[3]! && data[3]! < data[4]!, true);
 * ```
 */
export function resamplePositions(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> },
  { prefixTokens, to, from }: { readonly prefixTokens: number; readonly to: TokenGrid; readonly from?: TokenGrid },
): { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> } {
  const [, rows = 0, dim = 0] = shape;
  const side = Math.round(Math.sqrt(rows - prefixTokens));
  const { height, width } = from ?? { height: side, width: side };
  if (shape.length !== 3 || height * width !== rows - prefixTokens || height * width === 0) {
    throw new MammolabError(
      `Cannot resample the position embeddings [${shape}]: without ${prefixTokens} prefix tokens they are no grid of ${height} × ${width}; name the grid that they were trained on`,
    );
  }
  const prefix = data.subarray(0, prefixTokens * dim);
  const picture = imageOf(data.slice(prefixTokens * dim), { height, width, channels: dim });
  const resized = resizeTo({ ...to, filter: "bicubic" })(picture).data;
  const out = new Float32Array(prefix.length + resized.length);
  out.set(prefix);
  out.set(resized, prefix.length);
  return { shape: [1, prefixTokens + to.height * to.width, dim], data: out };
}
