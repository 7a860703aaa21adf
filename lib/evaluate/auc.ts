import { MammolabError } from "../base/mod.ts";
import { normalCdf, reachOf } from "./normal.ts";

/** One scored case: the truth, the score, and the patient it belongs to (cases of one patient are not independent). */
export type ScoredCase = { readonly positive: boolean; readonly score: number; readonly patient?: string };

/** A figure with its interval. */
export type Estimate = {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** 0.95 unless asked otherwise. */
  readonly level: number;
  /** How the interval was made, in words. */
  readonly method: string;
};

/**
 * Area under the ROC curve: the chance that a positive case scores above a negative one, ties counting half
 * (Mann & Whitney 1947; Hanley & McNeil 1982).
 *
 * @throws MammolabError when one of the classes is missing or a score is no number
 *
 * @example
 * ```ts
 * import { auc } from "mammolab/evaluate";
 * import { assertEquals } from "@std/assert";
 * assertEquals(auc([{ positive: false, score: 0.2 }, { positive: true, score: 0.2 }, { positive: true, score: 0.9 }]), 0.75);
 * ```
 */
export function auc(cases: readonly ScoredCase[]): number {
  return placements(cases).auc;
}

/**
 * The AUC with an interval that respects patients: Obuchowski 1997 ("Nonparametric analysis of clustered ROC curve data",
 * Biometrics 53) where cases name their patients, DeLong et al. 1988 where each case is a patient of its own.
 *
 * At an AUC of exactly 0 or 1 the variance is 0 and no normal interval exists: then the bound is the rule of three on the
 * rarer class, and `method` says so. Where a class has a single patient, nothing is known of how patients differ: the
 * interval is then all there is.
 */
export function aucWithInterval(
  cases: readonly ScoredCase[],
  { level = 0.95 }: { readonly level?: number } = {},
): Estimate {
  const { auc: value, variance, clusters } = aucVariance(cases);
  const deviations = reachOf(level);
  if (variance === 0) {
    const rarer = fewest(clusters);
    const reach = Math.min(1, -Math.log(1 - level) / rarer);
    return {
      value,
      low: value === 1 ? 1 - reach : Math.max(0, value - reach),
      high: value === 1 ? 1 : Math.min(1, value + reach),
      level,
      method: rarer < 2 ? "none: one of the classes has a single patient" : "rule of three (the variance is zero)",
    };
  }
  const reach = deviations * Math.sqrt(variance);
  const clustered = cases.some(({ patient }) => patient !== undefined);
  return {
    value,
    low: Math.max(0, value - reach),
    high: Math.min(1, value + reach),
    level,
    method: clustered ? "Obuchowski 1997, clustered by patient" : "DeLong 1988",
  };
}

/** The AUC, the variance of its estimate, and how many patients hold a positive and a negative case. */
export function aucVariance(cases: readonly ScoredCase[]): {
  readonly auc: number;
  readonly variance: number;
  readonly clusters: { readonly positive: number; readonly negative: number };
} {
  const { auc: value, v } = placements(cases);
  return { auc: value, ...clusteredVariance(cases, v.map((one) => one - value)) };
}

/**
 * Compares two scores of the same cases: Z and the two-sided p of the paired difference, by Obuchowski 1997 where cases name
 * their patients, DeLong et al. 1988 where each case is a patient of its own.
 *
 * @throws MammolabError when the cases are not the same, or too few for a variance
 */
export function compareAuc(
  first: readonly ScoredCase[],
  second: readonly ScoredCase[],
): { readonly difference: number; readonly z: number; readonly p: number } {
  const other = (one: ScoredCase, i: number) =>
    one.positive !== second[i]!.positive || one.patient !== second[i]!.patient;
  if (first.length !== second.length || first.some(other)) {
    throw new MammolabError(
      "Cannot compare two AUCs: the cases are not the same ones in the same order; score one list twice",
    );
  }
  const [a, b] = [placements(first), placements(second)];
  const difference = a.auc - b.auc;
  const { variance, clusters } = clusteredVariance(first, a.v.map((one, i) => one - a.auc - (b.v[i]! - b.auc)));
  if (fewest(clusters) < 2 || (variance === 0 && difference !== 0)) {
    throw new MammolabError(
      `Cannot compare two AUCs: ${clusters.positive} and ${clusters.negative} patients with a positive and a negative case say nothing of how the difference varies; add patients`,
    );
  }
  const z = difference === 0 ? 0 : difference / Math.sqrt(variance);
  return { difference, z, p: 2 * normalCdf(-Math.abs(z)) };
}

type Clusters = { readonly positive: number; readonly negative: number };

const fewest = ({ positive, negative }: Clusters) => Math.min(positive, negative);

/** Obuchowski 1997, of the deviations of the placements; without patients it is DeLong's. 0 where a class has one patient. */
function clusteredVariance(
  cases: readonly ScoredCase[],
  deviations: Float64Array,
): { readonly variance: number; readonly clusters: Clusters } {
  const m = cases.filter(({ positive }) => positive).length;
  const n = cases.length - m;
  const patients = new Map<string, { a: number; b: number; positive: boolean; negative: boolean }>();
  cases.forEach(({ positive, patient }, i) => {
    const key = patient ?? `case ${i}`;
    const cluster = patients.get(key) ?? { a: 0, b: 0, positive: false, negative: false };
    if (positive) cluster.a += deviations[i]!;
    else cluster.b += deviations[i]!;
    cluster[positive ? "positive" : "negative"] = true;
    patients.set(key, cluster);
  });
  const all = [...patients.values()];
  const count = (side: keyof Clusters) => all.filter((cluster) => cluster[side]).length;
  const clusters = { positive: count("positive"), negative: count("negative") };
  if (fewest(clusters) < 2) return { variance: 0, clusters };
  const sum = (f: (c: { a: number; b: number }) => number) => all.reduce((total, c) => total + f(c), 0);
  const { positive, negative } = clusters;
  const s10 = positive / ((positive - 1) * m) * sum(({ a }) => a * a);
  const s01 = negative / ((negative - 1) * n) * sum(({ b }) => b * b);
  const s11 = all.length / (all.length - 1) * sum(({ a, b }) => a * b);
  return { variance: Math.max(0, s10 / m + s01 / n + 2 * s11 / (m * n)), clusters };
}

type Placements = { readonly auc: number; readonly v: Float64Array<ArrayBuffer> };

/** For each case the share of the other class that it beats, by mid-ranks in O(n log n) (Sun & Xu 2014). */
function placements(cases: readonly ScoredCase[]): Placements {
  const m = cases.filter(({ positive }) => positive).length;
  const n = cases.length - m;
  if (m === 0 || n === 0) {
    throw new MammolabError(
      `Cannot compute an AUC: ${m} positive and ${n} negative cases were given, at least one of each is needed; add cases of the missing class`,
    );
  }
  const bad = cases.findIndex(({ score }) => Number.isNaN(score));
  if (bad >= 0) {
    throw new MammolabError(
      `Cannot compute an AUC: the score of case ${bad} is not a number; check the model's output`,
    );
  }

  const order = cases.map((_, i) => i).sort((i, j) => cases[i]!.score - cases[j]!.score);
  const v = new Float64Array(cases.length);
  let [positivesBelow, negativesBelow] = [0, 0];
  for (let start = 0; start < order.length;) {
    let end = start;
    let [positives, negatives] = [0, 0];
    while (end < order.length && cases[order[end]!]!.score === cases[order[start]!]!.score) {
      if (cases[order[end]!]!.positive) positives++;
      else negatives++;
      end++;
    }
    for (let k = start; k < end; k++) {
      const i = order[k]!;
      v[i] = cases[i]!.positive
        ? (negativesBelow + negatives / 2) / n
        : (m - positivesBelow - positives + positives / 2) / m;
    }
    positivesBelow += positives;
    negativesBelow += negatives;
    start = end;
  }
  let total = 0;
  cases.forEach(({ positive }, i) => total += positive ? v[i]! : 0);
  return { auc: total / m, v };
}
