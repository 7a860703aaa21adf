import type { Point } from "./image.ts";

/** A part of an image: a lesion, a breast, a crop. Coordinates are pixels, as at `Image`. */
export type Region = Circle | Box | Polygon | Mask;

/** All points nearer to the centre than the radius. */
export type Circle = { readonly kind: "circle"; readonly x: number; readonly y: number; readonly radius: number };

/** `[x, x + width) × [y, y + height)`. */
export type Box = {
  readonly kind: "box";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** The inside of a closed outline; the last point is joined to the first. */
export type Polygon = { readonly kind: "polygon"; readonly points: readonly Point[] };

/** One byte a pixel, 0 outside and 1 inside, laid over the image from (x, y). */
export type Mask = {
  readonly kind: "mask";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** `[height, width]` */
  readonly data: Uint8Array;
};
