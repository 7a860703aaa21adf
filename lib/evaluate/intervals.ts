import { checkWord, MammolabError, seededRandom } from "../base/mod.ts";
import type { Estimate, ScoredCase } from "./auc.ts";
import { normalCdf, normalQuantile, reachOf } from "./normal.ts";

/**
 * Wilson's score interval of a share (Wilson 1927; recommended by Newcombe 1998).
 *
 * @param successes whole number in [0, trials]
 * @param trials above zero
 *
 * @example
 * ```ts
 * import { wilson } from "mammolab/evaluate";
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(wilson(0, 20).high, 0.1611251581, 1e-9); // Newcombe 1998
 * ```
 */
export function wilson(
  successes: number,
  trials: number,
  { level = 0.95 }: { readonly level?: number } = {},
): Estimate {
  if (!(trials > 0)) {
    throw new MammolabError("Cannot give an interval of a share: there are no trials; add cases of this class");
  }
  if (!(successes >= 0 && successes <= trials)) {
    throw new MammolabError(
      `Cannot give an interval of a share: ${successes} of ${trials} is none; give successes from 0 to the trials`,
    );
  }
  const z = reachOf(level);
  const share = successes / trials;
  const middle = share + z * z / (2 * trials);
  const reach = z * Math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials));
  const scale = 1 + z * z / trials;
  return {
    value: share,
    low: successes === 0 ? 0 : (middle - reach) / scale,
    high: successes === trials ? 1 : (middle + reach) / scale,
    level,
    method: "Wilson 1927",
  };
}

/** Options of {@linkcode bootstrap}. */
export type BootstrapOptions = {
  readonly seed: number;
  readonly resamples?: number;
  readonly level?: number;
  /** `bca` corrects bias and skewness (Efron 1987). */
  readonly kind?: "percentile" | "bca";
};

/**
 * An interval of any statistic by drawing patients with replacement, all cases of a patient together, separately among
 * patients with and without a positive case (so that no resample lacks a class).
 *
 * @param statistic must accept any list in which cases are repeated
 */
export function bootstrap(
  cases: readonly ScoredCase[],
  statistic: (cases: readonly ScoredCase[]) => number,
  { seed, resamples = 2000, level = 0.95, kind = "percentile" }: BootstrapOptions,
): Estimate {
  checkWord("Cannot draw anew: the kind of interval", kind, ["percentile", "bca"]);
  reachOf(level); // refuses what is no level
  if (!(Number.isSafeInteger(resamples) && resamples > 0)) {
    throw new MammolabError(`Cannot draw ${resamples} resamples; give a whole number above 0`);
  }
  const patients = [...Map.groupBy(cases, (c) => c.patient ?? c).values()];
  const strata = [true, false].map((sick) => patients.filter((own) => own.some((c) => c.positive) === sick))
    .filter((stratum) => stratum.length > 0);
  const random = seededRandom(seed, "bootstrap");
  const value = statistic(cases);
  const draws = Float64Array.from(
    { length: resamples },
    () => statistic(strata.flatMap((stratum) => stratum.flatMap(() => stratum[random.integer(stratum.length)]!))),
  ).sort();

  const tails = [(1 - level) / 2, (1 + level) / 2] as const;
  const shares = kind === "percentile" ? tails : bcaShares(tails, value, draws, patients, statistic);
  return {
    value,
    low: quantile(draws, shares[0]),
    high: quantile(draws, shares[1]),
    level,
    method: `${
      kind === "bca" ? "BCa" : "percentile"
    } bootstrap over ${patients.length} patients, ${resamples} resamples`,
  };
}

/** Efron 1987: bias from the share of draws below the estimate (ties half), acceleration from the jackknife over patients. */
function bcaShares(
  tails: readonly [number, number],
  value: number,
  draws: Float64Array,
  patients: readonly (readonly ScoredCase[])[],
  statistic: (cases: readonly ScoredCase[]) => number,
): readonly [number, number] {
  let below = 0;
  for (const draw of draws) below += draw < value ? 1 : draw === value ? 0.5 : 0;
  const bias = normalQuantile(Math.min(Math.max(below / draws.length, 1e-6), 1 - 1e-6));
  const leftOut = patients.map((_, k) => statistic(patients.flatMap((own, i) => i === k ? [] : own)));
  const mean = leftOut.reduce((a, b) => a + b, 0) / leftOut.length;
  const [cubes, squares] = leftOut.reduce(([c, s], x) => [c + (mean - x) ** 3, s + (mean - x) ** 2], [0, 0]);
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  const corrected = (tail: number) => {
    const z = bias + normalQuantile(tail);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  return [corrected(tails[0]), corrected(tails[1])];
}

function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
