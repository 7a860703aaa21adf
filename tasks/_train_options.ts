// What `train` and `evaluate` share: the data, its split, and the classes, from the words of the command line.
import { createHash } from "node:crypto";
import { type FilmRecord, labelOf, loadDataset, recordKey, type Split, split } from "../lib/datasets/mod.ts";
import { classOf, type ClassRule } from "../lib/train/mod.ts";
import { type OptionSpecs, UsageError } from "./_task.ts";

export const dataOptions = {
  classes: {
    type: "string",
    value: "RULE",
    help: 'which labels make a class, the last class is the positive one: "negative=normal+benign,malignant=malignant"',
    default: "negative=normal+benign,malignant=malignant",
  },
  "split-seed": { type: "number", value: "N", help: "which split by patient", default: 1, integer: true },
  test: {
    type: "number",
    value: "SHARE",
    help: "share of the patients kept for testing",
    default: 0.2,
    min: 0,
    max: 0.9,
  },
  validation: {
    type: "number",
    value: "SHARE",
    help: "share of the patients for validation",
    default: 0.1,
    min: 0,
    max: 0.9,
  },
} as const satisfies OptionSpecs;

/** The options that give `evaluate` the split of a training: with another one, films it learned from would test it. */
export function sameSplit(options: {
  readonly classes: string;
  readonly "split-seed": number;
  readonly test: number;
  readonly validation: number;
}): string {
  const { classes, "split-seed": seed, test, validation } = options;
  return `--classes '${classes}' --split-seed ${seed} --test ${test} --validation ${validation}`;
}

/** A name for a set of films, whatever their order. */
export function hashOfFilms(films: readonly FilmRecord[]): string {
  return createHash("sha256").update(JSON.stringify(films.map(recordKey).sort())).digest("hex").slice(0, 16);
}

/** `negative=normal+benign,malignant=malignant` */
export function classesFrom(typed: string): ClassRule {
  const parts = typed.split(",").map((part) => part.split("="));
  if (parts.length < 2 || parts.some((part) => part.length !== 2 || part.some((word) => word.trim() === ""))) {
    throw new UsageError(`--classes takes NAME=LABEL+LABEL,NAME=LABEL …, at least two classes, not "${typed}"`);
  }
  return Object.fromEntries(
    parts.map(([name, labels]) => [name!.trim(), labels!.split("+").map((label) => label.trim())]),
  );
}

/** The films that have a class, split by patient and stratified by class; and how many have none. */
export async function filmsOf(
  source: string,
  { classes, "split-seed": seed, test, validation }: {
    readonly classes: string;
    readonly "split-seed": number;
    readonly test: number;
    readonly validation: number;
  },
): Promise<
  { readonly films: readonly FilmRecord[]; readonly split: Split; readonly rule: ClassRule; readonly without: number }
> {
  const rule = classesFrom(classes);
  const { records } = await loadDataset(source);
  const known = new Set(Object.values(rule).flat());
  const films = records.filter((film) => known.has(labelOf(film) ?? ""));
  const stratify = (film: FilmRecord) => `${classOf(film, rule)}`;
  return {
    films,
    split: split(films, { by: "patient", seed, stratify, holdOut: { test, validation } }),
    rule,
    without: records.length - films.length,
  };
}
