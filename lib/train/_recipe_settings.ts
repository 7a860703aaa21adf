// What each setting of a recipe may be: a recipe may come from a file, and what is mistyped must not be left out in silence.
import type { LossOptions } from "./losses.ts";
import type { OptimizerOptions } from "./optimizers.ts";
import type { Recipe } from "./recipe.ts";
import type { ScheduleOptions } from "./schedules.ts";

/** What is wrong with a setting and what to give in its place; undefined where nothing is. */
type Check = (value: unknown, name: string) => string | undefined;
type Settings<T> = { readonly [K in keyof Required<T>]: Check };
type Kind<Union, K> = Omit<Extract<Union, { readonly kind: K }>, "kind">;

const shown = (value: unknown) =>
  typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : `${value}`;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const must = (wanted: string, holds: (value: unknown) => boolean): Check => (value, name) =>
  holds(value) ? undefined : `${name} is ${shown(value)}; give ${wanted}`;
const number = (wanted: string, holds: (value: number) => boolean): Check =>
  must(wanted, (value) => typeof value === "number" && Number.isFinite(value) && holds(value));
const optional = (check: Check): Check => (value, name) => value === undefined ? undefined : check(value, name);
const oneOf = (...words: readonly string[]): Check =>
  must(words.join(" or "), (value) => words.includes(value as string));
const listOf = (check: Check): Check => (value, name) =>
  Array.isArray(value)
    ? value.map((item, at) => check(item, `${name}[${at}]`)).find((wrong) => wrong !== undefined)
    : `${name} is ${shown(value)}; give a list`;

/** An object with these settings and no others. */
const settings = (checks: Readonly<Record<string, Check>>): Check => (value, name) => {
  const of = (key: string) => name === "" ? key : `${name}.${key}`;
  if (!isRecord(value)) return `${name || "the recipe"} is ${shown(value)}; give an object of settings`;
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(checks, key));
  if (unknown !== undefined) {
    return `${of(unknown)} is no setting; known are ${Object.keys(checks).map(of).join(", ")}`;
  }
  return Object.entries(checks).map(([key, check]) => check(value[key], of(key))).find((wrong) => wrong !== undefined);
};

/** An object that says by its `kind` which settings it has. */
const tagged = (kinds: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check => (value, name) => {
  const kind = isRecord(value) ? value.kind : undefined;
  const wrong = oneOf(...Object.keys(kinds))(kind, `${name}.kind`);
  return wrong ?? settings({ kind: () => undefined, ...kinds[kind as string] })(value, name);
};

const count = number("a whole number above 0", (value) => Number.isSafeInteger(value) && value > 0);
const index = number("a whole number of 0 or more", (value) => Number.isSafeInteger(value) && value >= 0);
const above = number("a number above 0", (value) => value > 0);
const notBelow = optional(number("a number of 0 or more", (value) => value >= 0));
const share = optional(number("a share from 0 to below 1", (value) => value >= 0 && value < 1));
const flag = optional(must("true or false", (value) => typeof value === "boolean"));
const classWeights = optional(listOf(number("a number of 0 or more", (value) => value >= 0)));
const mode: Check = (value, name) =>
  isRecord(value)
    ? settings({ lastBlocks: index })(value, name)
    : must(`head, all, or { "lastBlocks": 2 }`, (word) => word === "head" || word === "all")(value, name);

const upTo1 = number("a share from 0 to 1", (value) => value >= 0 && value <= 1);
const constant: Settings<Kind<ScheduleOptions, "constant">> = { warmUp: share };
const cosine: Settings<Kind<ScheduleOptions, "cosine">> = { warmUp: share, floor: optional(upTo1) };
const step: Settings<Kind<ScheduleOptions, "step">> = {
  warmUp: share,
  milestones: optional(listOf(upTo1)),
  factor: optional(above),
};
const oneCycle: Settings<Kind<ScheduleOptions, "oneCycle">> = { warmUp: share, floor: optional(upTo1) };
const adamw: Settings<Kind<OptimizerOptions, "adamw">> = {
  weightDecay: notBelow,
  betas: optional(
    must(
      "two shares from 0 to below 1",
      (value) =>
        Array.isArray(value) && value.length === 2 &&
        value.every((beta) => typeof beta === "number" && beta >= 0 && beta < 1),
    ),
  ),
  epsilon: optional(above),
};
const sgd: Settings<Kind<OptimizerOptions, "sgd">> = { weightDecay: notBelow, momentum: share };
const crossEntropy: Settings<Kind<LossOptions, "crossEntropy">> = { classWeights };
const focal: Settings<Kind<LossOptions, "focal">> = { gamma: notBelow, classWeights };

/** A setting without a row does not compile. */
const recipe: Settings<Recipe> = {
  seed: number("a whole number", Number.isSafeInteger),
  epochs: count,
  batchSize: count,
  accumulate: optional(count),
  learningRate: (value) =>
    typeof value === "number" && value > 0 && value < Infinity
      ? undefined
      : `the learning rate is ${shown(value)}: nothing would be learned; give learningRate a number above 0`,
  schedule: optional(tagged({ constant, cosine, step, oneCycle })),
  optimizer: optional(tagged({ adamw, sgd })),
  loss: optional(tagged({ crossEntropy, focal, binary: {} })),
  labelSmoothing: share,
  mode: optional(mode),
  unfreeze: optional((value, name) =>
    listOf(settings({ epoch: index, mode }))(value, name) ??
      must("stages in the order of their epochs", (stages) =>
        (stages as { readonly epoch: number }[]).every(({ epoch }, at, all) =>
          at === 0 || epoch > all[at - 1]!.epoch
        ))(
          value,
          name,
        )
  ),
  layerDecay: optional(number("a factor above 0, at most 1", (value) => value > 0 && value <= 1)),
  dropPath: share,
  dropout: share,
  recomputeAttention: flag,
  clip: optional(number("a norm above 0, or leave it out", (value) => value > 0)),
  average: share,
  patience: optional(count),
  augmentation: optional(listOf(must("an object with a name and options", isRecord))),
  patches: optional(count),
  pool: optional(oneOf("token", "average", "max")),
};

/** What is wrong with a recipe, of the first setting that is. */
export const wrongSetting = (value: unknown): string | undefined => settings(recipe)(value, "");
