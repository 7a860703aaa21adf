import { MammolabError } from "../base/mod.ts";

/** How many deviations an interval reaches to both sides. @throws MammolabError for a level that is no share, such as 95 */
export function reachOf(level: number): number {
  if (level > 0 && level < 1) return normalQuantile(0.5 + level / 2);
  throw new MammolabError(`Cannot give an interval of level ${level}: it is a share between 0 and 1; give 0.95`);
}

/** Φ(z): the standard normal distribution (complementary error function, W. J. Cody's bound; here the continued fraction and series of Abramowitz & Stegun 7.1.5 and 7.1.14). */
export function normalCdf(z: number): number {
  return z > 0 ? 1 - 0.5 * erfc(z / Math.SQRT2) : 0.5 * erfc(-z / Math.SQRT2);
}

/** erfc(x) for x ≥ 0, to about 1e-15: a series below 2.5, Lentz's continued fraction above. */
function erfc(x: number): number {
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
      if (term === 0) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = (k / 2) / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

/**
 * Φ⁻¹(p): the standard normal quantile, by Newton's method on {@linkcode normalCdf}.
 *
 * @param p in [0, 1]; 0 and 1 give minus and plus infinity
 */
export function normalQuantile(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  // A start good to 0.005 (Hastings 1955, Abramowitz & Stegun 26.2.22), then three steps of a quadratic method.
  const tail = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)));
  let z = tail - (2.30753 + 0.27061 * tail) / (1 + 0.99229 * tail + 0.04481 * tail * tail);
  if (p < 0.5) z = -z;
  for (let step = 0; step < 6; step++) {
    z -= (normalCdf(z) - p) / (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
  }
  return z;
}
