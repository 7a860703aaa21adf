import { cropToBreast, type Image, resizeTo } from "../image/mod.ts";

/** The eight ways in which a square can lie: how a film must be turned to show what the other shows. */
export const orientations = [
  "as it is",
  "turned by 90°",
  "turned by 180°",
  "turned by 270°",
  "mirrored",
  "mirrored and turned by 90°",
  "mirrored and turned by 180°",
  "mirrored and turned by 270°",
] as const;

/** What is kept of a picture to know it again. */
export type Print = {
  /** dHash of 16 × 16 fields (256 bits in 8 words) in each of the eight orientations. */
  readonly hashes: readonly Uint32Array[];
  /** `[48, 48]`, as it is, scaled to 0..255. */
  readonly thumbnail: Uint8Array;
};

/** Of the breast crop, which knows a film again with another frame around it, and of the whole film, which needs no crop. */
export type Fingerprint = { readonly breast: Print; readonly whole: Print };

/** 16 · 17: the fields of the hash, 16 rows of 17, divide it, so that means of means are means. */
const side = 272;
const thumbnailSide = 48;

/** Fingerprint of a film. */
export function fingerprint(film: Image): Fingerprint {
  return { breast: printOf(cropToBreast()(film)), whole: printOf(film) };
}

/**
 * The hash tells whether each of 16 × 16 fields is brighter than its right neighbor (dHash, Krawetz 2013). On mammograms the
 * usual 64 bits drown in false alarms, because the black around the breast makes films alike; hence 256 bits.
 */
function printOf(picture: Image): Print {
  const square = resizeTo({ height: side, width: side })(picture);
  return {
    hashes: orientations.map((_, orientation) => differenceHash(turn(square.data, side, orientation))),
    thumbnail: scaled(resizeTo({ height: thumbnailSide, width: thumbnailSide })(square).data),
  };
}

/** Bits in which two hashes differ; counting stops above `most`, where most pairs end after two of eight words. */
export function distance(a: Uint32Array, b: Uint32Array, most = 256): number {
  let bits = 0;
  for (let word = 0; word < 8 && bits <= most; word++) bits += popCount(a[word]! ^ b[word]!);
  return bits;
}

/** Pearson's correlation of two thumbnails, the second turned; 0 where one is flat. */
export function correlation(a: Uint8Array, b: Uint8Array, orientation: number): number {
  const [one, other] = [normalized(a), normalized(turn(b, thumbnailSide, orientation))];
  return one.reduce((sum, value, at) => sum + value * other[at]!, 0);
}

/** A square turned: orientations 4 to 7 are mirrored left to right first; then clockwise by 0, 90, 180, 270 degrees. */
export function turn<T extends Float32Array | Uint8Array>(square: T, size: number, orientation: number): T {
  const last = size - 1;
  const quarter = orientation % 4;
  const source = (x: number, y: number): number => { // a turn back by the same quarters
    const [u, v] = quarter === 0
      ? [x, y]
      : quarter === 1
      ? [y, last - x]
      : quarter === 2
      ? [last - x, last - y]
      : [last - y, x];
    return v * size + (orientation >= 4 ? last - u : u);
  };
  const start = source(0, 0);
  const [across, down] = [source(1, 0) - start, source(0, 1) - start];
  const out = square.slice() as T;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) out[y * size + x] = square[start + y * down + x * across]!;
  }
  return out;
}

function differenceHash(square: Float32Array): Uint32Array {
  const [rows, columns] = [16, 17];
  const [height, width] = [side / rows, side / columns];
  const fields = new Float64Array(rows * columns);
  for (let y = 0; y < side; y++) {
    const row = Math.floor(y / height) * columns;
    for (let x = 0; x < side; x++) fields[row + Math.floor(x / width)]! += square[y * side + x]!;
  }
  // Noise in the black beside the breast must not set bits: a field is brighter when it is so by 1/1000 of the range.
  const least = (Math.max(...fields) - Math.min(...fields)) / 1000;
  const bits = new Uint32Array(8);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < 16; column++) {
      const at = row * columns + column;
      if (fields[at]! - fields[at + 1]! > least) bits[row >> 1]! |= 1 << ((row & 1) * 16 + column);
    }
  }
  return bits;
}

function scaled(values: Float32Array): Uint8Array {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return Uint8Array.from(values, (value) => high > low ? Math.round(((value - low) / (high - low)) * 255) : 0);
}

/** Mean 0 and norm 1. */
function normalized(values: Uint8Array): Float64Array {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const norm = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return Float64Array.from(values, (value) => norm > 0 ? (value - mean) / norm : 0);
}

function popCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
