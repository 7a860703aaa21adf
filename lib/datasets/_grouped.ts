import { checkWord, MammolabError } from "../base/mod.ts";
import type { Unit } from "./_allocate.ts";
import { shortHash } from "./_hash.ts";
import { copyMarks } from "./copies.ts";
import { type FilmRecord, labelOf, patientKey, recordKey, type SideName } from "./records.ts";
import { sealTraining, type Split } from "./sides.ts";
import type { SplitOptions } from "./split.ts";

/** What cannot be divided, in an order that does not depend on that of the records. */
export type Grouped = {
  readonly units: readonly Unit[];
  /** The records of each unit. */
  readonly films: readonly (readonly FilmRecord[])[];
  readonly classOf: (record: FilmRecord) => string;
  readonly classes: readonly string[];
  readonly notes: readonly string[];
};

/** Records → patients with what they weigh, or whatever `by` says must stay whole. */
export function group(
  records: readonly FilmRecord[],
  { by, seed, stratify = labelOf, eachFileIsAPatient = false }: SplitOptions,
): Grouped {
  checkWord("Cannot split by the key", by, ["patient", "record"]);
  if (records.length === 0) throw new MammolabError("Cannot split: there are no records; check the source");
  if (!Number.isSafeInteger(seed)) {
    throw new MammolabError(`Cannot split with the seed ${seed}: a whole number is needed`);
  }
  refuseTwice(records);
  const unknown = records.filter(({ patient }) => patient === undefined);
  if (by === "patient" && unknown.length > 0 && !eachFileIsAPatient) {
    throw new MammolabError(
      `Cannot split by patient: the patient of ${unknown.length} of ${records.length} records is unknown (${
        unknown[0]!.id
      }); name a column or a pattern that tells it, or say that each file is a patient`,
    );
  }
  const notes: string[] = [];
  if (by === "record") {
    notes.push("films of one patient may be on several sides: figures from this split say nothing about new patients");
  } else if (unknown.length > 0) {
    notes.push(`each of ${unknown.length} files whose patient is unknown was taken as a patient, as the user said`);
  }
  const copies = Map.groupBy(unknown, ({ dataset, file }) => `${dataset} copies of ${copyMarks(file).original}`);
  const marked = new Map(
    [...copies].filter(([, same]) => same.some(({ file }) => copyMarks(file).marks.length > 0))
      .flatMap(([name, same]) => same.map((record) => [record, name] as const)),
  );
  if (by === "patient" && marked.size > 0) {
    notes.push(`${marked.size} files whose names speak of copies were kept together by the name of their film`);
  }
  const keyOf = (record: FilmRecord): string =>
    by === "record"
      ? recordKey(record)
      : patientKey(record) ?? marked.get(record) ?? `${record.dataset} file ${record.id}`;

  const classOf = (record: FilmRecord) => stratify(record) ?? "no label";
  const classes = [...new Set(records.map(classOf))].sort();
  const groups = [...Map.groupBy(records, keyOf)].sort(([a], [b]) => a < b ? -1 : 1);
  const units = groups.map(([key, films]): Unit => {
    const counts = classes.map((name) => films.filter((film) => classOf(film) === name).length);
    return { key, amounts: [...counts, ...counts.map((count) => Math.min(1, count)), 1] };
  });
  return { units, films: groups.map(([, films]) => films), classOf, classes, notes };
}

/** Side of each unit → split, with a note for each class that a side lacks. */
export function assemble(
  { films, classOf, classes, notes }: Grouped,
  sideOf: readonly SideName[],
  { options: { by, seed }, asked, fold }: {
    readonly options: SplitOptions;
    readonly asked: readonly SideName[];
    readonly fold?: NonNullable<Split["fold"]>;
  },
): Split {
  const side = new Map(films.flatMap((same, unit) => same.map((record) => [record, sideOf[unit]!] as const)));
  const lacking = classes.flatMap((name) => {
    const patients = films.filter((same) => same.some((record) => classOf(record) === name));
    const has = new Set(patients.flatMap((same) => side.get(same[0]!)!));
    return asked.filter((name) => !has.has(name)).map((side) =>
      `the ${side} side has no film of class "${name}": only ${patients.length} patients have one`
    );
  });
  return sealed([...side.keys()], (record) => side.get(record)!, {
    by,
    seed,
    ...(fold ? { fold } : {}),
    notes: [...notes, ...lacking],
    asked,
  });
}

/** Side of each record → split, with its hash. */
export function sealed(
  records: readonly FilmRecord[],
  sideOf: (record: FilmRecord) => SideName,
  { asked, ...facts }: Omit<Split, "training" | "validation" | "test" | "hash"> & {
    readonly asked: readonly SideName[];
  },
): Split {
  const keyed = records.map((record) => ({ record, key: recordKey(record), side: sideOf(record) }))
    .sort((a, b) => a.key < b.key ? -1 : 1);
  const hash = shortHash(JSON.stringify(keyed.map(({ key, side }) => [side, key])), 16);
  const on = (name: SideName) => keyed.filter(({ side }) => side === name).map(({ record }) => record);
  const empty = asked.find((name) => on(name).length === 0);
  if (empty) {
    throw new MammolabError(
      `Cannot split ${records.length} records: the ${empty} side would be empty; give more patients, or a larger share to it`,
    );
  }
  return {
    training: sealTraining(on("training"), hash),
    validation: { side: "validation", records: on("validation"), splitHash: hash },
    test: { side: "test", records: on("test"), splitHash: hash },
    hash,
    ...facts,
  };
}

/** A film that occurs twice would be counted twice, or lie on two sides. */
export function refuseTwice(records: readonly FilmRecord[]): void {
  const seen = new Set<string>();
  for (const record of records) {
    const key = recordKey(record);
    if (seen.has(key)) {
      throw new MammolabError(`Cannot split: the film ${record.id} of ${record.dataset} occurs twice; keep it once`);
    }
    seen.add(key);
  }
}
