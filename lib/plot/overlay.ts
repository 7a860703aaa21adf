import { MammolabError } from "../base/mod.ts";
import { peakOf, type Relevance, relevanceOnFilm } from "../explain/mod.ts";
import {
  type Affine,
  applyMap,
  compose,
  type Image,
  invert,
  isAffine,
  moveRegion,
  rasterize,
  type Region,
} from "../image/mod.ts";
import { black, type Color, drawRing, type Picture, white } from "./_canvas.ts";
import { encodePng, type Mammogram } from "../io/mod.ts";
import { colorMap, type ColorMapName } from "./colors.ts";

/** How relevance is laid over a film. */
export type OverlayOptions = {
  /** Default `magma`. */
  readonly colors?: ColorMapName;
  /** How much of the film the highest relevance covers, in 0..1; lower relevance covers less. Default 0.6. */
  readonly opacity?: number;
  /** Regions to outline, in source pixels: lesions. */
  readonly outlines?: readonly Region[];
  /** Rings around the peak; default true. */
  readonly peak?: boolean;
};

/** The color of outlines: far from all colors of `magma`, also for color-blind readers. */
const outlineColor: Color = [0, 229, 255];

/**
 * The film in grey with relevance over it in color, pixel for pixel in the size of the stored frame, so that a point of the
 * picture is a point of the film. Color and cover grow with relevance, from the lowest token on the film to the highest.
 *
 * @returns an 8-bit RGB PNG of the film's height and width
 * @throws MammolabError when the map does not lie on the film
 *
 * @example
 * ```ts
 * import { overlay } from "mammolab/plot";
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const film = imageOf(new Float32Array(64), { height: 8, width: 8 });
 * const relevance = { data: Float32Array.of(1, 5, 3, 2), height: 2, width: 2, toSource: [4, 0, 0, 0, 4, 0], method: "" } as const;
 * const png = await overlay({ image: film }, relevance);
 * assertEquals([...png.slice(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
 * ```
 */
export function overlay(
  { image }: Pick<Mammogram, "image">,
  relevance: Relevance,
  options: OverlayOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { data, height, width } = overlayPicture(image, relevance, options);
  return Promise.resolve(encodePng(data, { height, width, channels: 3 }));
}

/** The lowest and the highest relevance of the tokens on the film, and where the highest is. */
export function relevanceRange(relevance: Relevance, film: Image): { low: number; high: number; x: number; y: number } {
  const { x, y, value } = peakOf(relevance, film);
  const low = -peakOf({ ...relevance, data: relevance.data.map((number) => -number) }, film).value;
  return { low, high: value, x, y };
}

/**
 * The overlay as a picture of the film's size.
 *
 * @param film the film, or any image made from it whose `toSource` is affine: smaller, cropped, mirrored
 * @param range the numbers at both ends of the colors; default those of the map
 */
export function overlayPicture(
  film: Image,
  relevance: Relevance,
  { colors = "magma", opacity = 0.6, outlines = [], peak = true }: OverlayOptions = {},
  range?: { readonly low: number; readonly high: number },
): Picture {
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new MammolabError(
      `Cannot draw an overlay of opacity ${opacity}: it is a share of 0 to 1; choose one between`,
    );
  }
  const { height, width } = film;
  const toPicture = fromSource(film);
  const placed = movedTo(relevance, toPicture);
  const found = relevanceRange(placed, film);
  const { low, high } = range ?? found;
  const span = high - low;
  // Shares of the range, so that pixels which the network did not see read 0: no cover
  const shares = relevance.data.map((value) => span > 0 && value > low ? Math.min(1, (value - low) / span) : 0);
  const cover = relevanceOnFilm({ ...placed, data: shares }, film);

  const map = colorMap(colors);
  const data = new Uint8Array(height * width * 3);
  for (let at = 0; at < cover.length; at++) {
    const grey = greyOf(film.data[at * film.channels]!);
    const share = cover[at]!;
    const alpha = opacity * share;
    const color = Math.round(share * 255) * 3;
    for (let k = 0; k < 3; k++) data[at * 3 + k] = grey * (1 - alpha) + map[color + k]! * alpha + 0.5;
  }
  const picture = { data, height, width };
  const thickness = lineWidth(picture);
  for (const region of outlines) drawOutline(picture, moveRegion(region, toPicture));
  if (peak && found.high > found.low) { // a map that is equal everywhere has no peak
    const radius = Math.max(6, Math.min(height, width) * 0.04);
    drawRing(picture, found.x, found.y, radius, thickness + 2, black);
    drawRing(picture, found.x, found.y, radius, thickness, white);
  }
  return picture;
}

const lineWidth = ({ height, width }: Picture) => Math.max(2, Math.round(Math.min(height, width) / 200));

/** The film alone, in grey. */
export function filmPicture({ data: values, height, width, channels }: Image): Picture {
  const data = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) data.fill(greyOf(values[at * channels]!), at * 3, at * 3 + 3);
  return { data, height, width };
}

/** 0..1 → 0..255, NaN black. */
export function greyOf(value: number): number {
  return value > 0 ? Math.min(255, Math.round(value * 255)) : 0;
}

/** Source pixels → pixels of an image that was made from the film. */
export function fromSource({ toSource }: Image): Affine {
  if (isAffine(toSource)) return invert(toSource);
  throw new MammolabError(
    "Cannot draw on a bent image: its pixels do not lie in rows on the film; give the mammogram itself",
  );
}

/** A map or region of the film, as it lies on an image that was made from it. */
export function movedTo(relevance: Relevance, map: Affine): Relevance {
  const { toSource } = relevance;
  if (isAffine(toSource)) return { ...relevance, toSource: compose(map, toSource) };
  const points = Array.from(toSource.x, (x, at) => applyMap(map, [x, toSource.y[at]!]));
  const [x, y] = [0, 1].map((axis) => Float32Array.from(points, (point) => point[axis]!)) as [
    Float32Array,
    Float32Array,
  ];
  return { ...relevance, toSource: { ...toSource, x, y } };
}

/** A line along the inner side of a region's edge. */
export function drawOutline(picture: Picture, region: Region): void {
  const { height, width, data } = picture;
  const thickness = lineWidth(picture);
  const inside = rasterize(region, picture);
  const holds = (i: number, j: number) => i >= 0 && j >= 0 && i < height && j < width && inside[i * width + j] === 1;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      if (!holds(i, j) || (holds(i - 1, j) && holds(i + 1, j) && holds(i, j - 1) && holds(i, j + 1))) continue;
      for (let di = 1 - thickness; di < thickness; di++) {
        for (let dj = 1 - thickness; dj < thickness; dj++) {
          if (di * di + dj * dj < thickness * thickness && holds(i + di, j + dj)) {
            data.set(outlineColor, ((i + di) * width + j + dj) * 3);
          }
        }
      }
    }
  }
}
