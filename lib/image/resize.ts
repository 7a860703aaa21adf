import { MammolabError } from "../base/mod.ts";
import { resample } from "./_resize_kernel.ts";
import { type ResizeFilter, tapsOf } from "./_taps.ts";
import { crop } from "./crop.ts";
import { composeSource, type Image } from "./image.ts";

export type { ResizeFilter };

/** What a resized image shall be. */
export type ResizeOptions = {
  /** Pixels of the result, a whole number. */
  readonly height: number;
  /** Pixels of the result, a whole number. */
  readonly width: number;
  /**
   * `area` (default): mean over the exact overlap, OpenCV's INTER_AREA. `bilinear`, `bicubic` (a = -0.5): antialiased, as
   * torch and Pillow do it; use the one that a published network was trained with.
   */
  readonly filter?: ResizeFilter;
  /** `stretch` (default) fills the size; `pad` keeps the shape and fills the rest with 0. */
  readonly fit?: "stretch" | "pad";
  /** Where the film lies in a padded image: `center` (default), or against the `left` or `right` edge, centered vertically. */
  readonly align?: "center" | "left" | "right";
};

/**
 * Makes images of a given size, antialiased.
 *
 * @throws MammolabError when a size is not a whole number above zero
 *
 * @example The far corner of the film stays where it was
 * ```ts
 * import { applyMap, imageOf, resizeTo } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const film = imageOf(Float32Array.of(0, 1, 0.5, 0.5), { height: 2, width: 2 });
 * const small = resizeTo({ height: 1, width: 1 })(film);
 * assertEquals([...small.data], [0.5]);
 * assertEquals(applyMap(small.toSource, [1, 1]), [2, 2]);
 * ```
 */
export function resizeTo(
  { height, width, filter = "area", fit = "stretch", align = "center" }: ResizeOptions,
): (image: Image) => Image {
  if (![height, width].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new MammolabError(
      `Cannot resize to ${height} × ${width}: sizes are whole numbers above zero; give two of them`,
    );
  }
  if (fit === "stretch") return (image) => stretch(image, height, width, filter);
  return (image) => {
    const scale = Math.min(height / image.height, width / image.width);
    const inner = {
      height: Math.min(height, Math.max(1, Math.round(image.height * scale))),
      width: Math.min(width, Math.max(1, Math.round(image.width * scale))),
    };
    const free = width - inner.width;
    return crop(stretch(image, inner.height, inner.width, filter), {
      x: align === "left" ? 0 : align === "right" ? -free : -Math.floor(free / 2),
      y: -Math.floor((height - inner.height) / 2),
      width,
      height,
    });
  };
}

function stretch(image: Image, height: number, width: number, filter: ResizeFilter): Image {
  if (height === image.height && width === image.width) return image; // every filter is the identity then
  // Scales about the corner of pixel (0, 0), not its center: the convention stated at `Image`.
  const inner = [image.width / width, 0, 0, 0, image.height / height, 0] as const;
  return {
    data: resample(image, tapsOf(filter, image.height, height), tapsOf(filter, image.width, width)),
    height,
    width,
    channels: image.channels,
    toSource: composeSource(image.toSource, inner, { height, width }),
  };
}
