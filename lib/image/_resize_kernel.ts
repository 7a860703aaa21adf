// Drives _resize_kernel.wat: 4000 × 3000 → 224 × 224 takes a quarter of the time of the same loops in TypeScript.
import { kernelBytes } from "./_resize_kernel_bytes.ts";
import type { Taps } from "./_taps.ts";
import type { Image } from "./image.ts";

type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly addRows: (
    line: number,
    length: number,
    ...rows: [r0: number, r1: number, r2: number, r3: number, w0: number, w1: number, w2: number, w3: number]
  ) => void;
  readonly shrinkLine: (spans: number, weights: number, stride: number, out: number, columns: number) => void;
};

/** One instance a thread, made at the first resize; its memory holds nothing between two calls. */
let kernel: Kernel | undefined;

function loadKernel(): Kernel {
  const bytes = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernel;
}

/** Source rows are kept for the next output row in at most this much memory; larger windows are read again. */
const mostRowBytes = 8 << 20;

/**
 * Weighted sums of rows, then of columns. The rows of one output row are summed into a line, which stays in the cache; source
 * rows are copied into the kernel's memory once, because neighboring output rows share them.
 */
export function resample({ data, width, channels }: Image, rows: Taps, columns: Taps): Float32Array {
  kernel ??= loadKernel();
  const { addRows, shrinkLine } = kernel;
  const [height, outWidth, length] = [rows.first.length, columns.first.length, width * channels];
  const rowBytes = Math.ceil(length / 8) * 32;
  const window = Math.max(4, rows.count.reduce((a, b) => Math.max(a, b), 0));
  const slots = window * rowBytes <= mostRowBytes ? window : 4;
  const stride = Math.ceil(columns.stride / 4) * 16;

  const lineAt = 0; // with 32 bytes of zeros behind it, which the last step of the last column may read
  const rowsAt = rowBytes + 32;
  const spansAt = rowsAt + slots * rowBytes;
  const weightsAt = Math.ceil((spansAt + outWidth * 8) / 16) * 16;
  const outAt = weightsAt + outWidth * stride;
  const missing = outAt + outWidth * 4 - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  const floats = new Float32Array(kernel.memory.buffer);
  const spans = new Int32Array(kernel.memory.buffer, spansAt, outWidth * 2);
  floats.fill(0, 0, outAt / 4);
  for (let j = 0; j < outWidth; j++) {
    const [count, from] = [columns.count[j]!, j * columns.stride];
    spans[2 * j] = lineAt + columns.first[j]! * 4;
    spans[2 * j + 1] = Math.ceil(count / 4) * 16;
    floats.set(columns.weights.subarray(from, from + count), (weightsAt + j * stride) / 4);
  }

  const held = new Int32Array(slots).fill(-1);
  const addressOf = (row: number) => {
    const slot = row % slots;
    const address = rowsAt + slot * rowBytes;
    if (held[slot] !== row) {
      floats.set(data.subarray(row * length, (row + 1) * length), address / 4);
      held[slot] = row;
    }
    return address;
  };

  const out = new Float32Array(height * outWidth * channels);
  for (let i = 0; i < height; i++) {
    floats.fill(0, lineAt / 4, rowBytes / 4);
    const [first, count] = [rows.first[i]!, rows.count[i]!];
    for (let tap = 0; tap < count; tap += 4) {
      // Beyond the last tap: the last row once more, with weight 0.
      const row = (k: number) => addressOf(first + Math.min(tap + k, count - 1));
      const weight = (k: number) => tap + k < count ? rows.weights[i * rows.stride + tap + k]! : 0;
      addRows(lineAt, rowBytes, row(0), row(1), row(2), row(3), weight(0), weight(1), weight(2), weight(3));
    }
    if (channels === 1) {
      shrinkLine(spansAt, weightsAt, stride, outAt, outWidth);
      out.set(floats.subarray(outAt / 4, outAt / 4 + outWidth), i * outWidth);
    } else shrinkColors(floats, columns, channels, out.subarray(i * outWidth * channels));
  }
  return out;
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
