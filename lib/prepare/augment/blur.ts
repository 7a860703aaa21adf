import { MammolabError, type Random } from "../../base/mod.ts";
import type { Image } from "../../image/mod.ts";
import { type FactorParameters, sampleFactor } from "./light.ts";

/** Range of the deviation of {@linkcode blur}, in pixels. */
export type BlurOptions = { readonly low: number; readonly high: number };
/** Drawn by {@linkcode sampleBlur}. */
export type BlurParameters = { readonly sigma: number };

/** Draws a deviation in pixels. @throws MammolabError when the range is not above 0 */
export function sampleBlur({ low, high }: BlurOptions, random: Random): BlurParameters {
  if (!(low > 0 && high >= low)) {
    throw new MammolabError(`Cannot draw a blur from ${low} to ${high} pixels: give two deviations above 0`);
  }
  return { sigma: random.between(low, high) };
}

/**
 * Gaussian blur (torchvision `gaussian_blur`): kernel `exp(−t²/2σ²)`, normalized, of odd size up to 4 σ each side, border
 * mirrored without repeating the outermost pixel.
 */
export function blur(image: Image, { sigma }: BlurParameters): Image {
  const reach = Math.max(1, Math.ceil(4 * sigma));
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const sum = kernel.reduce((a, b) => a + b, 0);
  return { ...image, data: separable(image, kernel.map((k) => k / sum), reach) };
}

/** Rows, then columns; `mirrored[k]` is the pixel that stands for place k − reach. */
function separable({ data, height, width, channels }: Image, kernel: Float64Array, reach: number): Float32Array {
  const across = new Float32Array(data.length);
  const columns = mirrored(width, reach);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * data[(y * width + columns[x + k]!) * channels + c]!;
        across[(y * width + x) * channels + c] = sum;
      }
    }
  }
  const out = new Float32Array(data.length);
  const rows = mirrored(height, reach);
  const line = width * channels;
  const sums = new Float64Array(line);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < kernel.length; k++) {
      const [weight, from] = [kernel[k]!, rows[y + k]! * line];
      for (let i = 0; i < line; i++) sums[i]! += weight * across[from + i]!;
    }
    out.set(sums, y * line);
  }
  return out;
}

/** Places −reach … size − 1 + reach, mirrored into 0 … size − 1 without repeating the edge. */
function mirrored(size: number, reach: number): Int32Array {
  const period = Math.max(1, 2 * (size - 1));
  return Int32Array.from({ length: size + 2 * reach }, (_, i) => {
    const place = (((i - reach) % period) + period) % period;
    return place < size ? place : period - place;
  });
}

/** Draws for {@linkcode sharpness}. */
export const sampleSharpness: typeof sampleFactor = sampleFactor;

/**
 * Sharpens (factor above 1) or softens (below 1): `f x + (1 − f) B`, B the 3 × 3 mean with a center weight of 5/13, whose
 * outermost ring of pixels is x itself (torchvision `adjust_sharpness`). Images under 3 pixels wide or high stay as they are.
 */
export function sharpness(image: Image, { factor }: FactorParameters): Image {
  const { data: from, height, width, channels } = image;
  const data = from.slice();
  const line = width * channels;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * line + channels; i < (y + 1) * line - channels; i++) {
      const around = from[i - line - channels]! + from[i - line]! + from[i - line + channels]! + from[i - channels]! +
        from[i + channels]! + from[i + line - channels]! + from[i + line]! + from[i + line + channels]!;
      const value = factor * from[i]! + (1 - factor) * (around + 5 * from[i]!) / 13;
      data[i] = value < 0 ? 0 : value > 1 ? 1 : value;
    }
  }
  return { ...image, data };
}
