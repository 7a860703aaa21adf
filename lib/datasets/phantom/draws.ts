import { hashKey, type Random, seededRandom } from "../../base/mod.ts";

/** Part of every key: another word, and every phantom is another. This one made exam 7 a good first example. */
export const generation = "phantom 89";

/** Random draws for one part of one exam: `drawsOf(seed, "lobes", "L")`. One draw more in a part changes no other part. */
export function drawsOf(seed: number, ...part: readonly (number | string)[]): Random {
  return seededRandom(generation, seed, ...part);
}

/** The key of {@linkcode counted} draws for one part of one exam. */
export function keyOf(seed: number, ...part: readonly (number | string)[]): number {
  return hashKey([generation, seed, ...part])[0] >>> 0;
}

/**
 * Draw number `n` of the run `key`: 32 random bits that need no state, so that a field can be filled in any order
 * (MurmurHash3's finalizer over a Weyl sequence).
 */
export function counted(key: number, n: number): number {
  let h = (key ^ Math.imul(n + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const steps = 4096;

/** cos(2π i / 4096). */
export const cosines: Float64Array = Float64Array.from(
  { length: steps },
  (_, i) => Math.cos((2 * Math.PI * i) / steps),
);

/** Quantiles of the Rayleigh distribution with mean square 1: the length of a complex Gaussian. */
export const rayleigh: Float64Array = Float64Array.from(
  { length: steps },
  (_, i) => Math.sqrt(-Math.log((i + 0.5) / steps)),
);

/** A normal draw, deviation 1, from 24 of the bits of {@linkcode counted}: table look-ups, for the noise of every pixel. */
export function normalOf(bits: number): number {
  return Math.SQRT2 * rayleigh[bits >>> 20]! * cosines[bits & 4095]!;
}
