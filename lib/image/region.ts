import { MammolabError } from "../base/mod.ts";
import { signedArea } from "./_outline.ts";
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

/** Height and width of a picture. */
export type Size = { readonly height: number; readonly width: number };

/**
 * Whether a point lies in a region; edges follow the pixel rule: left and top belong to it, right and bottom do not.
 *
 * @example
 * ```ts
 * import { contains } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const box = { kind: "box", x: 1, y: 1, width: 2, height: 2 } as const;
 * assertEquals([contains(box, [1, 1]), contains(box, [3, 1])], [true, false]);
 * ```
 */
export function contains(region: Region, [x, y]: Point): boolean {
  switch (region.kind) {
    case "circle":
      return Math.hypot(x - region.x, y - region.y) < region.radius;
    case "box":
      return x >= region.x && y >= region.y && x < region.x + region.width && y < region.y + region.height;
    case "polygon":
      return crossings(region.points, y).filter((edge) => edge <= x).length % 2 === 1;
    case "mask": {
      const [column, row] = [Math.floor(x - region.x), Math.floor(y - region.y)];
      const within = column >= 0 && row >= 0 && column < region.width && row < region.height;
      return within && region.data[row * region.width + column] === 1;
    }
  }
}

/**
 * The pixels whose centers lie in a region.
 *
 * @returns `[height, width]`, 0 outside and 1 inside; what lies beyond the picture is left out
 *
 * @example
 * ```ts
 * import { rasterize } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const circle = { kind: "circle", x: 1.5, y: 1.5, radius: 1.2 } as const;
 * assertEquals([...rasterize(circle, { height: 3, width: 3 })], [0, 1, 0, 1, 1, 1, 0, 1, 0]);
 * ```
 */
export function rasterize(region: Region, { height, width }: Size): Uint8Array {
  const out = new Uint8Array(height * width);
  const pixel = (x: number, most: number) => Math.min(Math.max(Math.ceil(x - 0.5), 0), most);
  const fill = (row: number, left: number, right: number) => {
    const [from, to] = [pixel(left, width), pixel(right, width)];
    if (to > from) out.fill(1, row * width + from, row * width + to);
  };
  const { y, height: tall } = boundingBox(region);
  const rowCrossings = region.kind === "polygon" ? crossingsByRow(region.points, height) : undefined;
  for (let row = pixel(y, height); row < pixel(y + tall, height); row++) {
    const middle = row + 0.5;
    switch (region.kind) {
      case "circle": {
        const half = Math.sqrt(Math.max(0, region.radius ** 2 - (middle - region.y) ** 2));
        fill(row, region.x - half, region.x + half);
        break;
      }
      case "box":
        fill(row, region.x, region.x + region.width);
        break;
      case "polygon": {
        const edges = rowCrossings![row]!.sort((a, b) => a - b);
        for (let k = 0; k + 1 < edges.length; k += 2) fill(row, edges[k]!, edges[k + 1]!);
        break;
      }
      case "mask": {
        // The middle of a pixel lies in the mask's pixel so many rows and columns further.
        const [down, along] = [Math.floor(0.5 - region.y), Math.floor(0.5 - region.x)];
        const from = Math.max(0, -along);
        const to = Math.min(width, region.width - along);
        const own = (row + down) * region.width + along;
        for (let column = from; column < to; column++) {
          if (region.data[own + column] === 1) out[row * width + column] = 1;
        }
      }
    }
  }
  return out;
}

/** For each row of a picture, where its middle crosses the outline: each edge is followed once. */
function crossingsByRow(points: readonly Point[], height: number): number[][] {
  const rows = Array.from({ length: height }, (): number[] => []);
  let [x1, y1] = points.at(-1) ?? [0, 0];
  for (const [x2, y2] of points) {
    // Rows whose middle m has min(y1, y2) <= m < max(y1, y2).
    const first = Math.max(0, Math.ceil(Math.min(y1, y2) - 0.5));
    const end = Math.min(height, Math.ceil(Math.max(y1, y2) - 0.5));
    for (let row = first; row < end; row++) rows[row]!.push(x1 + ((row + 0.5 - y1) / (y2 - y1)) * (x2 - x1));
    [x1, y1] = [x2, y2];
  }
  return rows;
}

/** Where a horizontal line crosses the outline, from left to right; even-odd rule. */
function crossings(points: readonly Point[], y: number): number[] {
  const found: number[] = [];
  let [x1, y1] = points.at(-1) ?? [0, 0];
  for (const [x2, y2] of points) {
    if (y1 <= y !== y2 <= y) found.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    [x1, y1] = [x2, y2];
  }
  return found.sort((a, b) => a - b);
}

/**
 * The smallest upright box round a region; of a mask, round its pixels that are 1.
 *
 * @throws MammolabError when the region is empty: an outline without points, a mask without a 1
 *
 * @example
 * ```ts
 * import { boundingBox } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const { x, width } = boundingBox({ kind: "circle", x: 5, y: 5, radius: 2 });
 * assertEquals([x, width], [3, 4]);
 * ```
 */
export function boundingBox(region: Region): Box {
  const corners = (left: number, top: number, right: number, bottom: number): Box => {
    if (!(right >= left && bottom >= top)) {
      throw new MammolabError(
        `Cannot put a box round the ${region.kind}: it holds no point; leave out regions that are empty`,
      );
    }
    return { kind: "box", x: left, y: top, width: right - left, height: bottom - top };
  };
  switch (region.kind) {
    case "circle": {
      const { x, y, radius } = region;
      return corners(x - radius, y - radius, x + radius, y + radius);
    }
    case "box":
      return region;
    case "polygon": {
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
      for (const [x, y] of region.points) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
      return corners(left, top, right, bottom);
    }
    case "mask": {
      const { x, y, width, data } = region;
      let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let at = data.indexOf(1); at >= 0; at = data.indexOf(1, at + 1)) {
        const [column, row] = [at % width, Math.floor(at / width)];
        [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
        [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
      }
      return corners(x + left, y + top, x + right, y + bottom);
    }
  }
}

/**
 * The area of a region in square pixels.
 *
 * @example
 * ```ts
 * import { area } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(area({ kind: "polygon", points: [[0, 0], [4, 0], [0, 2]] }), 4);
 * ```
 */
export function area(region: Region): number {
  switch (region.kind) {
    case "circle":
      return Math.PI * region.radius ** 2;
    case "box":
      return region.width * region.height;
    case "polygon":
      return Math.abs(signedArea(region.points));
    case "mask":
      return region.data.reduce((sum, value) => sum + value, 0);
  }
}
