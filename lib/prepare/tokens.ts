import { MammolabError } from "../base/mod.ts";
import {
  area,
  boundingBox,
  identity,
  type Image,
  inverseOf,
  maskOf,
  type Point,
  type Region,
  type Size,
} from "../image/mod.ts";

/** How much of a grid of tokens a lesion takes. */
export type TokenCover = {
  /** Its area in tokens: 0.35 is a third of one. */
  readonly tokens: number;
  /** Tokens that show some of it. */
  readonly touched: number;
};

/** A lesion in tokens of the film as stored, and of the image that a network is given. */
export type LesionTokens = { readonly before: TokenCover; readonly after: TokenCover };

/**
 * How many tokens a lesion covers before and after a film is cropped and resized: a mass of 10 mm is under one token of a
 * mammogram at 224 × 224, and whatever a network says of it, it says of that one token.
 *
 * @param lesion in pixels of the film
 * @param prepared the image that the network is given, or its size and place alone; what was cut off does not count
 * @param options.patchSize pixels of the sides of a token; default 16
 * @throws MammolabError when the region is empty or the patch no whole number above 0
 *
 * @example A mass of 10 mm on a film of 0.1 mm pixels, stretched to 224 × 224
 * ```ts
 * import { tokensPerLesion } from "mammolab/prepare";
 * import { assertAlmostEquals } from "@std/assert";
 * const mass = { kind: "circle", x: 900, y: 1200, radius: 50 } as const;
 * const toSource = [1914 / 224, 0, 0, 0, 2294 / 224, 0] as const;
 * const { before, after } = tokensPerLesion(mass, { height: 224, width: 224, toSource });
 * assertAlmostEquals(before.tokens, 30.7, 0.1);
 * assertAlmostEquals(after.tokens, 0.35, 0.005);
 * ```
 */
export function tokensPerLesion(
  lesion: Region,
  prepared: Size & Pick<Image, "toSource">,
  { patchSize = 16 }: { readonly patchSize?: number } = {},
): LesionTokens {
  if (!(Number.isSafeInteger(patchSize) && patchSize > 0)) {
    throw new MammolabError(`Cannot count tokens of ${patchSize} pixels: the size is a whole number above 0`);
  }
  const pixels = pixelsOf(lesion);
  return {
    before: cover(pixels, { toSource: identity, height: Infinity, width: Infinity }, patchSize),
    after: cover(pixels, prepared, patchSize),
  };
}

/** The centers of the film's pixels that a region covers, and the area that each stands for. */
type Pixels = { readonly points: readonly Point[]; readonly share: number };

function pixelsOf(region: Region): Pixels {
  const { x: left, y: top, width, data } = maskOf(region);
  const points: Point[] = [];
  for (let at = data.indexOf(1); at >= 0; at = data.indexOf(1, at + 1)) {
    points.push([left + at % width + 0.5, top + Math.floor(at / width) + 0.5]);
  }
  if (points.length === 0) { // a calcification may be smaller than a pixel and miss all their centers
    const { x, y, width, height } = boundingBox(region);
    points.push([x + width / 2, y + height / 2]);
  }
  return { points, share: area(region) / points.length };
}

function cover(
  { points, share }: Pixels,
  { toSource, height, width }: Size & Pick<Image, "toSource">,
  patchSize: number,
): TokenCover {
  const back = inverseOf(toSource);
  const touched = new Set<string>();
  let sum = 0;
  for (const [x, y] of points) {
    const [u, v] = back([x, y]);
    if (!(u >= 0 && v >= 0 && u < width && v < height)) continue;
    const [[a, b], [c, d]] = [back([x + 0.5, y]), back([x, y + 0.5])];
    sum += share * 4 * Math.abs((a - u) * (d - v) - (b - v) * (c - u));
    touched.add(`${Math.floor(u / patchSize)} ${Math.floor(v / patchSize)}`);
  }
  return { tokens: sum / patchSize ** 2, touched: touched.size };
}
