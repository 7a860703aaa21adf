import { MammolabError } from "../base/mod.ts";
import type { Image } from "./image.ts";

/**
 * Values below which given percentages of the others lie, linear between neighbors (as numpy.percentile); exact, without
 * sorting all of them. What is not a number does not count.
 *
 * @param percentages each in [0, 100]
 * @throws MammolabError when a percentage is outside [0, 100] or no value is a number
 *
 * @example
 * ```ts
 * import { percentilesOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(percentilesOf(Float32Array.of(4, 1, 3, 2), [0, 50, 100]), [1, 2.5, 4]);
 * ```
 */
export function percentilesOf(values: Float32Array, percentages: readonly number[]): number[] {
  const wrong = percentages.find((percent) => !(percent >= 0 && percent <= 100));
  if (wrong !== undefined) {
    throw new MammolabError(`Cannot take the percentile ${wrong}: it lies outside 0 to 100; choose one inside`);
  }
  let [low, high, count] = [Infinity, -Infinity, 0];
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    count++;
  }
  if (count === 0) {
    throw new MammolabError("Cannot take percentiles: none of the values is a number; check the file they come from");
  }
  if (low === high) return percentages.map(() => low);

  // Count in narrow bins, then sort only the bins that hold the ranks asked for.
  const bins = 4096;
  const binOf = (value: number) => Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
  const counts = new Uint32Array(bins + 1);
  for (let at = 0; at < values.length; at++) if (Number.isFinite(values[at]!)) counts[binOf(values[at]!) + 1]!++;
  for (let bin = 0; bin < bins; bin++) counts[bin + 1] = counts[bin + 1]! + counts[bin]!;
  const sorted = new Map<number, Float32Array>();
  const ranked = (rank: number) => {
    const bin = counts.findLastIndex((before, k) => before <= rank && k < bins);
    if (!sorted.has(bin)) sorted.set(bin, values.filter((v) => Number.isFinite(v) && binOf(v) === bin).sort());
    return sorted.get(bin)![rank - counts[bin]!]!;
  };
  return percentages.map((percent) => {
    const rank = (percent / 100) * (count - 1);
    const below = Math.floor(rank);
    const value = ranked(below);
    return rank === below ? value : value + (rank - below) * (ranked(below + 1) - value);
  });
}

/**
 * Stretches the values so that two percentiles of the image become 0 and 1; what lies beyond is cut off. A flat image stays
 * as it is.
 *
 * @param options.percentiles default the 1st and the 99th
 * @throws MammolabError when they do not rise, within 0 to 100
 *
 * @example
 * ```ts
 * import { imageOf, stretchRange } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.of(0.2, 0.3, 0.4), { height: 1, width: 3 });
 * assertEquals(stretchRange({ percentiles: [0, 100] })(image).data.map((value) => Math.round(2 * value) / 2), Float32Array.of(0, 0.5, 1));
 * ```
 */
export function stretchRange(
  { percentiles = [1, 99] }: { readonly percentiles?: readonly [low: number, high: number] } = {},
): (image: Image) => Image {
  const [least, most] = percentiles;
  if (!(least >= 0 && least < most && most <= 100)) {
    throw new MammolabError(
      `Cannot stretch the percentiles ${least} to ${most}: they rise within 0 to 100; give the lower one first`,
    );
  }
  return (image) => {
    const [low, high] = percentilesOf(image.data, percentiles) as [number, number];
    if (!(high > low)) return image;
    return { ...image, data: image.data.map((value) => Math.min(Math.max((value - low) / (high - low), 0), 1)) };
  };
}

/** Mean and deviation of each channel over all pixels of many images. */
export type PixelStatistics = {
  /** One a channel. */
  readonly mean: readonly number[];
  /** One a channel, with divisor n. */
  readonly std: readonly number[];
  /** How many images were read. */
  readonly images: number;
};

/**
 * The `mean` and `std` of a `Preparation`, from the prepared images of a training side. Never give it validation or test images:
 * what is fitted on them makes their results too good.
 *
 * @param images read once, one after the other
 * @throws MammolabError when there is no image, or the numbers of channels differ
 *
 * @example
 * ```ts
 * import { imageOf, pixelStatistics } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const { mean, std } = await pixelStatistics([imageOf(Float32Array.of(0, 1), { height: 1, width: 2 })]);
 * assertEquals([mean, std], [[0.5], [0.5]]);
 * ```
 */
export async function pixelStatistics(images: Iterable<Image> | AsyncIterable<Image>): Promise<PixelStatistics> {
  let [count, pixels] = [0, 0];
  let mean: number[] | undefined;
  let squares: number[] = [];
  for await (const { data, channels } of images) {
    mean ??= new Array<number>(channels).fill(0);
    if (count++ === 0) squares = new Array<number>(channels).fill(0);
    if (mean.length !== channels) {
      throw new MammolabError(
        `Cannot take the mean of the images: image ${count} has ${channels} channels, the first has ${mean.length}; prepare them all in the same way`,
      );
    }
    // Each image's own mean and sum of squares, then Chan, Golub & LeVeque 1979: no loss over millions of pixels.
    const n = data.length / channels;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let at = channel; at < data.length; at += channels) sum += data[at]!;
      const own = sum / n;
      let around = 0;
      for (let at = channel; at < data.length; at += channels) around += (data[at]! - own) ** 2;
      const shift = own - mean[channel]!;
      squares[channel] = squares[channel]! + around + (shift * shift * n * pixels) / (n + pixels);
      mean[channel] = mean[channel]! + (shift * n) / (n + pixels);
    }
    pixels += n;
  }
  if (!mean) {
    throw new MammolabError("Cannot take the mean of the images: there is none; give at least one training image");
  }
  return { mean, std: squares.map((sum) => Math.sqrt(sum / pixels)), images: count };
}
