import { createHash } from "node:crypto";
import { MammolabError } from "../base/mod.ts";
import { findBreast, withMargin } from "./breast.ts";
import { crop } from "./crop.ts";
import type { Image } from "./image.ts";
import { mirror } from "./mirror.ts";
import { type ResizeFilter, resizeTo } from "./resize.ts";

/** How a film is made ready for a network: plain JSON, kept with the network's weights. */
export type Preparation = {
  /** `breast` cuts the film to the breast with a margin of 2 % of its longer side. */
  readonly crop: "none" | "breast";
  /** `left` mirrors the film where needed, so that the nipple points to the left. */
  readonly face: "none" | "left";
  /** The size of the network's input; a padded film that faces left is put against the right edge, where its chest wall is. */
  readonly resize: {
    /** Pixels. */
    readonly height: number;
    /** Pixels. */
    readonly width: number;
    /** See `ResizeOptions`. */
    readonly filter: ResizeFilter;
    /** `stretch` fills the size, `pad` keeps the shape. */
    readonly fit: "stretch" | "pad";
  };
  /** `display` keeps the display values; percentiles (0 to 100) of the cut film's values become 0 and 1. */
  readonly range: "display" | { readonly percentiles: readonly [low: number, high: number] };
  /** Subtracted from each channel inside the network. */
  readonly mean: readonly number[];
  /** Divides each channel inside the network. */
  readonly std: readonly number[];
  /** 3 copies the grey image inside the network. */
  readonly channels: 1 | 3;
};

/**
 * Makes a film ready for a network: crop, face, range, resize. Mean, deviation and the copy to three channels are nodes of
 * the network's graph and are not done here.
 *
 * @param image one channel in 0..1
 * @returns `[resize.height, resize.width, 1]` in 0..1, `toSource` composed
 * @throws MammolabError when the image has more than one channel
 */
export function prepare(image: Image, preparation: Preparation): Image {
  if (image.channels !== 1) {
    throw new MammolabError(
      `Cannot prepare the image: it has ${image.channels} channels, a grey film has one; convert it to grey first`,
    );
  }
  const { resize, range, face } = preparation;
  const breast = preparation.crop === "breast" || face === "left" ? findBreast(image) : undefined;
  const cut = breast && preparation.crop === "breast" ? crop(image, withMargin(breast.box, 0.02, image)) : image;
  const facing = breast && face === "left" && breast.side === "left" ? mirror(cut) : cut;
  const ranged = range === "display" ? facing : stretchRange(facing, range.percentiles);
  const resized = resizeTo({ ...resize, align: face === "left" ? "right" : "center" })(ranged);
  // Bicubic weights are negative in places; NaN, which a broken file may hold, becomes 0.
  return { ...resized, data: resized.data.map((value) => value > 0 ? Math.min(value, 1) : 0) };
}

function stretchRange(image: Image, [low, high]: readonly [number, number]): Image {
  const sorted = image.data.slice().sort();
  const at = (percent: number) => sorted[Math.round((percent / 100) * (sorted.length - 1))]!;
  const [bottom, top] = [at(low), at(high)];
  return { ...image, data: image.data.map((value) => top > bottom ? (value - bottom) / (top - bottom) : value) };
}

/** Goes up when the same preparation would give other pixels, so that no cache hands out the old ones. */
const version = 1;

/** A name for a preparation, 16 hex digits: part of every cache key. The order of the fields does not matter. */
export function preparationHash(preparation: Preparation): string {
  return createHash("sha256").update(`preparation ${version} ${canonical(preparation)}`).digest("hex").slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, item) =>
      item && typeof item === "object" && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
        : item,
  );
}
