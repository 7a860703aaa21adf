import { MammolabError, type Random } from "../../base/mod.ts";
import { type Image } from "../../image/mod.ts";
import { changed } from "./_kernel.ts";
import { type FactorParameters, sampleFactor } from "./light.ts";

/** Red, green and blue in the grey of a pixel: torchvision's weights (ITU-R BT.601, red 0.2989, not 0.299). */
export const greyWeights = [0.2989, 0.587, 0.114] as const;

/**
 * Grey → three channels by the "hot" scale: red rises first, then green, then blue. Saturation and color mean nothing on
 * grey; on a pseudo-colored film, saturation pulls the scale towards grey and color turns its hues, while the order of
 * luminances is nearly kept.
 *
 * @throws MammolabError when the image is not grey
 *
 * @example
 * ```ts
 * import { imageOf } from "mammolab/image";
 * import { pseudoColor } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const grey = imageOf(Float32Array.of(0, 0.5, 1), { height: 1, width: 3 });
 * assertEquals([...pseudoColor(grey).data], [0, 0, 0, 1, 0.5, 0, 1, 1, 1]);
 * ```
 */
export function pseudoColor(image: Image): Image {
  if (image.channels !== 1) {
    throw new MammolabError(
      `Cannot color an image of ${image.channels} channels: pseudo-color is for grey; leave this step out`,
    );
  }
  const pixels = image.data.length;
  const data = new Float32Array(3 * pixels);
  for (let p = 0; p < pixels; p++) {
    const rise = 3 * image.data[p]!;
    data[3 * p] = rise < 0 ? 0 : rise > 1 ? 1 : rise;
    data[3 * p + 1] = rise < 1 ? 0 : rise > 2 ? 1 : rise - 1;
    data[3 * p + 2] = rise < 2 ? 0 : rise > 3 ? 1 : rise - 2;
  }
  return { ...image, channels: 3, data };
}

/** Draws for {@linkcode saturation}. */
export const sampleSaturation: typeof sampleFactor = sampleFactor;

/**
 * Moves each pixel away from or towards its own grey: `f x + (1 − f) L`, cut to 0..1 (torchvision `adjust_saturation`).
 * A grey image is pseudo-colored first and comes back with three channels.
 */
export function saturation(image: Image, { factor }: FactorParameters, into?: Float32Array): Image {
  const colored = asColor(image);
  const data = changed(colored.data, (kernel, from, to) => kernel.saturate(from, to, factor, ...greyWeights), into);
  return { ...colored, data };
}

/** The largest turn of the hue, as a share of the circle in (0, 0.5]. */
export type ColorOptions = { readonly strength: number };
/** Drawn by {@linkcode sampleColor}: the turn of the hue in [−0.5, 0.5]. */
export type ColorParameters = { readonly turn: number };

/** Draws a turn of the hue. @throws MammolabError when the strength is not in (0, 0.5] */
export function sampleColor({ strength }: ColorOptions, random: Random): ColorParameters {
  if (!(strength > 0 && strength <= 0.5)) {
    throw new MammolabError(
      `Cannot draw a color change of strength ${strength}: give a share of the circle above 0, at most 0.5`,
    );
  }
  return { turn: random.between(-strength, strength) };
}

/**
 * Turns all hues (torchvision `adjust_hue`): HSV with the sector of the largest channel (red before green before blue),
 * `H + turn mod 1`, and back. A grey image is pseudo-colored first and comes back with three channels.
 */
export function color(image: Image, { turn }: ColorParameters, into?: Float32Array): Image {
  const colored = asColor(image);
  return { ...colored, data: changed(colored.data, (kernel, from, to) => kernel.turnHue(from, to, 6 * turn), into) };
}

function asColor(image: Image): Image {
  return image.channels === 3 ? image : pseudoColor(image);
}
