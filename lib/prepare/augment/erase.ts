import { MammolabError, type Random } from "../../base/mod.ts";
import type { Image } from "../../image/mod.ts";

/** How many squares are cut out, and how large they are. */
export type CutoutOptions = {
  readonly count?: number;
  /** Side of a square as a share of the shorter side of the image, drawn from [low, high] within (0, 1]. */
  readonly low: number;
  readonly high: number;
};

/** Drawn by {@linkcode sampleCutout}: centers and sides as shares of the image, so that they fit any size. */
export type CutoutParameters = {
  readonly squares: readonly { readonly x: number; readonly y: number; readonly side: number }[];
};

/** Draws squares. @throws MammolabError when nothing would be cut */
export function sampleCutout({ count = 1, low, high }: CutoutOptions, random: Random): CutoutParameters {
  if (!(low > 0 && high >= low && high <= 1) || !(Number.isSafeInteger(count) && count > 0)) {
    throw new MammolabError(
      `Cannot draw ${count} cutouts of ${low} to ${high}: give a count above 0 and two shares of the image in (0, 1]`,
    );
  }
  return {
    squares: Array.from({ length: count }, () => ({
      x: random.uniform(),
      y: random.uniform(),
      side: random.between(low, high),
    })),
  };
}

/** Sets squares to 0, the value of the background (DeVries & Taylor 2017; their fill is the mean, ours the film's black). */
export function cutout(image: Image, { squares }: CutoutParameters): Image {
  const { height, width, channels } = image;
  const data = image.data.slice();
  for (const { x, y, side } of squares) {
    const half = (side * Math.min(height, width)) / 2;
    const from = (middle: number) => Math.max(0, Math.round(middle - half));
    const to = (middle: number, size: number) => Math.min(size, Math.round(middle + half));
    for (let row = from(y * height); row < to(y * height, height); row++) {
      data.fill(0, (row * width + from(x * width)) * channels, (row * width + to(x * width, width)) * channels);
    }
  }
  return { ...image, data };
}
