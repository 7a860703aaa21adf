// Drives _resize_kernel.wat: 4000 × 3000 → 224 × 224 takes a seventh of the time of the same loops in TypeScript.
import { MammolabError } from "../base/mod.ts";
import { kernelBytes } from "./_resize_kernel_bytes.ts";
import type { Taps } from "./_taps.ts";
import type { Image } from "./image.ts";
import type { Box } from "./region.ts";

type Weights = readonly [number, number, number, number];

type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly addRows: (line: number, length: number, rows: number, stride: number, ...weights: Weights) => void;
  readonly addRowsTwice: (
    line: number,
    second: number,
    length: number,
    rows: number,
    stride: number,
    ...weights: [...Weights, ...Weights]
  ) => void;
  readonly shrinkLine: (
    line: number,
    spans: number,
    weights: number,
    stride: number,
    out: number,
    columns: number,
  ) => void;
};

/** One instance a thread, made at the first resize; its memory holds nothing between two calls. */
let kernel: Kernel | undefined;

function loadKernel(): Kernel {
  const bytes = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernel;
}

/** Lines of sums that are worked on together, and rows that are copied at once: both should stay in the processor's cache. */
const [linesBytes, blockBytes] = [256 << 10, 128 << 10];

/** The memory of a kernel never shrinks: one that grew beyond this is given up after its work. */
const mostKeptBytes = 64 << 20;

/** What of an image is read. */
type Reading = {
  /** Whole pixels inside the image, to which the taps belong; default: the image. */
  readonly part?: Omit<Box, "kind">;
  /** Left and right swapped, of one channel. */
  readonly mirrored?: boolean;
};

/**
 * Weighted sums of rows, then of columns. Every source row is copied into the kernel's memory once, some at a time, and added to
 * the lines of all output rows that it belongs to; the lines are then shrunk.
 *
 * A value that is not finite spoils results whose window it misses by up to three pixels: it is multiplied by 0 there.
 */
export function resample(
  { data, height: imageHeight, width: imageWidth, channels }: Image,
  rows: Taps,
  columns: Taps,
  { part = { x: 0, y: 0, height: imageHeight, width: imageWidth }, mirrored = false }: Reading = {},
): Float32Array {
  const { width } = part;
  const [height, outWidth, length] = [rows.first.length, columns.first.length, width * channels];
  const lineBytes = Math.ceil(length / 4) * 16 + 16; // the last step of the last column may read 12 bytes beyond its line
  const group = Math.min(height, Math.max(2, Math.floor(linesBytes / lineBytes)));
  const blockRows = 4 * Math.max(1, Math.floor(blockBytes / (16 * length)));
  const stride = Math.ceil(columns.stride / 4) * 16;

  const blockAt = group * lineBytes;
  const spansAt = Math.ceil((blockAt + 4 * blockRows * length) / 16) * 16 + 16;
  const weightsAt = Math.ceil((spansAt + outWidth * 8) / 16) * 16;
  const outAt = weightsAt + outWidth * stride;
  const { memory, addRows, addRowsTwice, shrinkLine } = kernelWith(outAt + outWidth * 4, { width, outWidth });
  const floats = new Float32Array(memory.buffer);
  const spans = new Int32Array(memory.buffer, spansAt, outWidth * 2);
  floats.fill(0, weightsAt / 4, outAt / 4);
  for (let j = 0; j < outWidth; j++) {
    const [count, from] = [columns.count[j]!, j * columns.stride];
    spans[2 * j] = columns.first[j]! * 4;
    spans[2 * j + 1] = Math.ceil(count / 4) * 16;
    floats.set(columns.weights.subarray(from, from + count), (weightsAt + j * stride) / 4);
  }

  const endOf = (i: number) => rows.first[i]! + rows.count[i]!;
  /** Of four source rows from `row` in output row i. */
  const weightsOf = (i: number, row: number): Weights => {
    const weight = (tap: number) => tap >= 0 && tap < rows.count[i]! ? rows.weights[i * rows.stride + tap]! : 0;
    const tap = row - rows.first[i]!;
    return [weight(tap), weight(tap + 1), weight(tap + 2), weight(tap + 3)];
  };
  /** Adds four rows to the lines of all output rows that have a part in them, two at a time. */
  const addFour = (row: number, at: number, { base, low, high }: { base: number; low: number; high: number }) => {
    let i = low;
    for (; i + 1 < high && rows.first[i + 1]! < row + 4; i += 2) {
      const line = (i - base) * lineBytes;
      addRowsTwice(line, line + lineBytes, 4 * length, at, 4 * length, ...weightsOf(i, row), ...weightsOf(i + 1, row));
    }
    if (i < high && rows.first[i]! < row + 4) {
      addRows((i - base) * lineBytes, 4 * length, at, 4 * length, ...weightsOf(i, row));
    }
  };

  /** Whole rows lie one after the other, parts of rows do not. */
  const copyRows = (start: number, stop: number) => {
    const from = (row: number) => ((part.y + row) * imageWidth + part.x) * channels;
    if (width === imageWidth) return floats.set(data.subarray(from(start), from(stop)), blockAt / 4);
    for (let row = start; row < stop; row++) {
      floats.set(data.subarray(from(row), from(row) + length), blockAt / 4 + (row - start) * length);
    }
  };

  const out = new Float32Array(height * outWidth * channels);
  for (let base = 0; base < height; base += group) {
    const high = Math.min(base + group, height);
    const end = endOf(high - 1);
    floats.fill(0, 0, (high - base) * lineBytes / 4);
    let low = base;
    for (let start = rows.first[base]!; start < end; start += blockRows) {
      const stop = Math.min(start + blockRows, end);
      copyRows(start, stop);
      // Rows with weight 0 fill up the last four: what lies there need not be finite.
      floats.fill(0, blockAt / 4 + (stop - start) * length, blockAt / 4 + Math.ceil((stop - start) / 4) * 4 * length);
      for (let row = start; row < stop; row += 4) {
        while (endOf(low) <= row) low++;
        addFour(row, blockAt + 4 * (row - start) * length, { base, low, high });
      }
    }
    for (let i = base; i < high; i++) {
      const line = (i - base) * lineBytes;
      floats.fill(0, line / 4 + length, (line + lineBytes) / 4);
      if (mirrored) floats.subarray(line / 4, line / 4 + length).reverse();
      if (channels === 1) {
        shrinkLine(line, spansAt, weightsAt, stride, outAt, outWidth);
        out.set(floats.subarray(outAt / 4, outAt / 4 + outWidth), i * outWidth);
      } else {
        const sums = floats.subarray(line / 4, line / 4 + length);
        shrinkColors(sums, columns, channels, out.subarray(i * outWidth * channels));
      }
    }
  }
  if (memory.buffer.byteLength > mostKeptBytes) kernel = undefined;
  return out;
}

/** The kernel of this thread with so much memory. */
function kernelWith(bytes: number, { width, outWidth }: { readonly width: number; readonly outWidth: number }): Kernel {
  kernel ??= loadKernel();
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing <= 0) return kernel;
  try {
    kernel.memory.grow(Math.ceil(missing / 65536));
    return kernel;
  } catch (cause) {
    throw new MammolabError(
      `Cannot resize a row of ${width} pixels to ${outWidth}: it needs ${
        Math.ceil(bytes / 1e6)
      } MB of memory; cut it first`,
      { cause },
    );
  }
}

/** `shrinkLine` for a line of several channels. */
function shrinkColors(
  line: Float32Array,
  { first, count, weights, stride }: Taps,
  channels: number,
  out: Float32Array,
) {
  for (let j = 0; j < first.length; j++) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = 0; tap < count[j]!; tap++) {
        sum += weights[j * stride + tap]! * line[(first[j]! + tap) * channels + channel]!;
      }
      out[j * channels + channel] = sum;
    }
  }
}
