import { checkWord, MammolabError } from "../base/mod.ts";
import { warpByKernel } from "./_warp_kernel.ts";
import { composeSource, type Image, isAffine, type SourceMap } from "./image.ts";

/** How a warp reads the image. */
export type WarpOptions = {
  /** Pixels of the result; default those of a dense map, else those of the image. */
  readonly height?: number;
  /** Pixels of the result; default those of a dense map, else those of the image. */
  readonly width?: number;
  /** `bilinear` (default) between pixel centers, or the `nearest` one, for masks and labels. */
  readonly sampling?: "bilinear" | "nearest";
  /**
   * What lies beyond the image: `zero` (default; each pixel outside counts as 0), `edge` repeats the outermost pixels,
   * `reflect` mirrors at the edges of the image. As torch's grid_sample with zeros, border and reflection.
   */
  readonly border?: "zero" | "edge" | "reflect";
  /** Where the values are written if it has their number, also those of the image itself; default: a new array. */
  readonly into?: Float32Array;
};

/**
 * Resamples an image: pixel p of the result is what the image has at `map(p)`. For a turn by +10° on the screen the map turns
 * by -10°: it leads from the new image to the old one.
 *
 * @param map points of the result → points of the image, affine or one position a pixel of the result
 * @throws MammolabError when a size is no whole number above zero, a dense map has another size than the result, or a word is
 * unknown
 *
 * @example A shift by one pixel to the right
 * ```ts
 * import { applyMap, imageOf, warp } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const shifted = warp(imageOf(Float32Array.of(1, 2, 3), { height: 1, width: 3 }), [1, 0, -1, 0, 1, 0]);
 * assertEquals([...shifted.data], [0, 1, 2]);
 * assertEquals(applyMap(shifted.toSource, [1.5, 0.5]), [0.5, 0.5]);
 * ```
 */
export function warp(image: Image, map: SourceMap, options: WarpOptions = {}): Image {
  const { sampling = "bilinear", border = "zero" } = options;
  const natural = isAffine(map) ? image : map;
  const { height = natural.height, width = natural.width } = options;
  checkSize(map, height, width);
  checkWord("Cannot warp: the sampling", sampling, ["bilinear", "nearest"]);
  checkWord("Cannot warp: the border", border, ["zero", "edge", "reflect"]);
  const { channels } = image;
  const toSource = composeSource(image.toSource, map, { height, width });
  const fast = sampling === "bilinear" && border !== "reflect"
    ? warpByKernel(image, map, { height, width }, options)
    : undefined;
  if (fast) return { data: fast, height, width, channels, toSource };
  const data = new Float32Array(height * width * channels);
  const sample = sampling === "nearest" ? sampleNearest : sampleBilinear;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      const [x, y] = isAffine(map)
        ? [map[0] * (j + 0.5) + map[1] * (i + 0.5) + map[2], map[3] * (j + 0.5) + map[4] * (i + 0.5) + map[5]]
        : [map.x[at]!, map.y[at]!];
      sample(image, x, y, border, data, at * channels);
    }
  }
  return { data, height, width, channels, toSource };
}

type Border = NonNullable<WarpOptions["border"]>;

/** Pixel index along one axis, or -1 where there is 0. */
function pixelOf(k: number, size: number, border: Border): number {
  if (k >= 0 && k < size) return k;
  switch (border) {
    case "zero":
      return -1;
    case "edge":
      return k < 0 ? 0 : size - 1;
    case "reflect": {
      const period = ((k % (2 * size)) + 2 * size) % (2 * size);
      return period < size ? period : 2 * size - 1 - period;
    }
  }
}

function sampleNearest(image: Image, x: number, y: number, border: Border, out: Float32Array, at: number): void {
  if (!Number.isFinite(x + y)) return; // nowhere: 0
  const column = pixelOf(Math.floor(x), image.width, border);
  const row = pixelOf(Math.floor(y), image.height, border);
  if (column < 0 || row < 0) return;
  const from = (row * image.width + column) * image.channels;
  for (let channel = 0; channel < image.channels; channel++) out[at + channel] = image.data[from + channel]!;
}

function sampleBilinear(image: Image, x: number, y: number, border: Border, out: Float32Array, at: number): void {
  if (!Number.isFinite(x + y)) return;
  const { data, height, width, channels } = image;
  const [u, v] = [x - 0.5, y - 0.5];
  const [j, i] = [Math.floor(u), Math.floor(v)];
  const [p, q] = [u - j, v - i];
  const inside = j >= 0 && i >= 0 && j + 1 < width && i + 1 < height;
  const left = inside ? j : pixelOf(j, width, border);
  const right = inside ? j + 1 : pixelOf(j + 1, width, border);
  const top = inside ? i : pixelOf(i, height, border);
  const bottom = inside ? i + 1 : pixelOf(i + 1, height, border);
  const add = (row: number, column: number, weight: number) => {
    if (row < 0 || column < 0) return;
    const from = (row * width + column) * channels;
    for (let channel = 0; channel < channels; channel++) {
      out[at + channel] = out[at + channel]! + weight * data[from + channel]!;
    }
  };
  add(top, left, (1 - q) * (1 - p));
  add(top, right, (1 - q) * p);
  add(bottom, left, q * (1 - p));
  add(bottom, right, q * p);
}

function checkSize(map: SourceMap, height: number, width: number): void {
  if (![height, width].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new MammolabError(
      `Cannot warp to ${height} × ${width}: sizes are whole numbers above zero; give two of them`,
    );
  }
  if (!isAffine(map) && (map.height !== height || map.width !== width)) {
    throw new MammolabError(
      `Cannot warp to ${height} × ${width}: the dense map has ${map.height} × ${map.width} positions, one a pixel is needed; leave the size out or make the map anew`,
    );
  }
}
