import { MammolabError, type Random } from "../../base/mod.ts";
import { crop, type Image, warp } from "../../image/mod.ts";

/** How much of the image a crop keeps. */
export type ResizedCropOptions = {
  /** Share of the image's area, drawn from [low, high] within (0, 1]. */
  readonly low: number;
  readonly high: number;
  /** How much wider or narrower than the image the crop may be: 1 (default) keeps the shape, 1.33 allows 1/1.33 to 1.33. */
  readonly stretch?: number;
};

/** Drawn by {@linkcode sampleResizedCrop}: the box that is kept, as shares of the image, so that it fits any size. */
export type ResizedCropParameters = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** Draws a box. @throws MammolabError when it would always be the whole image, or a share is outside (0, 1] */
export function sampleResizedCrop(
  { low, high, stretch = 1 }: ResizedCropOptions,
  random: Random,
): ResizedCropParameters {
  if (!(low > 0 && high >= low && high <= 1 && stretch >= 1) || low === 1) {
    throw new MammolabError(
      `Cannot draw a crop of ${low} to ${high} stretched by up to ${stretch}: give two shares of the image in (0, 1], not both 1, and a stretch of at least 1`,
    );
  }
  const side = Math.sqrt(random.between(low, high));
  const shape = Math.sqrt(random.logBetween(1 / stretch, stretch));
  const [width, height] = [Math.min(1, side * shape), Math.min(1, side / shape)];
  return { x: random.between(0, 1 - width), y: random.between(0, 1 - height), width, height };
}

/**
 * Cuts out a box of whole pixels and enlarges it to the size of the image (torchvision `resized_crop`, bilinear: nothing is
 * shrunk, so there is nothing to antialias). `toSource` is composed.
 */
export function resizedCrop(
  image: Image,
  { x, y, width, height }: ResizedCropParameters,
  into?: Float32Array,
): Image {
  const whole = (start: number, length: number, size: number): [number, number] => {
    const pixels = Math.min(size, Math.max(1, Math.round(length * size)));
    return [Math.min(size - pixels, Math.max(0, Math.round(start * size))), pixels];
  };
  const [left, wide] = whole(x, width, image.width);
  const [top, tall] = whole(y, height, image.height);
  const part = crop(image, { x: left, y: top, width: wide, height: tall });
  const enlarged = [wide / image.width, 0, 0, 0, tall / image.height, 0] as const;
  return warp(part, enlarged, { height: image.height, width: image.width, border: "edge", ...(into ? { into } : {}) });
}
