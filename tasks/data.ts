import {
  checkDataset,
  countKinds,
  countRecords,
  type Dataset,
  type FilmRecord,
  labelOf,
  type Leak,
  type Oddity,
  patientsOnSeveralSides,
  type RecordCounts,
  recordsOf,
  type SavedSplit,
  saveSplit,
  sentenceOfLeak,
  sentenceOfOddity,
  type Split,
  split,
  splitAsPublished,
  splitFolds,
} from "../lib/datasets/mod.ts";
import { loadMammogram } from "../lib/io/mod.ts";
import { readSource, sourceOptions } from "./_source.ts";
import { oneOf, type OptionSpecs, table, task, type TaskContext, UsageError } from "./_task.ts";

const options = {
  ...sourceOptions,
  quick: { type: "boolean", help: "check: look at the records only, open no file" },
  seed: { type: "number", value: "N", help: "split: default 1", integer: true },
  test: { type: "number", value: "SHARE", help: "split: share of the patients for test; default 0.2", min: 0, max: 1 },
  validation: {
    type: "number",
    value: "SHARE",
    help: "split: share of the patients for validation; default 0",
    min: 0,
    max: 1,
  },
  folds: { type: "number", value: "K", help: "split: k folds in place of one test side", min: 2, integer: true },
  repeats: {
    type: "number",
    value: "N",
    help: "split: with --folds, how often to divide anew; default 1",
    min: 1,
    integer: true,
  },
  stratify: {
    type: "string",
    value: "FIELDS",
    help: "split: label (default), or several: label,density,laterality,view",
  },
  by: { type: "string", value: "UNIT", help: "split: patient (default), or record, which leaks, for controls" },
  published: { type: "boolean", help: "split: the publisher's own sides" },
  "drop-leaks": {
    type: "boolean",
    help: "split: with --published, leave out training films of patients who are in test too",
  },
  "each-file-is-a-patient": { type: "boolean", help: "split: take files of unknown patients as patients of their own" },
} as const satisfies OptionSpecs;

type Context = TaskContext<typeof options>;
type Typed = Context["options"];

/** Options that only some commands take; the others concern the source. */
const only: Readonly<Record<string, readonly (keyof Typed)[]>> = {
  check: ["quick"],
  split: [
    "seed",
    "test",
    "validation",
    "folds",
    "repeats",
    "stratify",
    "by",
    "published",
    "drop-leaks",
    "each-file-is-a-patient",
  ],
};

await task({
  name: "data",
  summary: "What is in a dataset, what is wrong with it, and how to split it without leaks.",
  usage: "deno task data index|check|split SOURCE",
  example: "deno task data split films.csv --columns file=path,label=class,patient=who --folds 5 --json",
  options,
  positionals: { min: 2, max: 2, words: true, what: "index, check or split, and a source" },
  run: async (context) => {
    const [command, source] = context.files as [string, string];
    if (!["index", "check", "split"].includes(command)) {
      throw new UsageError(`data: "${command}" is none of index, check, split`);
    }
    refuseIdle(command, context.options);
    const dataset = await readSource(context.path(source), context);
    const facts = {
      source: context.path(source),
      dataset: dataset.name,
      counts: countRecords(dataset.records),
      records: dataset.records,
    };
    if (command === "check") {
      const { oddities, leaks, images } = await check(dataset, context);
      return { ...facts, images, oddities: oddities.map(told), leaks: leaks.map(toldLeak) };
    }
    if (command === "index") return { ...facts, oddities: dataset.oddities.map(told) };
    const splits = splitsOf(dataset.records, context.options);
    return {
      ...facts,
      oddities: dataset.oddities.map(told),
      splits: splits.map(described),
      leaks: splits.flatMap(leaksOf).map(toldLeak),
    };
  },
  print: (result) =>
    [
      summaryOf(result.dataset, result.counts),
      kindsOf("Oddities", result.oddities),
      ..."splits" in result ? [splitTable(result.splits)] : [],
      ..."images" in result ? [lookedAt(result.images, result.counts.records)] : [],
      ..."leaks" in result ? [kindsOf("Leaks", result.leaks)] : [],
    ].join("\n\n"),
});

/** An option that would do nothing is an error. */
function refuseIdle(command: string, options: Typed): void {
  const given = (name: keyof Typed) => options[name] !== undefined && options[name] !== false;
  for (const [owner, names] of Object.entries(only)) {
    const idle = owner === command ? undefined : names.find(given);
    if (idle) throw new UsageError(`data: --${idle} has no effect on ${command}`);
  }
  const clash = (owner: keyof Typed, names: readonly (keyof Typed)[], wanted: boolean) => {
    const idle = given(owner) === wanted ? undefined : names.find(given);
    if (idle) throw new UsageError(`data: --${idle} has no effect ${wanted ? "without" : "with"} --${owner}`);
  };
  clash(
    "published",
    ["seed", "test", "validation", "folds", "repeats", "stratify", "by", "each-file-is-a-patient"],
    false,
  );
  clash("published", ["drop-leaks"], true);
  clash("folds", ["repeats"], true);
  clash("folds", ["test"], false);
}

async function check(dataset: Dataset, { options: { quick }, signal, progress, failure }: Context) {
  const found = await checkDataset(
    dataset,
    quick ? { readFiles: false } : {
      readImage: async ({ file, frame }, signal) =>
        (await loadMammogram(file, { signal, ...(frame === undefined ? {} : { frame }) })).image,
      signal,
      onProgress: progress,
    },
  );
  if (found.oddities.some(({ kind }) => kind === "file unreadable")) failure();
  return found;
}

function splitsOf(records: readonly FilmRecord[], options: Typed): readonly Split[] {
  const { seed = 1, test = 0.2, validation = 0, folds, repeats = 1, stratify, by = "patient" } = options;
  if (options.published) {
    return [splitAsPublished(records, options["drop-leaks"] ? { leaks: "drop from training" } : {})];
  }
  const common = {
    by: oneOf("by", by, ["patient", "record"] as const),
    seed,
    eachFileIsAPatient: options["each-file-is-a-patient"],
    ...(stratify === undefined ? {} : { stratify: strataFrom(stratify) }),
  };
  return folds === undefined
    ? [split(records, { ...common, holdOut: { test, validation } })]
    : splitFolds(records, { ...common, folds, repeats, validation });
}

type Described = SavedSplit & { readonly counts: Readonly<Record<"training" | "validation" | "test", RecordCounts>> };

function described(made: Split): Described {
  const { training, validation, test } = made;
  const counts = {
    training: countRecords(training.records),
    validation: countRecords(validation.records),
    test: countRecords(test.records),
  };
  return { ...saveSplit(made), counts };
}

function leaksOf({ training, validation, test }: Split): readonly Leak[] {
  const sides = [training, validation, test];
  const sideOf = new Map(sides.flatMap(({ side, records }) => records.map((record) => [record, side] as const)));
  return patientsOnSeveralSides([...sideOf.keys()], (record) => sideOf.get(record));
}

function told(oddity: Oddity) {
  return { ...oddity, records: recordsOf(oddity), sentence: sentenceOfOddity(oddity) };
}

function toldLeak(leak: Leak) {
  return { ...leak, sentence: sentenceOfLeak(leak) };
}

function summaryOf(name: string, { records, patients, recordsWithoutPatient, lesions, ...by }: RecordCounts): string {
  const unknown = recordsWithoutPatient > 0 ? ` (${recordsWithoutPatient} records of unknown patients)` : "";
  const rows = Object.entries(by).map(([field, counts]) => ({
    field,
    counts: Object.entries(counts).map(([value, count]) => `${value} ${count}`).join(", "),
  }));
  return `${name}: ${records} films, ${patients} patients${unknown}, ${lesions} lesions\n\n${table(rows)}`;
}

/** Not all films: some cannot be read, or Ctrl-C came. */
function lookedAt(images: number, records: number): string {
  return `${images === records ? images : `${images} of ${records}`} films looked at`;
}

function kindsOf(title: string, found: readonly ((Oddity | Leak) & { readonly sentence: string })[]): string {
  if (found.length === 0) return `${title}: none`;
  const first = new Map(found.toReversed().map(({ kind, sentence }) => [kind, sentence]));
  const counts = countKinds(found);
  const rows = Object.entries(counts).map(([kind, count]) => ({
    count,
    kind,
    first: first.get(kind as Oddity["kind"])!,
  }));
  return `${title}: ${found.length}\n\n${table(rows)}`;
}

function splitTable(splits: readonly Described[]): string {
  const rows = splits.flatMap(({ hash, fold, counts }) =>
    (["training", "validation", "test"] as const).filter((side) => counts[side].records > 0).map((side) => ({
      split: hash,
      ...(fold ? { fold: `${fold.repeat + 1}.${fold.fold + 1}` } : {}),
      side,
      films: counts[side].records,
      patients: counts[side].patients,
      labels: Object.entries(counts[side].label).map(([label, count]) => `${label} ${count}`).join(", "),
    }))
  );
  const notes = [...new Set(splits.flatMap(({ notes }) => notes))];
  return [table(rows), ...notes].join("\n");
}

function strataFrom(typed: string): (record: FilmRecord) => string {
  const fields = typed.split(",").map((field) =>
    oneOf("stratify", field.trim(), ["label", "density", "laterality", "view"] as const)
  );
  return (record) =>
    fields.map((field) => (field === "label" ? labelOf(record) : record[field]) ?? "unknown").join(" ");
}
