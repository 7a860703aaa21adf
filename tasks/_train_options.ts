// What `train` and `evaluate` share: the data, its split, and the classes, from the words of the command line.
import { createHash } from "node:crypto";
import { MammolabError } from "../lib/base/mod.ts";
import {
  countBy,
  type FilmRecord,
  labelOf,
  recordKey,
  type Split,
  split,
  splitAsPublished,
} from "../lib/datasets/mod.ts";
import { classOf, type ClassRule } from "../lib/train/mod.ts";
import { readSource, sourceOptions } from "./_source.ts";
import { type OptionSpecs, type TaskContext, UsageError } from "./_task.ts";

export const dataOptions = {
  ...sourceOptions,
  classes: {
    type: "string",
    value: "RULE",
    help: 'which labels make a class, the last class is the positive one: "negative=normal+benign,malignant=malignant"',
    default: "negative=normal+benign,malignant=malignant",
  },
  published: {
    type: "boolean",
    help:
      "the publisher's own sides; where it names no validation side, one is taken from its training side by patient",
  },
  "drop-leaks": {
    type: "boolean",
    help: "with --published, leave out training films of patients who are in test too",
  },
  "split-seed": { type: "number", value: "N", help: "which split by patient; default 1", integer: true },
  test: { type: "number", value: "SHARE", help: "share of the patients for test; default 0.2", min: 0, max: 0.9 },
  validation: {
    type: "number",
    value: "SHARE",
    help: "share of the patients for validation; default 0.1",
    min: 0,
    max: 0.9,
  },
  "each-file-is-a-patient": { type: "boolean", help: "take files of unknown patients as patients of their own" },
} as const satisfies OptionSpecs;

type Context = Pick<TaskContext<typeof dataOptions>, "options" | "path" | "signal" | "progress" | "note">;
type Typed = Context["options"];
type SplitWords = Pick<
  Typed,
  "classes" | "published" | "drop-leaks" | "split-seed" | "test" | "validation" | "each-file-is-a-patient"
>;

/** The options that give `evaluate` the split of a training: with another one, films it learned from would test it. */
export function sameSplit(options: SplitWords, { seed }: Pick<Split, "seed">): string {
  const { classes, published, test = 0.2, validation = 0.1 } = options;
  return [
    `--classes ${quoted(classes)}`,
    ...(published ? ["--published"] : []),
    ...(options["drop-leaks"] ? ["--drop-leaks"] : []),
    ...(seed === undefined ? [] : [`--split-seed ${seed}`]),
    ...(published ? [] : [`--test ${test}`]),
    ...(published && options.validation === undefined && seed === undefined ? [] : [`--validation ${validation}`]),
    ...(options["each-file-is-a-patient"] ? ["--each-file-is-a-patient"] : []),
  ].join(" ");
}

/** The options that were given to read the source, each with a space before it. They may name folders: for this user alone. */
export function sameSource(options: Partial<Typed>): string {
  return (Object.keys(sourceOptions) as (keyof typeof sourceOptions)[]).map((name) => {
    const given = options[name];
    return given === undefined || given === false ? "" : given === true ? ` --${name}` : ` --${name} ${quoted(given)}`;
  }).join("");
}

/** As a shell takes it for one word. */
export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

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

/** The films that have a class, split by patient and stratified by class, or as published. Those that have none are noted. */
export async function filmsOf(
  source: string,
  context: Context,
): Promise<{ readonly films: readonly FilmRecord[]; readonly split: Split; readonly rule: ClassRule }> {
  const { options, note } = context;
  if (options.published && options.test !== undefined) throw idle("--test", "with --published");
  if (options["drop-leaks"] && !options.published) throw idle("--drop-leaks", "without --published");
  const rule = classesFrom(options.classes);
  const { records } = await readSource(source, context);
  const known = new Set(Object.values(rule).flat());
  const hasClass = (film: FilmRecord) => known.has(labelOf(film) ?? "");
  const films = records.filter(hasClass);
  const others = records.filter((film) => !hasClass(film));
  const labels = Object.entries(countBy(others, labelOf)).map(([label, count]) => `${label} ${count}`).join(", ");
  if (films.length === 0) {
    throw new MammolabError(
      `Cannot take films of ${source}: none has a label of a class, their labels are ${labels}; name them in --classes`,
    );
  }
  if (others.length > 0) note(`${others.length} films have a label of no class (${labels}) and are left out`);
  return { films, split: splitOf(films, rule, options), rule };
}

function splitOf(films: readonly FilmRecord[], rule: ClassRule, options: Typed): Split {
  const { published, test = 0.2, validation = 0.1, "each-file-is-a-patient": eachFileIsAPatient } = options;
  const names = Object.keys(rule);
  const how = {
    seed: options["split-seed"] ?? 1,
    stratify: (film: FilmRecord) => names[classOf(film, rule)],
    eachFileIsAPatient,
  };
  if (!published) return split(films, { ...how, by: "patient", holdOut: { test, validation } });

  const named = films.some(({ split }) => split === "validation");
  const drawn = !named && validation > 0;
  const given = (name: keyof Typed) => options[name] !== undefined && options[name] !== false;
  const without = (["validation", "split-seed", "each-file-is-a-patient"] as const).slice(named ? 0 : 1).find(given);
  if (!drawn && without) {
    throw idle(
      `--${without}`,
      named ? "where the publisher names a validation side" : "with --published and no validation side",
    );
  }
  return splitAsPublished(films, {
    ...(options["drop-leaks"] ? { leaks: "drop from training" } : {}),
    ...(drawn ? { validation: { ...how, share: validation } } : {}),
  });
}

const idle = (option: string, where: string) => new UsageError(`${option} has no effect ${where}`);
