import { MammolabError, type Random } from "../../base/mod.ts";
import type { Image } from "../../image/mod.ts";
import { changed, forEachChunk } from "./_kernel.ts";
import { greyWeights } from "./color.ts";

/** A factor is drawn from `[max(0, 1 − strength), 1 + strength]`, as torchvision's ColorJitter draws it. */
export type FactorOptions = { readonly strength: number };

/** Drawn by `sampleBrightness`, `sampleContrast`, `sampleSaturation`, `sampleSharpness`; 1 changes nothing. */
export type FactorParameters = { readonly factor: number };

/** Draws a factor around 1. @throws MammolabError when the strength is not above 0: nothing would happen */
export function sampleFactor({ strength }: FactorOptions, random: Random): FactorParameters {
  if (!(strength > 0 && Number.isFinite(strength))) {
    throw new MammolabError(
      `Cannot draw an augmentation of strength ${strength}: it would change nothing; give a number above 0`,
    );
  }
  return { factor: random.between(Math.max(0, 1 - strength), 1 + strength) };
}

/** Draws for {@linkcode brightness}. */
export const sampleBrightness: typeof sampleFactor = sampleFactor;
/** Draws for {@linkcode contrast}. */
export const sampleContrast: typeof sampleFactor = sampleFactor;

/**
 * Multiplies all values: `f x`, cut to 0..1 (torchvision `adjust_brightness`).
 *
 * @example
 * ```ts
 * import { imageOf } from "mammolab/image";
 * import { brightness } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(Float32Array.of(0.25, 0.75), { height: 1, width: 2 });
 * assertEquals([...brightness(image, { factor: 2 }).data], [0.5, 1]);
 * ```
 */
export function brightness(image: Image, { factor }: FactorParameters, into?: Float32Array): Image {
  return { ...image, data: blended(image.data, factor, 0, into) };
}

/** Moves all values away from or towards the mean grey: `f x + (1 − f) mean(L)`, cut to 0..1 (torchvision `adjust_contrast`). */
export function contrast(image: Image, { factor }: FactorParameters, into?: Float32Array): Image {
  const [r, g, b] = image.channels === 3 ? greyWeights : [1, 1, 1];
  let sum = 0;
  forEachChunk(image.data, (kernel, from, to) => sum += kernel.sum(from, to, r, g, b));
  const mean = sum / (image.channels === 3 ? image.height * image.width : image.data.length);
  return { ...image, data: blended(image.data, factor, (1 - factor) * mean, into) };
}

/** Range of the exponent of {@linkcode gamma}. */
export type GammaOptions = { readonly low: number; readonly high: number };
/** Drawn by {@linkcode sampleGamma}. */
export type GammaParameters = { readonly gamma: number };

/** Draws an exponent, log-uniform. @throws MammolabError when the range is empty or holds 1 alone */
export function sampleGamma({ low, high }: GammaOptions, random: Random): GammaParameters {
  if (!(low > 0 && high >= low) || (low === 1 && high === 1)) {
    throw new MammolabError(`Cannot draw a gamma from ${low} to ${high}: give two exponents above 0, not both 1`);
  }
  return { gamma: random.logBetween(low, high) };
}

/** Raises all values to a power: `x^γ` (torchvision `adjust_gamma`); above 1 darkens the middle. */
export function gamma(image: Image, { gamma }: GammaParameters): Image {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(1, Math.max(0, image.data[i]!) ** gamma);
  return { ...image, data };
}

/** `a x + b`, cut to 0..1. */
function blended(from: Float32Array, a: number, b: number, into?: Float32Array): Float32Array {
  return changed(from, (kernel, start, end) => kernel.blend(start, end, a, b), into);
}
