import { checkWord, MammolabError } from "../base/mod.ts";
import {
  type CropBox,
  identity,
  type Image,
  imageOf,
  rasterize,
  type Region,
  type Size,
  type SourceMap,
} from "../image/mod.ts";

/** How an image is cut into windows. */
export type WindowOptions = {
  /** Pixels of the sides of a window. */
  readonly size: number;
  /** Pixels from one window to the next, at most `size`; default `size`: side by side. */
  readonly step?: number;
};

/**
 * Windows that cover an image: row by row from the top left, the last ones of each row and column moved back so that they end
 * at the edge. An image that is smaller than a window has one, which reaches beyond it.
 *
 * @returns boxes for `crop`
 * @throws MammolabError when size or step is no whole number above 0, or the step leaves gaps
 *
 * @example
 * ```ts
 * import { windows } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * assertEquals(windows({ height: 4, width: 7 }, { size: 4, step: 2 }).map(({ x }) => x), [0, 2, 3]);
 * ```
 */
export function windows({ height, width }: Size, { size, step = size }: WindowOptions): CropBox[] {
  if (![size, step].every((n) => Number.isSafeInteger(n) && n > 0) || step > size) {
    throw new MammolabError(
      `Cannot cut windows of ${size} pixels every ${step}: both are whole numbers above 0, and the step is at most the size`,
    );
  }
  const starts = (length: number) => {
    const last = Math.max(0, length - size);
    return Array.from({ length: Math.ceil(last / step) + 1 }, (_, k) => Math.min(k * step, last));
  };
  return starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, width: size, height: size })));
}

/** What was found in one window. */
export type WindowResult = {
  /** Where it lies. */
  readonly box: CropBox;
  /** `[box.height, box.width, channels]`, or one number for the whole window. */
  readonly data: Float32Array | number;
};

/** How windows are joined. */
export type StitchOptions = Size & {
  /** Default 1. */
  readonly channels?: number;
  /**
   * What a window counts where several overlap: `even` (default) everywhere alike; `center` most in its middle and next to
   * nothing at its edges (sin² along both sides), so that no seams are seen.
   */
  readonly weights?: "even" | "center";
  /** Place of the whole in its source; default the identity. */
  readonly toSource?: SourceMap;
};

/**
 * Joins overlapping windows to one image: at each pixel the weighted mean of all that cover it, 0 where none does. The windows
 * of an image, stitched, are the image.
 *
 * @throws MammolabError when the values of a window do not fit its box
 *
 * @example
 * ```ts
 * import { crop, imageOf } from "mammolab/image";
 * import { stitch, windows } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.from({ length: 35 }, (_, k) => k / 35), { height: 5, width: 7 });
 * const parts = windows(image, { size: 4, step: 3 }).map((box) => ({ box, data: crop(image, box).data }));
 * assertEquals(stitch(parts, { height: 5, width: 7, weights: "center" }).data, image.data);
 * ```
 */
export function stitch(
  parts: Iterable<WindowResult>,
  { height, width, channels = 1, weights = "even", toSource = identity }: StitchOptions,
): Image {
  checkWord("Cannot stitch windows: the weights", weights, ["even", "center"]);
  const sums = new Float64Array(height * width * channels); // Float64: a pixel comes back in the same bits
  const total = new Float64Array(height * width);
  for (const { box, data } of parts) {
    if (typeof data !== "number" && data.length !== box.height * box.width * channels) {
      throw new MammolabError(
        `Cannot stitch the window at (${box.x}, ${box.y}): ${data.length} values were given, ${box.height} × ${box.width} × ${channels} are needed; check size and channels`,
      );
    }
    const [down, across] = [weightsAlong(box.height, weights), weightsAlong(box.width, weights)];
    for (let row = Math.max(0, -box.y); row < Math.min(box.height, height - box.y); row++) {
      for (let column = Math.max(0, -box.x); column < Math.min(box.width, width - box.x); column++) {
        const weight = down[row]! * across[column]!;
        const pixel = (box.y + row) * width + box.x + column;
        total[pixel]! += weight;
        for (let channel = 0; channel < channels; channel++) {
          const value = typeof data === "number" ? data : data[(row * box.width + column) * channels + channel]!;
          sums[pixel * channels + channel]! += weight * value;
        }
      }
    }
  }
  const data = new Float32Array(sums.length);
  for (let at = 0; at < data.length; at++) {
    const weight = total[Math.floor(at / channels)]!;
    if (weight > 0) data[at] = sums[at]! / weight;
  }
  return imageOf(data, { height, width, channels, toSource });
}

function weightsAlong(size: number, weights: "even" | "center"): Float64Array {
  return Float64Array.from(
    { length: size },
    (_, k) => weights === "even" ? 1 : Math.sin((Math.PI * (k + 0.5)) / size) ** 2,
  );
}

/**
 * The windows that show enough of the breast, for classifiers of patches.
 *
 * @param breast its outline or mask, in pixels of the image: `findBreast(image)?.mask`
 * @param options.least share of a window that has to be breast, in (0, 1]; default 0.5
 *
 * @example
 * ```ts
 * import { breastWindows } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const breast = { kind: "box", x: 0, y: 0, width: 3, height: 4 } as const;
 * assertEquals(breastWindows({ height: 4, width: 8 }, breast, { size: 2 }).map(({ x }) => x), [0, 2, 0, 2]);
 * ```
 */
export function breastWindows(
  image: Size,
  breast: Region,
  { least = 0.5, ...options }: WindowOptions & { readonly least?: number },
): CropBox[] {
  if (!(least > 0 && least <= 1)) {
    throw new MammolabError(`Cannot choose windows with a share of ${least} of breast: give a share in (0, 1]`);
  }
  const { height, width } = image;
  const inside = rasterize(breast, image);
  return windows(image, options).filter((box) => {
    let count = 0;
    for (let row = box.y; row < Math.min(box.y + box.height, height); row++) {
      const line = inside.subarray(row * width + box.x, row * width + Math.min(box.x + box.width, width));
      for (let k = 0; k < line.length; k++) count += line[k]!;
    }
    return count >= least * box.width * box.height;
  });
}
