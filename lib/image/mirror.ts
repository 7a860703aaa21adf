import { composeSource, type Image } from "./image.ts";

/**
 * Swaps left and right.
 *
 * @example
 * ```ts
 * import { applyMap, imageOf, mirror } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const mirrored = mirror(imageOf(Float32Array.of(1, 2, 3), { height: 1, width: 3 }));
 * assertEquals([...mirrored.data], [3, 2, 1]);
 * assertEquals(applyMap(mirrored.toSource, [0.5, 0.5]), [2.5, 0.5]);
 * ```
 */
export function mirror(image: Image): Image {
  const { height, width, channels } = image;
  const data = new Float32Array(image.data.length);
  if (channels === 1) { // a tenth of the time of the loop
    data.set(image.data);
    for (let from = 0; from < data.length; from += width) data.subarray(from, from + width).reverse();
  } else {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const from = (row * width + width - 1 - column) * channels;
        const to = (row * width + column) * channels;
        for (let channel = 0; channel < channels; channel++) data[to + channel] = image.data[from + channel]!;
      }
    }
  }
  return { ...image, data, toSource: composeSource(image.toSource, [-1, 0, width, 0, 1, 0], image) };
}
