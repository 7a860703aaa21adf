// Drives _pixel_kernel.wat: the rows of a 16-bit PNG become pixels in a fifth of the time of the same loops in TypeScript.
import { kernelBytes } from "./_pixel_kernel_bytes.ts";
import { undoRow } from "./_png_filters.ts";

type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly undoUp: (row: number, above: number, length: number) => void;
  readonly undoSub2: (row: number, length: number) => void;
  readonly swapRows: (rows: number, stride: number, out: number, length: number, count: number) => void;
  readonly divide: (from: number, to: number, count: number, white: number) => void;
};

/** What the memory of a kernel is made for; it holds nothing between two calls. */
const memoryBytes = 512 << 10;
/** Rows are worked on some at a time; longer ones are not. */
const blockBytes = 128 << 10;

let loaded: { readonly kernel: Kernel; readonly bytes: Uint8Array } | undefined;

/** One instance a thread, made when it is first needed. */
function load() {
  const code = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as Kernel;
  kernel.memory.grow((memoryBytes - kernel.memory.buffer.byteLength) / 65_536);
  return { kernel, bytes: new Uint8Array(kernel.memory.buffer) };
}

/**
 * The pixels of a grey PNG of 16 bits: filters undone, bytes swapped.
 *
 * @param raw `height` rows of a filter byte and 2 `width` bytes
 * @returns `[height, width]`; nothing where the rows are too long for the kernel's memory
 * @throws MammolabError for a filter that PNG does not have
 */
export function grey16(
  raw: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Uint16Array | undefined {
  const [stride, length] = [2 * width + 1, 2 * width];
  const most = Math.floor(blockBytes / stride) - 1; // one row more: the last one of the block before
  if (most < 1) return undefined;
  const { kernel, bytes } = loaded ??= load();
  const outAt = blockBytes + 16;
  const out = new Uint16Array(width * height);
  for (let first = 0; first < height; first += most) {
    const count = Math.min(most, height - first);
    bytes.set(raw.subarray(first * stride, (first + count) * stride), stride);
    for (let k = 0; k < count; k++) {
      const at = (k + 1) * stride + 1;
      const [row, type] = [first + k, bytes[at - 1]!];
      if (type === 2 && row > 0) kernel.undoUp(at, at - stride, length);
      else if (type === 1) kernel.undoSub2(at, length);
      else undoRow(bytes, at, { row, stride: length, bytesPerPixel: 2 });
    }
    kernel.swapRows(stride + 1, stride, outAt, length, count);
    out.set(new Uint16Array(bytes.buffer, outAt, count * width), first * width);
    bytes.copyWithin(0, count * stride, (count + 1) * stride);
  }
  return out;
}

/** Numbers at once: they and their quotients fit into the memory. */
const mostNumbers = 64 << 10;

/**
 * Where the quotients lie: half a page beside where large arrays begin. Processors of AMD's third generation of Zen copy at a fifth
 * of their speed (`rep movsb`) to a place that lies 1 to 31 bytes further in its page than what is copied, and that is where large
 * arrays lie, 16 bytes into a page, seen from the beginning of one: 4.3 Mpx took 10 ms in place of 2.
 */
const quotientsAt = 2 * mostNumbers + 2048;

/** All numbers as parts of `white`: the nearest float32, as the division in Float64 gives it. @param into as long as `stored` */
export function divided(
  stored: Uint16Array,
  white: number,
  into: Float32Array = new Float32Array(stored.length),
): Float32Array {
  const { kernel, bytes } = loaded ??= load();
  const numbers = new Uint16Array(bytes.buffer, 0, mostNumbers);
  const quotients = new Float32Array(bytes.buffer, quotientsAt, mostNumbers);
  for (let start = 0; start < stored.length; start += mostNumbers) {
    const count = Math.min(mostNumbers, stored.length - start);
    numbers.set(stored.subarray(start, start + count));
    kernel.divide(0, quotientsAt, count, white);
    into.set(quotients.subarray(0, count), start);
  }
  return into;
}
