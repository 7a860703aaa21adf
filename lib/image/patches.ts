import { MammolabError } from "../base/mod.ts";
import { identity, type Image, imageOf, type SourceMap } from "./image.ts";

/**
 * Cuts an image into the N = HW / P² flat patches that a ViT projects (Dosovitskiy et al. 2021, section 3.1).
 *
 * Values run channel, row, column inside a patch: the order of a convolution kernel `[dim, channels, P, P]`, so that
 * `patches(x) · kernelᵀ` is the convolution of stride P.
 *
 * @param image `[height, width, channels]`, both sides multiples of `size`
 * @returns `[patches, channels · size · size]`, patches row by row from the top left
 * @throws MammolabError when a side is no multiple of the patch
 *
 * @example
 * ```ts
 * import { imageOf, patches } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), { height: 2, width: 4 });
 * assertEquals([...patches(image, { size: 2 })], [1, 2, 5, 6, 3, 4, 7, 8]);
 * ```
 */
export function patches(image: Image, { size = 16 }: { readonly size?: number } = {}): Float32Array {
  checkGrid("cut", image, size);
  const out = new Float32Array(image.data.length);
  walk(image, size, (pixel, at) => out[at] = image.data[pixel]!);
  return out;
}

/**
 * Puts patches back together: the inverse of {@linkcode patches}.
 *
 * @param values `[patches, channels · size · size]`
 * @param shape of the image to make
 * @throws MammolabError when the values do not fit the shape
 *
 * @example
 * ```ts
 * import { imageOf, patches, unpatch } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), { height: 2, width: 4 });
 * assertEquals(unpatch(patches(image, { size: 2 }), { ...image, size: 2 }).data, image.data);
 * ```
 */
export function unpatch(
  values: Float32Array,
  { height, width, channels = 1, size = 16, toSource = identity }: {
    readonly height: number;
    readonly width: number;
    readonly channels?: number;
    readonly size?: number;
    readonly toSource?: SourceMap;
  },
): Image {
  const image = imageOf(new Float32Array(values.length), { height, width, channels, toSource });
  checkGrid("join", image, size);
  walk(image, size, (pixel, at) => image.data[pixel] = values[at]!);
  return image;
}

/** Visits each value of the patches in order, with its place in the image. */
function walk({ height, width, channels }: Image, size: number, visit: (pixel: number, at: number) => void): void {
  let at = 0;
  for (let top = 0; top < height; top += size) {
    for (let left = 0; left < width; left += size) {
      for (let channel = 0; channel < channels; channel++) {
        for (let row = top; row < top + size; row++) {
          for (let column = left; column < left + size; column++) {
            visit((row * width + column) * channels + channel, at++);
          }
        }
      }
    }
  }
}

function checkGrid(action: string, { height, width }: Image, size: number): void {
  if (Number.isSafeInteger(size) && size > 0 && height % size === 0 && width % size === 0) return;
  throw new MammolabError(
    `Cannot ${action} patches of ${size} × ${size}: the image has ${height} × ${width} pixels, multiples of the patch are needed; resize it first`,
  );
}
