import type { Picture } from "./_canvas.ts";

/** A picture of at most 256 colors: `[height, width]` numbers of the palette's `[colors, 3]` bytes. */
export type PalettePicture = {
  readonly indices: Uint8Array;
  readonly palette: Uint8Array;
  readonly height: number;
  readonly width: number;
};

/** Colors that differ only below this many bits a channel are one color for the search of the palette. */
const BITS = 6;
const CELLS = 1 << (3 * BITS);

type Box = {
  readonly cells: readonly number[];
  readonly count: number;
  readonly spread: number;
  readonly axis: number;
};

/**
 * Median cut (Heckbert 1982, “Color image quantization for frame buffer display”): the box of colors with the widest spread
 * is cut at its median until there are `colors` boxes; each becomes its mean. A picture in a notebook is three to four
 * times smaller so, and the eye does not see it. No dithering: its noise would cost the gain.
 */
export function quantize({ data, height, width }: Picture, colors = 256): PalettePicture {
  const counts = new Float64Array(CELLS);
  const sums = new Float64Array(CELLS * 3);
  for (let at = 0; at < data.length; at += 3) {
    const cell = cellOf(data[at]!, data[at + 1]!, data[at + 2]!);
    counts[cell]!++;
    for (let k = 0; k < 3; k++) sums[cell * 3 + k]! += data[at + k]!;
  }
  const cells: number[] = [];
  for (let cell = 0; cell < CELLS; cell++) if (counts[cell]! > 0) cells.push(cell);
  const boxes = [boxOf(cells, counts)];
  while (boxes.length < colors) {
    const widest = boxes.reduce((best, box, i) => weight(box) > weight(boxes[best]!) ? i : best, 0);
    if (weight(boxes[widest]!) === 0) break;
    boxes.splice(widest, 1, ...cut(boxes[widest]!, counts));
  }
  const palette = new Uint8Array(boxes.length * 3);
  const nearest = new Uint8Array(CELLS);
  for (const [index, { cells, count }] of boxes.entries()) {
    for (let k = 0; k < 3; k++) {
      palette[index * 3 + k] = Math.round(cells.reduce((sum, cell) => sum + sums[cell * 3 + k]!, 0) / count);
    }
    for (const cell of cells) nearest[cell] = index;
  }
  const indices = new Uint8Array(height * width);
  for (let i = 0; i < indices.length; i++) {
    indices[i] = nearest[cellOf(data[i * 3]!, data[i * 3 + 1]!, data[i * 3 + 2]!)]!;
  }
  return { indices, palette, height, width };
}

const cellOf = (red: number, green: number, blue: number) =>
  ((red >> (8 - BITS)) << (2 * BITS)) | ((green >> (8 - BITS)) << BITS) | (blue >> (8 - BITS));

const channelOf = (cell: number, axis: number) => (cell >> ((2 - axis) * BITS)) & ((1 << BITS) - 1);

/** A rare color of a wide box still counts (a mark, a line of text), so the spread weighs more than the count. */
const weight = ({ spread, count }: Box) => spread * spread * count ** 0.2;

function boxOf(cells: readonly number[], counts: Float64Array): Box {
  let [spread, axis, count] = [0, 0, 0];
  for (let k = 0; k < 3; k++) {
    let [low, high] = [Infinity, -Infinity];
    for (const cell of cells) {
      const value = channelOf(cell, k);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high - low > spread) [spread, axis] = [high - low, k];
  }
  for (const cell of cells) count += counts[cell]!;
  return { cells, count, spread, axis };
}

function cut({ cells, count, axis }: Box, counts: Float64Array): Box[] {
  const sorted = cells.toSorted((a, b) => channelOf(a, axis) - channelOf(b, axis));
  let seen = 0;
  let middle = sorted.findIndex((cell) => (seen += counts[cell]!) >= count / 2) + 1;
  middle = Math.min(Math.max(middle, 1), sorted.length - 1);
  return [boxOf(sorted.slice(0, middle), counts), boxOf(sorted.slice(middle), counts)];
}
