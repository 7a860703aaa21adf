import { checkWord, MammolabError } from "../base/mod.ts";
import { resample } from "./_resize_kernel.ts";
import { type ResizeFilter, tapsOf } from "./_taps.ts";
import { crop } from "./crop.ts";
import { compose, composeSource, type Image } from "./image.ts";
import { mirror } from "./mirror.ts";
import type { Box, Size } from "./region.ts";

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
 * @throws MammolabError when a size is not a whole number above zero, or a word is unknown
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
export function resizeTo(options: ResizeOptions): (image: Image) => Image {
  check(options);
  return (image) => resizePart(image, { x: 0, y: 0, height: image.height, width: image.width }, options);
}

/** Whole pixels inside an image, which may be mirrored. */
export type Part = Omit<Box, "kind"> & { readonly mirrored?: boolean };

/** The part as an image of its own; the image itself where that is all of it. */
export function cut(image: Image, part: Part): Image {
  const whole = part.height === image.height && part.width === image.width;
  const piece = whole ? image : crop(image, part);
  return part.mirrored ? mirror(piece) : piece;
}

/** `cut`, then `resizeTo`: the same pixels, but only the result is an array of its own. */
export function resizePart(image: Image, part: Part, options: ResizeOptions): Image {
  check(options);
  const { height, width, filter = "area", fit = "stretch", align = "center" } = options;
  if (fit === "stretch") return stretch(image, part, { height, width }, filter);
  const scale = Math.min(height / part.height, width / part.width);
  const inner = {
    height: Math.min(height, Math.max(1, Math.round(part.height * scale))),
    width: Math.min(width, Math.max(1, Math.round(part.width * scale))),
  };
  const free = width - inner.width;
  return crop(stretch(image, part, inner, filter), {
    x: align === "left" ? 0 : align === "right" ? -free : -Math.floor(free / 2),
    y: -Math.floor((height - inner.height) / 2),
    width,
    height,
  });
}

function stretch(image: Image, part: Part, { height, width }: Size, filter: ResizeFilter): Image {
  const { channels } = image;
  if (height === part.height && width === part.width) return cut(image, part); // every filter is the identity then
  if (part.mirrored && channels !== 1) {
    const piece = cut(image, part);
    return stretch(piece, { x: 0, y: 0, height: piece.height, width: piece.width }, { height, width }, filter);
  }
  const taps = [tapsOf(filter, part.height, height), tapsOf(filter, part.width, width)] as const;
  const shift = [part.mirrored ? -1 : 1, 0, part.mirrored ? part.x + part.width : part.x, 0, 1, part.y] as const;
  // Scales about the corner of pixel (0, 0), not its center: the convention stated at `Image`.
  const inner = compose(shift, [part.width / width, 0, 0, 0, part.height / height, 0]);
  return {
    data: resample(image, ...taps, { part, mirrored: part.mirrored ?? false }),
    height,
    width,
    channels,
    toSource: composeSource(image.toSource, inner, { height, width }),
  };
}

function check({ height, width, filter = "area", fit = "stretch", align = "center" }: ResizeOptions): void {
  if (![height, width].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new MammolabError(
      `Cannot resize to ${height} × ${width}: sizes are whole numbers above zero; give two of them`,
    );
  }
  checkWord("Cannot resize: the filter", filter, ["area", "bilinear", "bicubic"]);
  checkWord("Cannot resize: the fit", fit, ["stretch", "pad"]);
  checkWord("Cannot resize: the alignment", align, ["center", "left", "right"]);
}
