import FFT from "fft.js";
import { cosines, counted, rayleigh } from "./draws.ts";

/** A square of random texture that repeats: 512 samples of 0.5 mm or 256 of 1 mm, 256 mm in all. Mean 0, deviation 1. */
export type Field = {
  /** `[size, size]`, size a power of two. */
  readonly data: Float32Array;
  readonly size: number;
  /** Millimetres from sample to sample. */
  readonly step: number;
};

/** Amplitude of a wave by its frequency in cycles per millimetre. */
export type Spectrum = (frequency: number) => number;

/** Side of every field in millimetres: longer than a breast, so that no view shows a repetition. */
const side = 256;

/**
 * Amplitudes of a power spectrum 1/f^beta: what the background of a mammogram is like, with beta about 3
 * (Burgess, Jacobson, Judy 2001, Med Phys 28:419; Burgess 2003, Proc SPIE 5034).
 *
 * @param options.longest waves longer than this many millimetres are left out
 * @param options.shortest waves shorter than this are faded out (Gaussian)
 */
export function powerLaw(
  beta: number,
  { longest = 60, shortest = 0 }: { readonly longest?: number; readonly shortest?: number } = {},
): Spectrum {
  return (f) => f < 1 / longest ? 0 : f ** (-beta / 2) * Math.exp(-((f * shortest) ** 2));
}

/** Amplitudes around one wavelength in millimetres, `width` in natural logarithms: smooth fields with one size of blob. */
export function band(wavelength: number, width: number): Spectrum {
  return (f) => Math.exp(-((Math.log(f * wavelength) / width) ** 2)) / f;
}

type Workspace = { readonly fft: { transform(out: Float64Array, data: Float64Array): void }; readonly z: Float64Array };

/** One transform and 4 MB a size, used again and again; every value is overwritten. */
const workspaces = new Map<number, Workspace>();

function workspaceOf(size: number): Workspace {
  const kept = workspaces.get(size) ?? { fft: new FFT(size), z: new Float64Array(2 * size * size) };
  workspaces.set(size, kept);
  return kept;
}

/**
 * Two independent Gaussian fields with given spectra by one complex Fourier transform: their spectra are those of real
 * fields (Hermitian), so A + iB transforms to a real part A and an imaginary part B.
 *
 * @param size samples a side, a power of two
 */
export function twoFields(key: number, size: 256 | 512, first: Spectrum, second: Spectrum): [Field, Field] {
  const { fft, z } = workspaceOf(size);
  fillWaves(z, key, size, first, second);
  const line = new Float64Array(2 * size);
  const out = new Float64Array(2 * size);
  for (let v = 0; v < size; v++) {
    fft.transform(out, z.subarray(2 * v * size, 2 * (v + 1) * size));
    z.set(out, 2 * v * size);
  }
  const a = new Float32Array(size * size);
  const b = new Float32Array(size * size);
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < size; v++) {
      line[2 * v] = z[2 * (v * size + u)]!;
      line[2 * v + 1] = z[2 * (v * size + u) + 1]!;
    }
    fft.transform(out, line);
    for (let v = 0; v < size; v++) {
      a[v * size + u] = out[2 * v]!;
      b[v * size + u] = out[2 * v + 1]!;
    }
  }
  const step = side / size;
  return [{ data: unitDeviation(a), size, step }, { data: unitDeviation(b), size, step }];
}

/** The waves of A + iB, `[v, u]` interleaved real and imaginary; random phase, Rayleigh length. */
function fillWaves(z: Float64Array, key: number, size: number, first: Spectrum, second: Spectrum): void {
  const half = size / 2;
  // amplitudes by quarter steps of frequency: smooth enough, and no power or logarithm a wave
  const quarter = (spectrum: Spectrum) =>
    Float64Array.from({ length: 3 * size }, (_, i) => i === 0 ? 0 : spectrum(i / 4 / side));
  const [p, q] = [quarter(first), quarter(second)];
  for (let v = 0; v <= half; v++) {
    for (let u = 0; u < size; u++) {
      if ((v === 0 || v === half) && u > half) continue; // the mirrored half is filled below
      const across = u > half ? u - size : u;
      const r = Math.round(4 * Math.sqrt(across * across + v * v));
      // numbered by signed frequency, so that a coarser field of the same key would be the same waves
      const number = 2 * (v * 1024 + across + 512);
      const ha = counted(key, number);
      const hb = counted(key, number + 1);
      const la = p[r]! * rayleigh[ha >>> 20]!;
      const lb = q[r]! * rayleigh[hb >>> 20]!;
      const ar = la * cosines[ha & 4095]!;
      const ai = la * cosines[(ha + 3072) & 4095]!;
      const br = lb * cosines[hb & 4095]!;
      const bi = lb * cosines[(hb + 3072) & 4095]!;
      const at = 2 * (v * size + u);
      const mirrored = 2 * (((size - v) % size) * size + ((size - u) % size));
      z[at] = ar - bi; // A + iB
      z[at + 1] = ai + br;
      if (mirrored !== at) { // conj(A) + i conj(B), so that both fields come out real
        z[mirrored] = ar + bi;
        z[mirrored + 1] = br - ai;
      }
    }
  }
}

function unitDeviation(data: Float32Array): Float32Array {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  const scale = 1 / Math.sqrt(sum / data.length || 1);
  for (let i = 0; i < data.length; i++) data[i]! *= scale;
  return data;
}

/** The field at a place in millimetres, bilinear, repeating. */
export function sample({ data, size, step }: Field, x: number, y: number): number {
  const fx = x / step + 8 * size;
  const fy = y / step + 8 * size;
  const ix = Math.floor(fx);
  const iy = Math.floor(fy);
  const dx = fx - ix;
  const dy = fy - iy;
  const wrap = size - 1;
  const left = ix & wrap;
  const right = (ix + 1) & wrap;
  const top = (iy & wrap) * size;
  const bottom = ((iy + 1) & wrap) * size;
  return (data[top + left]! * (1 - dx) + data[top + right]! * dx) * (1 - dy) +
    (data[bottom + left]! * (1 - dx) + data[bottom + right]! * dx) * dy;
}
