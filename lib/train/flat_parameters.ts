import { MammolabError } from "../base/mod.ts";
import { optimizerKernels } from "./_optimizer_kernels.ts";

/** Where one parameter lies in the flat arrays, in numbers. */
export type Slice = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
  readonly trainable: boolean;
};

/**
 * All parameters of a network in one piece of WebAssembly memory, and beside them, for those that are trained, gradients
 * and the two moments. The engine reads and writes the same memory, and so do the optimiser's loops: nothing is copied.
 * Each slice starts at a multiple of 16 bytes and is padded with zeros.
 */
export type FlatParameters = {
  /** By published name, trained ones first. */
  readonly slices: ReadonlyMap<string, Slice>;
  /** The numbers themselves. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Gradients of the trained ones: the first `trained` numbers. */
  readonly gradients: Float32Array<ArrayBuffer>;
  /** First moments (momentum), likewise. */
  readonly first: Float32Array<ArrayBuffer>;
  /** Second moments, likewise. */
  readonly second: Float32Array<ArrayBuffer>;
  readonly kernels: Kernels;
};

/** The loops of optimizer_kernels.wat; pointers in bytes, counts in numbers (multiples of 4). */
export type Kernels = {
  readonly adamw: (
    w: number,
    g: number,
    m: number,
    v: number,
    count: number,
    keep: number,
    rate: number,
    root: number,
    b1: number,
    b2: number,
    epsilon: number,
  ) => void;
  readonly sgd: (w: number, g: number, m: number, count: number, rate: number, momentum: number, decay: number) => void;
  readonly blend: (y: number, x: number, count: number, a: number, b: number) => void;
  readonly squares: (x: number, count: number) => number;
};

const padded = (length: number) => Math.ceil(length / 4) * 4;

/**
 * Lays out parameters, all zeros.
 *
 * @param shapes by published name
 * @param trainable which of them are trained
 * @throws MammolabError when they need more than the 4 GB that WebAssembly can address
 */
export function flatParameters(
  shapes: ReadonlyMap<string, readonly number[]>,
  { trainable = () => true }: { readonly trainable?: (name: string) => boolean } = {},
): FlatParameters {
  const slices = new Map<string, Slice>();
  let offset = 0;
  let trained = 0;
  for (const wanted of [true, false]) {
    for (const [name, shape] of shapes) {
      if (trainable(name) !== wanted) continue;
      const length = shape.reduce((a, b) => a * b, 1);
      slices.set(name, { name, shape, offset, length, trainable: wanted });
      offset += padded(length);
    }
    if (wanted) trained = offset;
  }
  const bytes = 4 * (offset + 3 * trained);
  if (bytes > 2 ** 32 - 65536) {
    throw new MammolabError(
      `Cannot train ${offset} parameters: they need ${
        (bytes / 1e9).toFixed(1)
      } GB, the limit is 4.2 GB; train fewer blocks or a smaller network`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) }); // never grown: that would detach the views
  const code = Uint8Array.from(atob(optimizerKernels), (character) => character.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  const view = (from: number, length: number) => new Float32Array(memory.buffer as ArrayBuffer, 4 * from, length);
  return {
    slices,
    values: view(0, offset),
    gradients: view(offset, trained),
    first: view(offset + trained, trained),
    second: view(offset + 2 * trained, trained),
    kernels: exports as unknown as Kernels,
  };
}

/** The part of a flat array that belongs to one parameter: a view, not a copy. */
export function sliceOf(
  array: Float32Array<ArrayBuffer>,
  { offset, length }: Pick<Slice, "offset" | "length">,
): Float32Array<ArrayBuffer> {
  return array.subarray(offset, offset + length);
}
