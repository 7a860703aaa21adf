import { MammolabError } from "../base/mod.ts";
import type { Estimate, ScoredCase } from "./auc.ts";
import { wilson } from "./intervals.ts";

/** What a threshold makes of the cases: `score >= threshold` is called positive. */
export type Confusion = {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
  readonly falseNegative: number;
};

/** Counts the four kinds of answers at a threshold. */
export function confusionAt(cases: readonly ScoredCase[], threshold: number): Confusion {
  const count = (positive: boolean, called: boolean) =>
    cases.filter((c) => c.positive === positive && (c.score >= threshold) === called).length;
  return {
    truePositive: count(true, true),
    falsePositive: count(false, true),
    trueNegative: count(false, false),
    falseNegative: count(true, false),
  };
}

/** Share of the positive cases that are called positive, with Wilson's interval (one case a patient is assumed). */
export function sensitivity({ truePositive, falseNegative }: Confusion): Estimate {
  return wilson(truePositive, truePositive + falseNegative);
}

/** Share of the negative cases that are called negative, with Wilson's interval (one case a patient is assumed). */
export function specificity({ trueNegative, falsePositive }: Confusion): Estimate {
  return wilson(trueNegative, trueNegative + falsePositive);
}

/**
 * Brier score: the mean squared difference between probability and truth (Brier 1950); 0 is perfect, 0.25 is a coin.
 *
 * @throws MammolabError when a score is no probability
 */
export function brier(cases: readonly ScoredCase[]): number {
  if (cases.length === 0) throw new MammolabError("Cannot compute a Brier score: there are no cases; add some");
  let sum = 0;
  for (const { positive, score } of cases) {
    if (!(score >= 0 && score <= 1)) {
      throw new MammolabError(`Cannot compute a Brier score: ${score} is no probability; apply a softmax first`);
    }
    sum += (score - (positive ? 1 : 0)) ** 2;
  }
  return sum / cases.length;
}

/** A point of the ROC curve. */
export type RocPoint = {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
  readonly threshold: number;
};

/** The ROC curve, from (0, 0) at a threshold of infinity to (1, 1), one point for each score that occurs. */
export function rocCurve(cases: readonly ScoredCase[]): readonly RocPoint[] {
  const sorted = [...cases].sort((a, b) => b.score - a.score);
  const positives = cases.filter((c) => c.positive).length;
  const negatives = cases.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new MammolabError("Cannot draw a ROC curve: one of the two classes is missing; add cases of it");
  }
  const points: RocPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0, threshold: Infinity }];
  let [hits, alarms] = [0, 0];
  sorted.forEach(({ positive, score }, i) => {
    if (positive) hits++;
    else alarms++;
    if (sorted[i + 1]?.score !== score) {
      points.push({ falsePositiveRate: alarms / negatives, truePositiveRate: hits / positives, threshold: score });
    }
  });
  return points;
}
