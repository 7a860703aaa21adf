import { MammolabError } from "../base/mod.ts";
import type { FilmRecord, TrainingSide } from "../datasets/mod.ts";
import { groupsOf } from "./_groups.ts";

/** A number for each class. */
export type ByClass = Readonly<Record<string, number>>;

/** Which groups are weighed, and how much each shall count. */
export type WeightOptions = {
  /** The groups; default: the label. */
  readonly by?: (record: FilmRecord) => string | undefined;
  /** How much each group shall weigh in all against the others; default: all alike. */
  readonly ratio?: ByClass;
};

/**
 * Factors for the loss of each class, so that classes weigh alike (or by `ratio`) although their numbers differ. The mean
 * factor over the films is 1, so that the learning rate keeps its meaning: n / (classes · n of the class), as scikit-learn's
 * `class_weight="balanced"`.
 *
 * @throws MammolabError for anything but a training side, or a class without films
 */
export function classWeights(side: TrainingSide, options: WeightOptions = {}): ByClass {
  const groups = groupsOf(side, options);
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const weights = groups.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(groups.map(({ name, size, weight }) => [name, (weight / weights) * total / size]));
}

/**
 * The α of the focal loss (Lin et al. 2017, section 3.1: "inverse class frequency") of each class, sum 1. For two classes it
 * is the share of the other one.
 *
 * @throws MammolabError for anything but a training side, or a class without films
 */
export function focalAlpha(side: TrainingSide, options: WeightOptions = {}): ByClass {
  return sharesOf(classWeights(side, options));
}

/**
 * Takes the prior of training out of a network's scores and puts that of the world in: p(c) · real(c) / trained(c), made to
 * sum to 1 (Saerens, Latinne & Decaestecker 2002, eq. 2.4; Elkan 2001). After balancing, scores of 0.5 for a rare class are
 * right for the balanced world only.
 *
 * @param scores of one film, each in [0, 1]
 * @param options.trained what the network saw of each class: counts or shares, `plan.after`, or counts times class weights
 * @param options.real counts or shares where it is used, such as `plan.before`
 *
 * @example A score of 0.5 after training on equal parts means the prior itself
 * ```ts
 * import { correctPrior } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const real = { malignant: 1, normal: 99 };
 * const scores = correctPrior({ malignant: 0.5, normal: 0.5 }, { trained: { malignant: 99, normal: 99 }, real });
 * assertEquals(scores, { malignant: 0.01, normal: 0.99 });
 * ```
 */
export function correctPrior(
  scores: ByClass,
  { trained, real }: { readonly trained: ByClass; readonly real: ByClass },
): ByClass {
  for (const name of Object.keys(scores)) {
    if (!(trained[name]! > 0) || !(real[name]! >= 0)) {
      throw new MammolabError(
        `Cannot correct the prior: the class "${name}" needs a share above 0 in training and one of at least 0 in the world; give both`,
      );
    }
  }
  const [seen, world] = [sharesOf(trained), sharesOf(real)];
  const weighed = mapped(scores, (score, name) => score * world[name]! / seen[name]!);
  if (!(sum(weighed) > 0)) {
    throw new MammolabError(
      "Cannot correct the prior: no class that exists in the world has a score above 0; check the scores",
    );
  }
  return sharesOf(weighed);
}

function sharesOf(values: ByClass): ByClass {
  const total = sum(values);
  return mapped(values, (value) => value / total);
}

function sum(values: ByClass): number {
  return Object.values(values).reduce((a, b) => a + b, 0);
}

function mapped(values: ByClass, change: (value: number, name: string) => number): ByClass {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}
