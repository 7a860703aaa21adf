import { inOrder, MammolabError, type OnProgress, progressCounter, sentenceOf } from "../base/mod.ts";
import { boundingBox, type Image } from "../image/mod.ts";
import { fingerprint } from "./_fingerprint.ts";
import { type Copies, copiesByBytes, copiesByName, pixelCopies } from "./duplicates.ts";
import { conflicts, ids, missingViews, viewsOf } from "./_consistency.ts";
import { type Dataset, type Leak, type Oddity, recordsOf } from "./oddities.ts";
import { type FilmRecord, patientKey, recordKey, type SideName } from "./records.ts";
import type { Split } from "./sides.ts";

/** What a check shall look at, beside the records themselves. */
export type CheckOptions = {
  /** The sides to check; default: the publisher's. */
  readonly split?: Split;
  /** Reads the picture of a record. Without it no pixel is looked at: no near-duplicates, no lesions outside. */
  readonly readImage?: (record: FilmRecord, signal: AbortSignal) => Promise<Image>;
  /** How many pictures are read at the same time; default 2. */
  readonly atOnce?: number;
  /** Whether files of equal size are compared byte by byte; default true. */
  readonly readFiles?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
};

/** What a check found. */
export type Integrity = {
  /** Those of the dataset and those that the check added. */
  readonly oddities: readonly Oddity[];
  readonly leaks: readonly Leak[];
  /** Pictures that were looked at; fewer than records after a stop or where files are missing. */
  readonly images: number;
};

/**
 * Looks for what would make figures from a dataset wrong.
 *
 * Leaks: patients and views on several sides; copies of a film under different names, seen by names (` (37)`, `_rot90`), by
 * bytes, or by pixels in any of the eight orientations, where they are on several sides or not known to be of one patient.
 *
 * Oddities: those, where they stay within one patient and side; films with conflicting labels; missing files and views;
 * lesions that reach beyond the image.
 *
 * @returns everything found; an unreadable picture is an oddity, not an end
 */
export async function checkDataset(dataset: Dataset, options: CheckOptions = {}): Promise<Integrity> {
  const { records } = dataset;
  const { split, readImage, atOnce = 2, readFiles = true, signal, onProgress } = options;
  const sideOf = sidesFrom(split);
  const missing = await missingFiles(records);
  const present = records.filter(({ id }) => !missing.has(id));
  const pixels = readImage
    ? await lookAtPixels(present, { readImage, atOnce, signal, onProgress })
    : { oddities: [], copies: [], images: 0 };
  const bytes = readFiles ? await copiesByBytes(present, { ...(signal ? { signal } : {}) }) : [];
  const copies = [
    ...bytes.map((found) => judged(found, "same bytes", sideOf)),
    ...withoutKnown(pixels.copies, bytes).map((found) => judged(found, "pixels", sideOf)),
  ];
  const names = copiesByName(records);
  const oddities: Oddity[] = [
    ...dataset.oddities,
    ...tellMissing(missing, records),
    ...missingViews(records),
    ...names.map(({ records, marks }): Oddity => ({ kind: "name speaks of a copy", records: ids(records), marks })),
    ...conflicts(records, copies.map(({ records }) => records)),
    ...pixels.oddities,
    ...copies.flatMap(({ oddity }) => oddity ?? []),
  ];
  const leaks = [
    ...patientsOnSeveralSides(records, sideOf),
    ...viewsOnSeveralSides(records, sideOf),
    ...names.flatMap((found) => judged(found, "names", sideOf).leak ?? []),
    ...copies.flatMap(({ leak }) => leak ?? []),
  ];
  return { oddities: distinct(oddities), leaks, images: pixels.images };
}

/** Patients who are on several sides; a split by patient has none. */
export function patientsOnSeveralSides(
  records: readonly FilmRecord[],
  sideOf: (record: FilmRecord) => SideName | undefined = ({ split }) => split,
): Leak[] {
  return [
    ...Map.groupBy(records.filter(({ patient }) => patient !== undefined), (record) => patientKey(record)!).values(),
  ]
    .flatMap((films) => {
      const sides = sidesOf(films, sideOf);
      return sides.length > 1
        ? [{ kind: "patient on several sides" as const, patient: films[0]!.patient!, sides, records: ids(films) }]
        : [];
    });
}

type SideOf = (record: FilmRecord) => SideName | undefined;

function sidesFrom(split: Split | undefined): SideOf {
  if (!split) return (record) => record.split;
  const sides = new Map(
    [split.training, split.validation, split.test].flatMap(({ side, records }) =>
      records.map((record) => [recordKey(record), side] as const)
    ),
  );
  return (record) => sides.get(recordKey(record));
}

function sidesOf(records: readonly FilmRecord[], sideOf: SideOf): SideName[] {
  const found = new Set(records.map(sideOf));
  return (["training", "validation", "test"] as const).filter((side) => found.has(side));
}

function viewsOnSeveralSides(records: readonly FilmRecord[], sideOf: SideOf): Leak[] {
  return viewsOf(records).flatMap(([film, films]) => {
    const sides = sidesOf(films, sideOf);
    return sides.length > 1 ? [{ kind: "film on several sides" as const, film, sides, records: ids(films) }] : [];
  });
}

/** Copies within one known patient and one side are odd; others let a test film be learned. */
function judged(
  { records, match }: Copies,
  evidence: "same bytes" | "names" | "pixels",
  sideOf: SideOf,
): { readonly records: readonly FilmRecord[]; readonly leak?: Leak; readonly oddity?: Oddity } {
  const sides = sidesOf(records, sideOf);
  const patients = new Set(records.map((record) => patientKey(record) ?? `unknown, film ${record.id}`));
  const found = { records: ids(records), ...(match ? { match } : {}) };
  if (records.length > 1 && (patients.size > 1 || sides.length > 1)) {
    return { records, leak: { kind: "copies under different names", sides, evidence, ...found } };
  }
  return evidence === "names" ? { records } : { records, oddity: { kind: "copies of one film", evidence, ...found } };
}

/** Leaves out groups of which all are known to be equal already. */
function withoutKnown(found: readonly Copies[], known: readonly Copies[]): readonly Copies[] {
  const group = new Map(known.flatMap(({ records }, index) => records.map((record) => [record, index] as const)));
  return found.filter(({ records }) => {
    const groups = new Set(records.map((record) => group.get(record)));
    return groups.size > 1 || groups.has(undefined);
  });
}

async function missingFiles(records: readonly FilmRecord[]): Promise<Set<string>> {
  const there = await Promise.all(records.map(({ file }) => Deno.stat(file).then(({ isFile }) => isFile, () => false)));
  return new Set(records.flatMap(({ id }, index) => there[index] ? [] : id));
}

function tellMissing(missing: ReadonlySet<string>, records: readonly FilmRecord[]): Oddity[] {
  if (missing.size === records.length) return [{ kind: "no file is there", files: records.length }];
  return [...missing].map((record) => ({ kind: "file missing", record }));
}

async function lookAtPixels(
  records: readonly FilmRecord[],
  { readImage, atOnce, signal, onProgress }: {
    readonly readImage: (record: FilmRecord, signal: AbortSignal) => Promise<Image>;
    readonly atOnce: number;
    readonly signal: AbortSignal | undefined;
    readonly onProgress: OnProgress | undefined;
  },
): Promise<{ readonly oddities: readonly Oddity[]; readonly copies: readonly Copies[]; readonly images: number }> {
  const oddities: Oddity[] = [];
  const films = pixelCopies();
  let images = 0;
  const count = progressCounter("films", records.length, onProgress);
  // The signal ends the reading under way, not the loop: what was found before it is kept.
  const read = (record: FilmRecord, left: AbortSignal) =>
    readImage(record, signal ? AbortSignal.any([signal, left]) : left);
  for await (const outcome of inOrder(records, read, { atOnce })) {
    const record = outcome.item;
    if ("result" in outcome) {
      oddities.push(...lesionsOutside(record, outcome.result));
      films.add(record, fingerprint(outcome.result));
      images++;
    } else if (signal?.aborted) break;
    else if (!(outcome.error instanceof MammolabError)) throw outcome.error;
    else oddities.push({ kind: "file unreadable", record: record.id, why: sentenceOf(outcome.error) });
    count();
    if (signal?.aborted) break;
  }
  return { oddities, copies: films.groups(), images };
}

function lesionsOutside({ id, lesions }: FilmRecord, image: Image): Oddity[] {
  return lesions.flatMap(({ kind, region }) =>
    region && reachesBeyond(boundingBox(region), image)
      ? [{ kind: "lesion outside the image" as const, record: id, lesion: kind }]
      : []
  );
}

function reachesBeyond(
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  { width, height }: Image,
): boolean {
  return box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height;
}

function distinct(oddities: readonly Oddity[]): Oddity[] {
  return [
    ...new Map(oddities.map((oddity) => [JSON.stringify([oddity.kind, recordsOf(oddity), oddity]), oddity])).values(),
  ];
}
