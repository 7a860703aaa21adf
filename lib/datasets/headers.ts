import { inOrder, MammolabError, type OnProgress, progressCounter, sentenceOf } from "../base/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import { type Dataset, datasetOf, type Oddity } from "./oddities.ts";
import type { FilmRecord } from "./records.ts";

/** What a file says of its film; a `Mammogram` has it. */
export type FilmFacts = Pick<Mammogram, "patient" | "patientFrom" | "laterality" | "view" | "age">;

/**
 * Fills in what the source left open with what the files themselves say: patient (as a salted hash), side, view and age.
 * What the source says stays. Patients guessed from file names are not taken: for those there are patterns.
 *
 * @param options.readFacts reads a file: `(record) => loadMammogram(record.file)`
 * @param options.atOnce how many files at the same time; default 2
 * @returns the dataset; a file that cannot be read is left as it was, and that is an oddity
 */
export async function readHeaders(
  { name, records, oddities }: Dataset,
  { readFacts, atOnce = 2, signal, onProgress }: {
    readonly readFacts: (record: FilmRecord, signal: AbortSignal) => Promise<FilmFacts>;
    readonly atOnce?: number;
    readonly signal?: AbortSignal;
    readonly onProgress?: OnProgress;
  },
): Promise<Dataset> {
  const count = progressCounter("files", records.length, onProgress);
  const filled: FilmRecord[] = [];
  const found: Oddity[] = oddities.filter(({ kind }) => kind !== "patients unknown");
  for await (const outcome of inOrder(records, readFacts, { atOnce, ...(signal ? { signal } : {}) })) {
    const record = outcome.item;
    count();
    if ("error" in outcome) {
      if (!(outcome.error instanceof MammolabError)) throw outcome.error;
      found.push({ kind: "file unreadable", record: record.id, why: sentenceOf(outcome.error) });
      filled.push(record);
      continue;
    }
    const { patient, patientFrom, laterality, view, age } = outcome.result;
    filled.push({
      ...(laterality ? { laterality } : {}),
      ...(view ? { view } : {}),
      ...(age === undefined ? {} : { age }),
      ...record,
      ...(record.patient === undefined && patient && patientFrom === "PatientID" ? { patient, patientFrom } : {}),
    });
  }
  const unknown = filled.filter(({ patient }) => patient === undefined).length;
  if (unknown > 0) {
    found.push({ kind: "patients unknown", count: unknown, why: "neither the source nor the files name it" });
  }
  return datasetOf(name, filled, found);
}
