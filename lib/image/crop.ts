import { MammolabError } from "../base/mod.ts";
import { composeSource, type Image } from "./image.ts";

/** A rectangle of whole pixels; it may reach beyond the image. */
export type CropBox = {
  /** Left edge, a whole number. */
  readonly x: number;
  /** Top edge, a whole number. */
  readonly y: number;
  /** Whole number of pixels, at least 1. */
  readonly width: number;
  /** Whole number of pixels, at least 1. */
  readonly height: number;
};

/**
 * Cuts a rectangle out of an image. Where it reaches beyond the image the pixels are 0, so that a patch round a lesion at
 * the edge keeps its size, and a frame is put round an image by a box that is larger than it.
 *
 * @throws MammolabError when the box is not made of whole numbers or touches no pixel of the image
 *
 * @example The corner of the cut is where the box was
 * ```ts
 * import { applyMap, crop, imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.of(1, 2, 3, 4, 5, 6), { height: 2, width: 3 });
 * const part = crop(image, { x: 1, y: 0, width: 2, height: 1 });
 * assertEquals([...part.data], [2, 3]);
 * assertEquals(applyMap(part.toSource, [0, 0]), [1, 0]);
 * ```
 */
export function crop(image: Image, { x, y, width, height }: CropBox): Image {
  const box = `${width} × ${height} pixels at (${x}, ${y})`;
  if (![x, y, width, height].every(Number.isSafeInteger) || width < 1 || height < 1) {
    throw new MammolabError(`Cannot crop to ${box}: a box has whole numbers and a size above zero; round it first`);
  }
  if (x >= image.width || y >= image.height || x + width <= 0 || y + height <= 0) {
    throw new MammolabError(
      `Cannot crop to ${box}: it lies outside the image of ${image.width} × ${image.height}; check the coordinates`,
    );
  }
  const { channels } = image;
  const data = new Float32Array(height * width * channels);
  const [left, right] = [Math.max(x, 0), Math.min(x + width, image.width)];
  for (let row = Math.max(y, 0); row < Math.min(y + height, image.height); row++) {
    const from = row * image.width;
    const line = image.data.subarray((from + left) * channels, (from + right) * channels);
    data.set(line, ((row - y) * width + left - x) * channels);
  }
  return {
    data,
    height,
    width,
    channels,
    toSource: composeSource(image.toSource, [1, 0, x, 0, 1, y], { height, width }),
  };
}

/**
 * {@linkcode crop} as a step of a pipeline.
 *
 * @example
 * ```ts
 * import { cropTo, imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const step = cropTo({ x: 0, y: 1, width: 1, height: 1 });
 * assertEquals([...step(imageOf(Float32Array.of(1, 2), { height: 2, width: 1 })).data], [2]);
 * ```
 */
export function cropTo(box: CropBox): (image: Image) => Image {
  return (image) => crop(image, box);
}
