import { MammolabError } from "../base/mod.ts";

/**
 * A picture of floats that knows where it lies in the file it came from.
 *
 * Values are in 0..1 for anything that shows a film; Float32 keeps all 65,536 stored levels apart. Pixel (row i, column j)
 * covers [j, j + 1) × [i, i + 1), with x to the right and y down: the centre of the first pixel is (0.5, 0.5).
 */
export type Image = {
  /** `[height, width, channels]`, row by row, channels innermost. */
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Where a point of this image lies in the source film, in pixels of the stored frame. */
  readonly toSource: SourceMap;
};

/** `x' = a x + b y + c`, `y' = d x + e y + f`, as `[a, b, c, d, e, f]`. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** The source position of every pixel centre, for maps that are not affine (elastic). */
export type DenseMap = {
  readonly height: number;
  readonly width: number;
  /** `[height, width]`, source x of each pixel centre. */
  readonly x: Float32Array;
  /** `[height, width]`, source y of each pixel centre. */
  readonly y: Float32Array;
};

/** Either an affine map or one position a pixel. */
export type SourceMap = Affine | DenseMap;

/** A point, x to the right and y down, in pixels. */
export type Point = readonly [x: number, y: number];

/** The map that leaves every point where it is. */
export const identity: Affine = [1, 0, 0, 0, 1, 0];

/**
 * Wraps pixels as an `Image`.
 *
 * @param data `[height, width, channels]`; kept, not copied
 * @throws MammolabError when the sizes are not whole numbers above zero or do not fit the data
 *
 * @example
 * ```ts
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(imageOf(new Float32Array(6), { height: 2, width: 3 }).channels, 1);
 * ```
 */
export function imageOf(
  data: Float32Array,
  { height, width, channels = 1, toSource = identity }: {
    readonly height: number;
    readonly width: number;
    readonly channels?: number;
    readonly toSource?: SourceMap;
  },
): Image {
  if (![height, width, channels].every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new MammolabError(
      `Cannot make an image of ${height} × ${width} × ${channels}: sizes are whole numbers above zero; check them`,
    );
  }
  if (data.length !== height * width * channels) {
    throw new MammolabError(
      `Cannot make an image of ${height} × ${width} × ${channels}: ${data.length} values were given, ${
        height * width * channels
      } are needed; check the sizes`,
    );
  }
  return { data, height, width, channels, toSource };
}

/**
 * True for an affine map, false for a dense one.
 *
 * @example
 * ```ts
 * import { identity, isAffine } from "mammolab/image";
 * import { assert } from "@std/assert";
 * assert(isAffine(identity));
 * ```
 */
export function isAffine(map: SourceMap): map is Affine {
  return Array.isArray(map);
}

/**
 * First `inner`, then `outer`.
 *
 * @example
 * ```ts
 * import { applyMap, compose } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const [twice, shift] = [[2, 0, 0, 0, 2, 0], [1, 0, 3, 0, 1, 0]] as const;
 * assertEquals(applyMap(compose(twice, shift), [1, 1]), applyMap(twice, applyMap(shift, [1, 1])));
 * ```
 */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [g, h, i, j, k, l] = inner;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

/**
 * The map that undoes an affine map.
 *
 * @throws MammolabError when it squeezes the plane to a line
 *
 * @example
 * ```ts
 * import { invert } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(invert([2, 0, 6, 0, 4, 8]), [0.5, 0, -3, 0, 0.25, -2]);
 * ```
 */
export function invert([a, b, c, d, e, f]: Affine): Affine {
  const determinant = a * e - b * d;
  if (!Number.isFinite(1 / determinant)) {
    throw new MammolabError(
      "Cannot invert the map to the source film: it squeezes the image to a line; check the scale factors",
    );
  }
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/**
 * Where a point goes. A dense map is read bilinearly between pixel centres and continued in a straight line beyond the
 * outermost ones.
 *
 * @example
 * ```ts
 * import { applyMap } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(applyMap([2, 0, 1, 0, 3, 0], [10, 10]), [21, 30]);
 * ```
 */
export function applyMap(map: SourceMap, [x, y]: Point): Point {
  if (isAffine(map)) {
    const [a, b, c, d, e, f] = map;
    return [a * x + b * y + c, d * x + e * y + f];
  }
  return [readGrid(map.x, map, x, y), readGrid(map.y, map, x, y)];
}

/**
 * The place of a derived image: `inner` takes its points to those of the image it was made from, whose own map is `outer`.
 * Two affine maps give an affine one; otherwise the position of each pixel center of the derived image is computed.
 *
 * @param size of the derived image
 *
 * @example
 * ```ts
 * import { composeSource } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * assertEquals(composeSource([2, 0, 5, 0, 2, 0], [1, 0, 3, 0, 1, 0], { height: 1, width: 1 }), [2, 0, 11, 0, 2, 0]);
 * ```
 */
export function composeSource(
  outer: SourceMap,
  inner: SourceMap,
  { height, width }: { readonly height: number; readonly width: number },
): SourceMap {
  if (isAffine(outer) && isAffine(inner)) return compose(outer, inner);
  const [x, y] = [new Float32Array(height * width), new Float32Array(height * width)];
  if (isAffine(outer) && !isAffine(inner) && inner.height === height && inner.width === width) {
    const [a, b, c, d, e, f] = outer;
    for (let at = 0; at < x.length; at++) {
      const [u, v] = [inner.x[at]!, inner.y[at]!];
      x[at] = a * u + b * v + c;
      y[at] = d * u + e * v + f;
    }
    return { height, width, x, y };
  }
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [sourceX, sourceY] = applyMap(outer, applyMap(inner, [j + 0.5, i + 0.5]));
      x[i * width + j] = sourceX;
      y[i * width + j] = sourceY;
    }
  }
  return { height, width, x, y };
}

function readGrid(grid: Float32Array, { height, width }: DenseMap, x: number, y: number): number {
  const [u, v] = [x - 0.5, y - 0.5];
  const j = Math.min(Math.max(Math.floor(u), 0), Math.max(0, width - 2));
  const i = Math.min(Math.max(Math.floor(v), 0), Math.max(0, height - 2));
  const [right, down] = [Math.min(j + 1, width - 1), Math.min(i + 1, height - 1)];
  const [p, q] = [u - j, v - i];
  const at = (row: number, column: number) => grid[row * width + column] as number;
  return (at(i, j) * (1 - p) + at(i, right) * p) * (1 - q) + (at(down, j) * (1 - p) + at(down, right) * p) * q;
}
