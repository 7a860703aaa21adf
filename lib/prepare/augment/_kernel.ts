// Drives _kernel.wat: brightness of a 224 × 224 color picture takes a third of the time of the same loop in TypeScript.
import { kernelBytes } from "./_kernel_bytes.ts";

/** The work of _kernel.wat, on the values from one address of its memory to another. */
export type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly blend: (from: number, to: number, a: number, b: number) => void;
  readonly sum: (from: number, to: number, r: number, g: number, b: number) => number;
  readonly finite: (from: number, to: number) => number;
  readonly saturate: (from: number, to: number, factor: number, r: number, g: number, b: number) => void;
  readonly turnHue: (from: number, to: number, sixths: number) => void;
  readonly addNoise: (
    from: number,
    to: number,
    level: number,
    photon: number,
    ...state: [a: number, b: number, c: number, d: number]
  ) => void;
};

/** Values that are worked on at once: whole pixels of three channels, and a multiple of what the loops do in a step. */
const chunk = 3 << 17;

/** Room for the table of normal numbers. */
const tableBytes = 65_536 * 4;

let loaded: { readonly kernel: Kernel; readonly floats: Float32Array; readonly values: Float32Array } | undefined;

/** One instance a thread, made when it is first needed; but for the table its memory holds nothing between two calls. */
function load() {
  const bytes = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernel;
  kernel.memory.grow(Math.ceil((tableBytes + 4 * chunk + 64) / 65_536) - kernel.memory.buffer.byteLength / 65_536);
  const floats = new Float32Array(kernel.memory.buffer);
  return { kernel, floats, values: floats.subarray(tableBytes / 4) };
}

/** Puts the table of normal numbers where `addNoise` reads it. */
export function setTable(table: Float32Array): void {
  loaded ??= load();
  loaded.floats.set(table);
}

/** Shows the kernel all values, some at a time, followed by zeros up to the next step of a loop. */
export function forEachChunk(
  data: Float32Array,
  look: (kernel: Kernel, from: number, to: number, values: Float32Array, start: number) => void,
): void {
  loaded ??= load();
  const { kernel, values } = loaded;
  for (let start = 0; start < data.length; start += chunk) {
    const part = start === 0 && data.length <= chunk ? data : data.subarray(start, start + chunk);
    values.set(part);
    values.fill(0, part.length, part.length + 12);
    look(kernel, tableBytes, tableBytes + 4 * part.length, values, start);
  }
}

/** What the kernel makes of the values. @param into for the result where it has the length, also the values themselves */
export function changed(
  data: Float32Array,
  change: (kernel: Kernel, from: number, to: number) => void,
  into?: Float32Array,
): Float32Array {
  const out = into?.length === data.length ? into : new Float32Array(data.length);
  forEachChunk(data, (kernel, from, to, values, start) => {
    change(kernel, from, to);
    out.set(values.subarray(0, (to - from) / 4), start);
  });
  return out;
}

/** Whether no value is NaN or infinite. */
export function allFinite(data: Float32Array): boolean {
  let finite = true;
  forEachChunk(data, (kernel, from, to) => finite &&= kernel.finite(from, to) === 1);
  return finite;
}
