import { largestContour } from "./_outline.ts";
import { blur, dilate, erode, fillHoles, type Grid, labelComponents } from "./_grid.ts";
import { crop } from "./crop.ts";
import type { Image } from "./image.ts";
import { mirror } from "./mirror.ts";
import { boundingBox, type Box, type Mask, type Polygon, rasterize } from "./region.ts";
import { resizeTo } from "./resize.ts";

/** The breast on a film, the pectoral muscle included; all in pixels of the image that was searched. */
export type Breast = {
  /** Its smooth outline. */
  readonly outline: Polygon;
  /** The pixels inside the outline. */
  readonly mask: Mask;
  /** Whole pixels round the outline, inside the image. */
  readonly box: Box;
  /** The side of the image on which the chest wall lies; the nipple points to the other one. */
  readonly side: "left" | "right";
};

/** Longest side of the small picture on which the breast is sought. */
const workingSize = 256;

/**
 * Finds the breast on a film: a threshold between background and tissue on a small copy, the largest part of it with its
 * holes filled, a smooth outline.
 *
 * @param image one channel, white is dense
 * @returns nothing where the film shows no breast: a blank film, or one without a darker background
 */
export function findBreast(image: Image): Breast | undefined {
  const scale = Math.max(1, Math.max(image.height, image.width) / workingSize);
  const small = {
    ...resizeTo({
      height: Math.max(1, Math.round(image.height / scale)),
      width: Math.max(1, Math.round(image.width / scale)),
    })(image),
  };
  const tissue = largestPart(aboveBackground(small));
  if (!tissue) return undefined;
  const points = largestContour(blur(tissue, 2), 0.5);
  if (points.length < 3) return undefined;

  const [right, down] = [image.width / small.width, image.height / small.height];
  const outline: Polygon = { kind: "polygon", points: points.map(([x, y]) => [x * right, y * down]) };
  const exact = boundingBox(outline);
  const [left, top] = [Math.floor(exact.x), Math.floor(exact.y)];
  const box: Box = {
    kind: "box",
    x: left,
    y: top,
    width: Math.min(Math.ceil(exact.x + exact.width), image.width) - left,
    height: Math.min(Math.ceil(exact.y + exact.height), image.height) - top,
  };
  const shifted: Polygon = { kind: "polygon", points: outline.points.map(([x, y]) => [x - left, y - top]) };
  return { outline, mask: { ...box, kind: "mask", data: rasterize(shifted, box) }, box, side: chestWallSide(tissue) };
}

/** Tissue is brighter than a fifth of the way from the background to Otsu's threshold: the skin is far darker than the gland. */
function aboveBackground({ data, height, width }: Grid): Grid<Uint8Array> {
  const otsu = otsuThreshold(data);
  const background = median(data.filter((value) => value < otsu));
  const low = background + 0.2 * (otsu - background);
  return { data: Uint8Array.from(data, (value) => value > low ? 1 : 0), height, width };
}

/** The threshold that best parts values into two groups (Otsu 1979), from 256 bins. */
function otsuThreshold(values: Float32Array): number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const bins = new Float64Array(256);
  for (const value of values) bins[Math.min(255, Math.floor(((value - low) / (high - low)) * 256))]!++;
  const total = bins.reduce((sum, count, k) => sum + count * k, 0);
  let [best, at, count, sum] = [-1, 0, 0, 0];
  for (let k = 0; k < 255; k++) {
    count += bins[k]!;
    sum += bins[k]! * k;
    const other = values.length - count;
    if (count === 0 || other === 0) continue;
    const between = count * other * (sum / count - (total - sum) / other) ** 2;
    if (between > best) [best, at] = [between, k + 1];
  }
  return low + (at / 256) * (high - low);
}

function median(values: Float32Array): number {
  return values.slice().sort()[values.length >> 1] ?? 0;
}

/** The largest part of the mask, cut loose from thin things that touch it, with its holes filled. */
function largestPart(mask: Grid<Uint8Array>): Grid<Uint8Array> | undefined {
  const radius = 3;
  const { labels, components } = labelComponents(erode(mask, radius));
  if (components.length === 0) return undefined;
  const largest = components.reduce((a, b) => b.size > a.size ? b : a);
  const core = { ...mask, data: Uint8Array.from(labels, (label) => label === largest.label ? 1 : 0) };
  const grown = dilate(core, radius);
  return fillHoles({ ...mask, data: grown.data.map((value, at) => value & mask.data[at]!) });
}

/** The chest wall is where the breast is tall: its center of mass lies nearer to it than the middle of its box. */
function chestWallSide({ data, height, width }: Grid<Uint8Array>): "left" | "right" {
  const box = boundingBox({ kind: "mask", x: 0, y: 0, height, width, data: data as Uint8Array });
  let [sum, count] = [0, 0];
  for (let at = 0; at < data.length; at++) {
    if (!data[at]) continue;
    sum += at % width + 0.5;
    count++;
  }
  return sum / count <= box.x + box.width / 2 ? "left" : "right";
}

/**
 * Crops to the breast; an image without one stays as it is.
 *
 * @param options.margin kept round the breast, as a share of the longer side of its box; default 0.02
 */
export function cropToBreast({ margin = 0.02 }: { readonly margin?: number } = {}): (image: Image) => Image {
  return (image) => {
    const breast = findBreast(image);
    return breast ? crop(image, withMargin(breast.box, margin, image)) : image;
  };
}

/** The box with a margin, inside the image. */
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

/** Mirrors the image if need be, so that the nipple points to the left and the chest wall lies at the right. */
export function faceLeft(image: Image): Image {
  return findBreast(image)?.side === "left" ? mirror(image) : image;
}
