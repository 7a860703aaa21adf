import { MammolabError } from "../base/mod.ts";
import type { Image } from "./image.ts";

/** Strength and grain of local equalization. */
export type ClaheOptions = {
  /** How many times the mean count a histogram bin may hold, at least about 1; more is stronger. Default 2. */
  readonly clip?: number;
  /** Tiles along each side; default 8. */
  readonly tiles?: number;
  /** Bins of each tile's histogram, 2 to 65,536; default 256. Values between two bins stay between their results. */
  readonly bins?: number;
};

/**
 * Contrast-limited adaptive histogram equalization (Zuiderveld 1994) as OpenCV does it (modules/imgproc/src/clahe.cpp), on
 * floats: no step is rounded, so that 16 bits stay 16 bits.
 *
 * @returns a step that takes one channel in 0..1 (what lies beyond is cut off) and gives one channel in 0..1
 * @throws MammolabError when an option is out of range, or the image has several channels or fewer pixels than tiles
 *
 * @example
 * ```ts
 * import { clahe, imageOf } from "mammolab/image";
 * import { assert } from "@std/assert";
 * const faint = imageOf(Float32Array.from({ length: 64 * 64 }, (_, k) => 0.5 + 0.05 * Math.sin(k)), { height: 64, width: 64 });
 * const { data } = clahe({ clip: 4, tiles: 2 })(faint);
 * assert(Math.max(...data) - Math.min(...data) > 0.2);
 * ```
 */
export function clahe({ clip = 2, tiles = 8, bins = 256 }: ClaheOptions = {}): (image: Image) => Image {
  const whole = (n: number, least: number, most: number) => Number.isSafeInteger(n) && n >= least && n <= most;
  if (!(clip > 0) || !whole(tiles, 1, 1024) || !whole(bins, 2, 65536)) {
    throw new MammolabError(
      `Cannot equalize with clip ${clip}, ${tiles} tiles, ${bins} bins: clip is above 0, tiles are 1 to 1024 and bins 2 to 65536; change what is outside`,
    );
  }
  return (image) => {
    const { height, width, channels } = image;
    if (channels !== 1 || height < tiles || width < tiles) {
      throw new MammolabError(
        `Cannot equalize the image of ${height} × ${width} × ${channels}: one channel and at least ${tiles} × ${tiles} pixels are needed; convert it to grey or take fewer tiles`,
      );
    }
    const grid = { tiles, ...tileSize(height, width, tiles) };
    const levels = image.data.map((value) => (value > 0 ? Math.min(value, 1) : 0) * (bins - 1));
    return { ...image, data: blend(levels, image, grid, tileTables(levels, image, grid, clip, bins), bins) };
  };
}

type TileGrid = { readonly tiles: number; readonly tall: number; readonly wide: number };

/** OpenCV: where one side is not divisible by the tiles, both are extended, an already divisible one by a whole tile number. */
function tileSize(height: number, width: number, tiles: number): { tall: number; wide: number } {
  if (height % tiles === 0 && width % tiles === 0) return { tall: height / tiles, wide: width / tiles };
  return { tall: Math.floor(height / tiles) + 1, wide: Math.floor(width / tiles) + 1 };
}

/** `[tiles, tiles, bins]`: what each level becomes in each tile, in 0..1. */
function tileTables(
  levels: Float32Array,
  { height, width }: Image,
  { tiles, tall, wide }: TileGrid,
  clip: number,
  bins: number,
): Float32Array {
  const area = tall * wide;
  const most = Math.max(1, Math.floor((clip * area) / bins));
  const tables = new Float32Array(tiles * tiles * bins);
  const counts = new Uint32Array(bins);
  for (let tile = 0; tile < tiles * tiles; tile++) {
    counts.fill(0);
    const [top, left] = [Math.floor(tile / tiles) * tall, (tile % tiles) * wide];
    for (let i = top; i < top + tall; i++) {
      const row = mirrored(i, height) * width;
      for (let j = left; j < left + wide; j++) counts[Math.round(levels[row + mirrored(j, width)]!)]!++;
    }
    clipCounts(counts, most);
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) {
      sum += counts[bin]!;
      tables[tile * bins + bin] = sum / area;
    }
  }
  return tables;
}

/** Beyond the image the last pixel is a mirror that is not repeated (OpenCV's BORDER_REFLECT_101). */
function mirrored(k: number, size: number): number {
  if (k < size) return k;
  if (size === 1) return 0;
  const period = k % (2 * size - 2);
  return period < size ? period : 2 * size - 2 - period;
}

/** Cuts counts off and spreads the excess evenly, the remainder over bins at equal steps; no second cut. */
function clipCounts(counts: Uint32Array, most: number): void {
  let excess = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin]! <= most) continue;
    excess += counts[bin]! - most;
    counts[bin] = most;
  }
  const each = Math.floor(excess / counts.length);
  let left = excess - each * counts.length;
  for (let bin = 0; bin < counts.length; bin++) counts[bin] = counts[bin]! + each;
  const step = left > 0 ? Math.max(1, Math.floor(counts.length / left)) : 1;
  for (let bin = 0; bin < counts.length && left > 0; bin += step) {
    counts[bin]!++;
    left--;
  }
}

/** Each pixel reads the tables of the four nearest tile centers, bilinearly. */
function blend(
  levels: Float32Array,
  { height, width }: Image,
  { tiles, tall, wide }: TileGrid,
  tables: Float32Array,
  bins: number,
): Float32Array {
  const out = new Float32Array(levels.length);
  const near = (k: number) => Math.min(Math.max(k, 0), tiles - 1) * bins;
  for (let i = 0; i < height; i++) {
    const v = i / tall - 0.5;
    const q = v - Math.floor(v);
    const [above, below] = [near(Math.floor(v)) * tiles, near(Math.floor(v) + 1) * tiles];
    for (let j = 0; j < width; j++) {
      const u = j / wide - 0.5;
      const p = u - Math.floor(u);
      const [left, right] = [near(Math.floor(u)), near(Math.floor(u) + 1)];
      const level = levels[i * width + j]!;
      const bin = Math.min(Math.floor(level), bins - 2);
      const t = level - bin;
      const read = (table: number) => tables[table + bin]! * (1 - t) + tables[table + bin + 1]! * t;
      out[i * width + j] = (read(above + left) * (1 - p) + read(above + right) * p) * (1 - q) +
        (read(below + left) * (1 - p) + read(below + right) * p) * q;
    }
  }
  return out;
}
