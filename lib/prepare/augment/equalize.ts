import { MammolabError, type Random } from "../../base/mod.ts";
import { clahe, type Image } from "../../image/mod.ts";

/** How strong local equalization may become; see `ClaheOptions` of the image room. */
export type EqualizeOptions = {
  /** Clip limit, drawn log-uniform from [low, high], above 0. */
  readonly low: number;
  readonly high: number;
  /** Tiles along each side; default 8. */
  readonly tiles?: number;
};

/** Drawn by {@linkcode sampleEqualize}. */
export type EqualizeParameters = { readonly clip: number; readonly tiles: number };

/** Draws a clip limit. @throws MammolabError when the range is empty or not above 0, or the tiles are no whole number from 1 */
export function sampleEqualize({ low, high, tiles = 8 }: EqualizeOptions, random: Random): EqualizeParameters {
  if (!(low > 0 && high >= low && Number.isFinite(high) && Number.isSafeInteger(tiles) && tiles > 0)) {
    throw new MammolabError(
      `Cannot draw an equalization with clip limits from ${low} to ${high} in ${tiles} tiles: give two limits above 0 and a whole number of tiles`,
    );
  }
  return { clip: random.logBetween(low, high), tiles };
}

/**
 * Contrast-limited local equalization of a grey image (OpenCV's CLAHE, in floats).
 *
 * @throws MammolabError when the image has several channels or fewer pixels along a side than tiles
 */
export function equalize(image: Image, parameters: EqualizeParameters): Image {
  return clahe(parameters)(image);
}
