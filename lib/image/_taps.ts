// Which input pixels make an output pixel, and with what weight: the one-dimensional half of a resize.

/** `area`: exact overlap; `bilinear`, `bicubic`: antialiased (the filter widens when shrinking). */
export type ResizeFilter = "area" | "bilinear" | "bicubic";

/** For each output pixel `first[i]`, `count[i]` weights from `weights[i * stride]`; they sum to 1. */
export type Taps = {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float32Array;
  readonly stride: number;
};

/** @param from pixels of the input along this axis, @param to pixels of the output */
export function tapsOf(filter: ResizeFilter, from: number, to: number): Taps {
  return filter === "area" ? areaTaps(from, to) : kernelTaps(kernels[filter], from, to);
}

/** Length of [j, j + 1) inside [i s, (i + 1) s), over s: OpenCV's INTER_AREA when shrinking. */
function areaTaps(from: number, to: number): Taps {
  const scale = from / to;
  const stride = Math.ceil(scale) + 1;
  const [first, count, weights] = [new Int32Array(to), new Int32Array(to), new Float32Array(to * stride)];
  for (let i = 0; i < to; i++) {
    // Products of whole numbers, so that an edge that falls on a pixel edge does so exactly.
    const [low, high] = [(i * from) / to, ((i + 1) * from) / to];
    const start = Math.floor(low);
    const end = Math.min(Math.ceil(high), from);
    first[i] = start;
    count[i] = end - start;
    for (let j = start; j < end; j++) {
      weights[i * stride + j - start] = (Math.min(j + 1, high) - Math.max(j, low)) / scale;
    }
  }
  return { first, count, weights, stride };
}

type Kernel = { readonly support: number; readonly at: (t: number) => number };

const kernels: Readonly<Record<Exclude<ResizeFilter, "area">, Kernel>> = {
  bilinear: { support: 1, at: (t) => Math.max(0, 1 - Math.abs(t)) },
  bicubic: { support: 2, at: cubic },
};

/** Keys 1981 with a = -0.5, which torch and Pillow use with antialiasing (without it torch has a = -0.75). */
function cubic(t: number): number {
  const a = -0.5;
  const x = Math.abs(t);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

/**
 * The rules of torch (aten/src/ATen/native/cpu/UpSampleKernel.cpp, antialias) and Pillow (src/libImaging/Resample.c): half
 * width support × max(1, scale), whole taps by truncation, normalized after the cut at the border.
 */
function kernelTaps({ support, at }: Kernel, from: number, to: number): Taps {
  const scale = from / to;
  const wide = Math.max(1, scale);
  const half = support * wide;
  const stride = Math.ceil(half) * 2 + 1;
  const [first, count, weights] = [new Int32Array(to), new Int32Array(to), new Float32Array(to * stride)];
  for (let i = 0; i < to; i++) {
    const center = scale * (i + 0.5);
    const start = Math.max(0, Math.trunc(center - half + 0.5));
    const end = Math.min(from, Math.trunc(center + half + 0.5));
    let sum = 0;
    for (let j = start; j < end; j++) sum += at((j - center + 0.5) / wide);
    first[i] = start;
    count[i] = end - start;
    for (let j = start; j < end; j++) weights[i * stride + j - start] = at((j - center + 0.5) / wide) / sum;
  }
  return { first, count, weights, stride };
}
