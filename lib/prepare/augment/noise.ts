import { checkWord, MammolabError, type Random, seededRandom } from "../../base/mod.ts";
import type { Image } from "../../image/mod.ts";
import { changed, setTable } from "./_kernel.ts";

/** The three kinds of noise. */
export type NoiseKind = "gaussian" | "poisson" | "saltAndPepper";

/** How strong noise may become; the level is drawn uniformly from [low, high]. */
export type NoiseOptions = {
  readonly kind: NoiseKind;
  /**
   * `gaussian`: deviation, as a share of full scale. `poisson`: deviation at full scale (it falls with the root of the
   * value, as photon noise does). `saltAndPepper`: share of pixels that become 0 or 1.
   */
  readonly low: number;
  readonly high: number;
};

/** Drawn by {@linkcode sampleNoise}; the pattern is made from `seed`. */
export type NoiseParameters = { readonly kind: NoiseKind; readonly level: number; readonly seed: number };

const kinds: readonly NoiseKind[] = ["gaussian", "poisson", "saltAndPepper"];

/** Draws a level and a pattern. @throws MammolabError when the kind is unknown, the range is not within 0..1 or holds 0 alone */
export function sampleNoise({ kind, low, high }: NoiseOptions, random: Random): NoiseParameters {
  checkWord("Cannot draw noise: the kind", kind, kinds);
  if (!(low >= 0 && high >= low && high <= 1) || high === 0) {
    throw new MammolabError(
      `Cannot draw ${kind} noise from ${low} to ${high}: give two levels in 0..1, the second above 0`,
    );
  }
  return { kind, level: random.between(low, high), seed: random.bits() };
}

/**
 * Adds noise, cut to 0..1. Each channel has its own.
 *
 * Normal numbers are read from a table of 65,536 quantiles, two for each 32 random bits: the normal distribution to its
 * 1/65,536 quantile (4.2 deviations), six times faster than drawing each by Box & Muller.
 */
export function noise(image: Image, { kind, level, seed }: NoiseParameters, into?: Float32Array): Image {
  checkWord("Cannot add noise: the kind", kind, kinds);
  const { bits } = seededRandom(seed, "noise");
  const from = image.data;
  if (kind === "saltAndPepper") {
    const data = new Float32Array(from.length);
    const struck = level * 2 ** 31; // of 31 bits; the last one chooses salt or pepper
    for (let i = 0; i < data.length; i++) {
      const draw = bits();
      data[i] = draw >>> 1 < struck ? draw & 1 : from[i]!;
    }
    return { ...image, data };
  }
  if (!tableIsSet) setTable(normalTable());
  tableIsSet = true;
  const photon = kind === "poisson" ? 1 : 0;
  const data = changed(
    from,
    (kernel, start, end) => kernel.addNoise(start, end, level, photon, bits(), bits(), bits(), bits()),
    into,
  );
  return { ...image, data };
}

let tableIsSet = false;

/** Φ⁻¹((k + ½) / 65,536): the quantiles follow from integrating dx/dp = 1/φ(x) outwards from 0. */
function normalTable(): Float32Array {
  const size = 65_536;
  const out = new Float32Array(size);
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  // Runge & Kutta's fourth-order steps of dx/dp = 1/φ(x), 8 a table entry: 1e-9 in the middle, 1e-4 at the ends.
  let x = 0;
  const steps = 8;
  const walk = (share: number) => {
    const h = share / (size * steps);
    for (let s = 0; s < steps; s++) {
      const k1 = 1 / density(x);
      const k2 = 1 / density(x + (h * k1) / 2);
      const k3 = 1 / density(x + (h * k2) / 2);
      const k4 = 1 / density(x + h * k3);
      x += (h * (k1 + 2 * k2 + 2 * k3 + k4)) / 6;
    }
  };
  walk(0.5);
  for (let k = size / 2; k < size; k++) {
    out[k] = x;
    out[size - 1 - k] = -x;
    if (k < size - 1) walk(1);
  }
  return out;
}
