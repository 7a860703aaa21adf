import { MammolabError } from "../base/mod.ts";
import {
  type Affine,
  applyMap,
  type Box,
  inverseOf,
  invert,
  isAffine,
  moveRegion,
  type Point,
  type Region,
  type Size,
  type SourceMap,
} from "../image/mod.ts";

/** How much each place of a film counts for a network, by any method: one value a token. */
export type Relevance = {
  /** `[height, width]`, not scaled: the method says what the numbers mean. */
  readonly data: Float32Array;
  /** Tokens from top to bottom. */
  readonly height: number;
  /** Tokens from left to right. */
  readonly width: number;
  /** Token (row i, column j) covers [j, j + 1) × [i, i + 1); this takes such points to source pixels. */
  readonly toSource: SourceMap;
  /** The method in words, for captions and JSON. */
  readonly method: string;
};

/** The place of the highest relevance. */
export type Peak = {
  /** In source pixels, the center of the token. */
  readonly x: number;
  /** In source pixels, the center of the token. */
  readonly y: number;
  /** The relevance there. */
  readonly value: number;
};

/**
 * The token with the highest relevance, in source pixels; the first in reading order where several are equal.
 *
 * @param within the size of the film: tokens whose center lies beyond it (padding) do not count; without it all do
 * @throws MammolabError when no token counts: none lies on the film, or all are NaN
 *
 * @example
 * ```ts
 * import { peakOf } from "mammolab/explain";
 * import { assertEquals } from "@std/assert";
 * const relevance = { data: Float32Array.of(1, 5, 3, 2), height: 2, width: 2, toSource: [16, 0, 0, 0, 16, 0], method: "" } as const;
 * assertEquals(peakOf(relevance), { x: 24, y: 8, value: 5 });
 * ```
 */
export function peakOf({ data, width, toSource }: Relevance, within?: Size): Peak {
  let peak: Peak | undefined;
  for (const [at, value] of data.entries()) {
    if (Number.isNaN(value) || (peak && value <= peak.value)) continue;
    const [x, y] = applyMap(toSource, [at % width + 0.5, Math.floor(at / width) + 0.5]);
    if (within && !(x >= 0 && y >= 0 && x < within.width && y < within.height)) continue;
    peak = { x, y, value };
  }
  if (peak) return peak;
  throw new MammolabError(
    `Cannot find the peak: none of ${data.length} tokens holds a number${
      within ? ` and lies on the film of ${within.width} × ${within.height} pixels` : ""
    }; check that the map belongs to this film`,
  );
}

/**
 * What of the film the network saw, in source pixels; it may reach beyond the film where the image was padded.
 *
 * @example
 * ```ts
 * import { seenRegion } from "mammolab/explain";
 * import { assertEquals } from "@std/assert";
 * const relevance = { data: new Float32Array(6), height: 2, width: 3, toSource: [16, 0, 40, 0, 16, 8], method: "" } as const;
 * assertEquals(seenRegion(relevance), { kind: "box", x: 40, y: 8, width: 48, height: 32 });
 * ```
 */
export function seenRegion({ height, width, toSource }: Relevance): Region {
  const all: Box = { kind: "box", x: 0, y: 0, width, height };
  return moveRegion(all, toSource);
}

/**
 * A relevance map laid over the film: each film pixel reads the token map bilinearly between token centers.
 *
 * @param size of the film
 * @returns `[height, width]`; 0 for pixels that the network did not see: those outside `seenRegion(relevance)`
 *
 * @example
 * ```ts
 * import { relevanceOnFilm } from "mammolab/explain";
 * import { assertEquals } from "@std/assert";
 * const relevance = { data: Float32Array.of(1, 3), height: 1, width: 2, toSource: [2, 0, 1, 0, 1, 0], method: "" } as const;
 * assertEquals([...relevanceOnFilm(relevance, { height: 1, width: 6 })], [0, 1, 1.5, 2.5, 3, 0]);
 * ```
 */
export function relevanceOnFilm(relevance: Relevance, { height, width }: Size): Float32Array {
  const { toSource } = relevance;
  if (isAffine(toSource)) {
    const back = invert(toSource);
    return back[1] === 0 && back[3] === 0
      ? onUprightFilm(relevance, back, { height, width })
      : onFilm(relevance, (point) => applyMap(back, point), { height, width });
  }
  return onFilm(relevance, inverseOf(toSource), { height, width });
}

function onFilm(relevance: Relevance, back: (point: Point) => Point, { height, width }: Size): Float32Array {
  const out = new Float32Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [u, v] = back([j + 0.5, i + 0.5]);
      out[i * width + j] = readTokens(relevance, u, v);
    }
  }
  return out;
}

/** Without turn and shear, columns and rows are apart: two rows of tokens are mixed once a film row (5 times as fast). */
function onUprightFilm(relevance: Relevance, [a, , c, , e, f]: Affine, { height, width }: Size): Float32Array {
  const out = new Float32Array(height * width);
  const line = new Float32Array(relevance.width + 1);
  const [token, share] = [new Int32Array(width), new Float32Array(width)];
  let [first, end] = [width, 0];
  for (let j = 0; j < width; j++) {
    const u = a * (j + 0.5) + c;
    if (!(u >= 0 && u < relevance.width)) continue;
    [first, end] = [Math.min(first, j), j + 1];
    const x = Math.min(Math.max(u - 0.5, 0), relevance.width - 1);
    token[j] = Math.floor(x);
    share[j] = x - Math.floor(x);
  }
  for (let i = 0; i < height; i++) {
    const v = e * (i + 0.5) + f;
    if (!(v >= 0 && v < relevance.height)) continue;
    for (let k = 0; k < relevance.width; k++) line[k] = readTokens(relevance, k + 0.5, v);
    line[relevance.width] = line[relevance.width - 1]!;
    for (let j = first; j < end; j++) {
      const [k, p] = [token[j]!, share[j]!];
      out[i * width + j] = line[k]! * (1 - p) + line[k + 1]! * p;
    }
  }
  return out;
}

/** Bilinear between token centers, flat in the outer half of the outermost tokens, 0 beyond them. */
function readTokens({ data, height, width }: Relevance, u: number, v: number): number {
  if (!(u >= 0 && v >= 0 && u < width && v < height)) return 0;
  const x = Math.min(Math.max(u - 0.5, 0), width - 1);
  const y = Math.min(Math.max(v - 0.5, 0), height - 1);
  const [j, i] = [Math.floor(x), Math.floor(y)];
  const [p, q] = [x - j, y - i];
  const [right, below] = [j + 1 < width ? 1 : 0, i + 1 < height ? width : 0];
  const at = i * width + j;
  const top = data[at]! * (1 - p) + data[at + right]! * p;
  return top * (1 - q) + (data[at + below]! * (1 - p) + data[at + below + right]! * p) * q;
}
