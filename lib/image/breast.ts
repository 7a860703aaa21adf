import { blur, type Grid } from "./_grid.ts";
import { largestContour } from "./_outline.ts";
import { resample } from "./_resize_kernel.ts";
import { tapsOf } from "./_taps.ts";
import { findTissue, withoutPadding } from "./_tissue.ts";
import { crop } from "./crop.ts";
import type { Image } from "./image.ts";
import { mirror } from "./mirror.ts";
import { boundingBox, type Box, type Mask, type Polygon, rasterize } from "./region.ts";

/** The breast on a film, the pectoral muscle included; all in pixels of the image that was searched. */
export type Breast = {
  /** Its smooth outline. */
  readonly outline: Polygon;
  /** The pixels inside the outline, as large as `box`. */
  readonly mask: Mask;
  /** Whole pixels round the outline, inside the image. */
  readonly box: Box;
  /** The side of the image on which the chest wall lies; the nipple points to the other one. */
  readonly side: "left" | "right";
  /** True where dense parts are dark: the film is to be turned over, `1 - value`. */
  readonly inverted: boolean;
};

/** Longest side of the small picture on which the breast is sought. */
const workingSize = 256;

/**
 * Finds the breast on a film, past labels, markers, frames and padding, bright or dark side up: levels between background and
 * tissue on a small copy, the largest part of it without what is narrow, its holes filled, a smooth outline.
 *
 * @param image its first channel is searched
 * @returns nothing where the film shows no breast, a blank film for one
 *
 * @example
 * ```ts
 * import { findBreast, imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const [height, width] = [300, 200];
 * const film = imageOf(new Float32Array(height * width), { height, width });
 * for (let k = 0; k < film.data.length; k++) {
 *   const [x, y] = [k % width, Math.floor(k / width)];
 *   if (Math.hypot(x / 120, (y - 150) / 110) < 1) film.data[k] = 0.5 + 0.1 * Math.sin(x) * Math.sin(y);
 * }
 * assertEquals(findBreast(film)?.side, "left");
 * ```
 */
export function findBreast(image: Image): Breast | undefined {
  const found = locateBreast(image);
  if (!found) return undefined;
  const { outline, box } = found;
  const inBox: Polygon = { kind: "polygon", points: outline.points.map(([x, y]) => [x - box.x, y - box.y]) };
  const mask: Mask = { ...box, kind: "mask", data: rasterize(inBox, box) };
  return { ...found, mask };
}

/** `findBreast` without the mask, which has a byte for each pixel of the film. */
export function locateBreast(image: Image): Omit<Breast, "mask"> | undefined {
  const frame = withoutPadding(image);
  const small = smallCopy(image, frame);
  const tissue = findTissue(small);
  if (!tissue) return undefined;
  const points = largestContour(blur(tissue.mask, 2), 0.5);
  if (points.length < 3) return undefined;

  const [right, down] = [frame.width / small.width, frame.height / small.height];
  const outline: Polygon = {
    kind: "polygon",
    points: points.map(([x, y]) => [frame.x + x * right, frame.y + y * down]),
  };
  const exact = boundingBox(outline);
  const [left, top] = [Math.floor(exact.x), Math.floor(exact.y)];
  const box: Box = {
    kind: "box",
    x: left,
    y: top,
    width: Math.min(Math.ceil(exact.x + exact.width), image.width) - left,
    height: Math.min(Math.ceil(exact.y + exact.height), image.height) - top,
  };
  return { outline, box, side: chestWallSide(tissue.mask), inverted: tissue.inverted };
}

/** The film inside its padding, at most 256 pixels long, first channel, numbers only. */
function smallCopy(image: Image, frame: Box): Grid {
  const scale = Math.max(1, Math.max(frame.height, frame.width) / workingSize);
  const [height, width] = [Math.max(1, Math.round(frame.height / scale)), Math.max(1, Math.round(frame.width / scale))];
  const data = resample(image, tapsOf("area", frame.height, height), tapsOf("area", frame.width, width), {
    part: frame,
  });
  const small = new Float32Array(height * width);
  for (let at = 0; at < small.length; at++) {
    const value = data[at * image.channels]!;
    small[at] = Number.isFinite(value) ? value : 0;
  }
  return { data: small, height, width };
}

/** The chest wall is where the breast is tall: its center of mass lies nearer to it than the middle of its box. */
function chestWallSide({ data, height, width }: Grid<Uint8Array>): "left" | "right" {
  let [sum, count, left, right] = [0, 0, width, 0];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      if (!data[i * width + j]) continue;
      sum += j + 0.5;
      count++;
      if (j < left) left = j;
      if (j >= right) right = j + 1;
    }
  }
  return sum / count <= left + (right - left) / 2 ? "left" : "right";
}

/**
 * Crops to the breast; an image without one stays as it is.
 *
 * @param options.margin kept round the breast where the image has it, as a share of the longer side of its box; default 0.02
 *
 * @example
 * ```ts
 * import { applyMap, cropToBreast, imageOf } from "mammolab/image";
 * import { assertAlmostEquals } from "@std/assert";
 * const film = imageOf(new Float32Array(300 * 200), { height: 300, width: 200 });
 * for (let k = 0; k < film.data.length; k++) {
 *   const [x, y] = [k % 200, Math.floor(k / 200)];
 *   if (Math.hypot(x / 120, (y - 150) / 100) < 1) film.data[k] = 0.5 + 0.1 * Math.sin(x) * Math.sin(y);
 * }
 * const { width, height, toSource } = cropToBreast({ margin: 0 })(film);
 * [width, height, ...applyMap(toSource, [0, 0])].forEach((found, k) => {
 *   assertAlmostEquals(found, [120, 200, 0, 50][k]!, 4);
 * });
 * ```
 */
export function cropToBreast({ margin = 0.02 }: { readonly margin?: number } = {}): (image: Image) => Image {
  return (image) => {
    const breast = locateBreast(image);
    return breast ? crop(image, withMargin(breast.box, margin, image)) : image;
  };
}

/** A box with a margin, inside the image. */
export function withMargin(box: Box, margin: number, { height, width }: Image): Box {
  const pixels = Math.round(margin * Math.max(box.height, box.width));
  const [left, top] = [Math.max(0, box.x - pixels), Math.max(0, box.y - pixels)];
  return {
    kind: "box",
    x: left,
    y: top,
    width: Math.min(width, box.x + box.width + pixels) - left,
    height: Math.min(height, box.y + box.height + pixels) - top,
  };
}

/**
 * Mirrors the image if need be, so that the nipple points to the left and the chest wall lies at the right; an image without
 * a breast stays as it is.
 *
 * @example
 * ```ts
 * import { faceLeft, imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const film = imageOf(new Float32Array(200 * 100), { height: 200, width: 100 });
 * for (let k = 0; k < film.data.length; k++) {
 *   const [x, y] = [k % 100, Math.floor(k / 100)];
 *   if (Math.hypot(x / 60, (y - 100) / 70) < 1) film.data[k] = 0.5 + 0.1 * Math.sin(x) * Math.sin(y);
 * }
 * assertEquals(faceLeft(film).toSource, [-1, 0, 100, 0, 1, 0]);
 * ```
 */
export function faceLeft(image: Image): Image {
  return locateBreast(image)?.side === "left" ? mirror(image) : image;
}
