import { countBy, type FilmRecord, type SideName } from "./records.ts";

/**
 * Something strange in a dataset or in one of its records: a fact to know before counting on it, not an error.
 * Those with a `record` stand in that record too, as a sentence.
 */
export type Oddity =
  | { readonly kind: "source contradicts itself"; readonly note: string }
  | { readonly kind: "lesion without region"; readonly record: string; readonly lesion: string }
  | { readonly kind: "lesion in the background"; readonly record: string; readonly lesion: string }
  | { readonly kind: "lesion outside the image"; readonly record: string; readonly lesion: string }
  | { readonly kind: "benign and malignant on one film"; readonly record: string }
  | { readonly kind: "film under two ids"; readonly record: string; readonly other: string }
  | { readonly kind: "conflicting labels"; readonly records: readonly string[]; readonly labels: readonly string[] }
  | { readonly kind: "crop and mask in two folders"; readonly record: string; readonly lesion: string }
  | {
    readonly kind: "value outside its scale";
    readonly record: string;
    readonly field: string;
    readonly value: string;
    readonly scale: string;
  }
  | { readonly kind: "patient with several densities"; readonly patient: string; readonly densities: readonly string[] }
  | { readonly kind: "no label"; readonly record: string; readonly why: string }
  | { readonly kind: "listed twice"; readonly record: string; readonly rows: readonly number[] }
  | { readonly kind: "file missing"; readonly record: string }
  | { readonly kind: "no file is there"; readonly files: number }
  | { readonly kind: "file unreadable"; readonly record: string; readonly why: string }
  | {
    readonly kind: "view missing";
    readonly patient: string;
    readonly laterality: string;
    readonly has: string;
    readonly lacks: string;
  }
  | { readonly kind: "patients unknown"; readonly count: number; readonly why: string }
  | {
    /** Of one patient and on one side; otherwise it is a leak. */
    readonly kind: "copies of one film";
    readonly records: readonly string[];
    readonly evidence: "same bytes" | "pixels";
    readonly match?: Match;
  }
  | { readonly kind: "name speaks of a copy"; readonly records: readonly string[]; readonly marks: readonly string[] }
  | { readonly kind: "file passed over"; readonly files: number; readonly why: string };

/** Something by which knowledge of a test film can reach training. */
export type Leak =
  | {
    readonly kind: "patient on several sides";
    readonly patient: string;
    readonly sides: readonly SideName[];
    readonly records: readonly string[];
  }
  | {
    readonly kind: "film on several sides";
    readonly film: string;
    readonly sides: readonly SideName[];
    readonly records: readonly string[];
  }
  | {
    /** Of different patients, or of unknown ones, or on several sides. */
    readonly kind: "copies under different names";
    readonly records: readonly string[];
    readonly sides: readonly SideName[];
    /** How it was seen. */
    readonly evidence: "same bytes" | "names" | "pixels";
    readonly match?: Match;
  };

/** How alike two films are, or the least alike pair of several. */
export type Match = {
  /** What was compared: the crops to the breast, or the whole films. */
  readonly of: "breast" | "whole";
  /** Bits of 256 that differ between the hashes. */
  readonly distance: number;
  /** At 48 × 48 pixels. */
  readonly correlation: number;
  /** How the second film is turned against the first: `"as it is"`, `"mirrored"`, `"turned by 90°"` … */
  readonly orientation: string;
};

/** A dataset as it was found: its records and what is strange about them. */
export type Dataset = {
  readonly name: string;
  readonly records: readonly FilmRecord[];
  readonly oddities: readonly Oddity[];
};

/**
 * A dataset whose records carry the sentences of the oddities that name them.
 *
 * @param records their `oddities` are replaced
 */
export function datasetOf(name: string, records: readonly FilmRecord[], oddities: readonly Oddity[]): Dataset {
  const sentences = new Map<string, string[]>();
  const tell = (id: string, sentence: string) => {
    const told = sentences.get(id);
    if (told) told.push(sentence);
    else sentences.set(id, [sentence]);
  };
  for (const oddity of oddities) for (const id of recordsOf(oddity)) tell(id, sentenceOfOddity(oddity));
  return {
    name,
    records: records.map((record) => ({ ...record, oddities: sentences.get(record.id) ?? [] })),
    oddities,
  };
}

/** The ids of the records that an oddity is about; none when it is about the dataset. */
export function recordsOf(oddity: Oddity): readonly string[] {
  return "record" in oddity ? [oddity.record] : "records" in oddity ? oddity.records : [];
}

/** How often each kind of oddity or leak was met. */
export function countKinds(found: readonly (Oddity | Leak)[]): Record<string, number> {
  return countBy(found, ({ kind }) => kind);
}

type SentenceOf<T extends { kind: string }> = { [K in T["kind"]]: (of: Extract<T, { kind: K }>) => string };

const oddityTable: SentenceOf<Oddity> = {
  "source contradicts itself": ({ note }) => note,
  "lesion without region": ({ lesion }) => `the source names a lesion (${lesion}) but not where it is`,
  "lesion in the background": ({ lesion }) =>
    `the circle of a lesion (${lesion}) lies beside the breast; cut no patches`,
  "lesion outside the image": ({ lesion }) => `a lesion (${lesion}) reaches beyond the edge of the image`,
  "benign and malignant on one film": () => "the film has a benign and a malignant lesion; its label is the worse one",
  "film under two ids": ({ record, other }) => `${record} and ${other} are one film (same patient, side and view)`,
  "conflicting labels": ({ records, labels }) =>
    `${some(records)} are one film with ${labels.length} labels: ${labels.join(", ")}`,
  "crop and mask in two folders": ({ lesion }) =>
    `crop and mask of lesion ${lesion} are not told apart by their names; decide by their content`,
  "value outside its scale": ({ field, value, scale }) => `${field} is ${value}, outside its scale ${scale}`,
  "patient with several densities": ({ patient, densities }) =>
    `patient ${patient} has densities ${densities.join(" and ")}`,
  "no label": ({ why }) => `no label: ${why}`,
  "listed twice": ({ rows }) =>
    `listed ${rows.length} times with the same label (rows ${some(rows.map(String))}); counted once`,
  "file missing": () => "the file is not there",
  "file unreadable": ({ why }) => why,
  "view missing": ({ patient, laterality, has, lacks }) =>
    `breast ${laterality} of patient ${patient} has ${has} but no ${lacks}`,
  "patients unknown": ({ count, why }) =>
    `the patient of ${count} records is unknown (${why}): a split by image can leak`,
  "no file is there": ({ files }) => `none of the ${files} files is there: the tables alone were read`,
  "copies of one film": ({ records, evidence, match }) =>
    `${some(records)} are copies of one film, as seen by their ${evidence}${alike(match)}`,
  "name speaks of a copy": ({ records, marks }) =>
    `the names of ${some(records)} speak of copies of one film (${some(marks)}); keep them on one side of a split`,
  "file passed over": ({ files, why }) => `${files} ${files === 1 ? "file was" : "files were"} passed over: ${why}`,
};

const leakTable: SentenceOf<Leak> = {
  "patient on several sides": ({ patient, sides, records }) =>
    `patient ${patient} is in ${sides.join(" and ")} (${records.length} films)`,
  "film on several sides": ({ film, sides, records }) =>
    `the view ${film} is in ${sides.join(" and ")}, as ${some(records)}`,
  "copies under different names": ({ records, sides, evidence, match }) =>
    `${some(records)} are copies of one film, as seen by their ${evidence}${alike(match)}${
      sides.length > 1 ? `, in ${sides.join(" and ")}` : "; nothing says that they are of one patient"
    }`,
};

/** An oddity in words. */
export function sentenceOfOddity(oddity: Oddity): string {
  return (oddityTable[oddity.kind] as (of: Oddity) => string)(oddity);
}

/** A leak in words. */
export function sentenceOfLeak(leak: Leak): string {
  return (leakTable[leak.kind] as (of: Leak) => string)(leak);
}

function alike(match: Match | undefined): string {
  if (!match) return "";
  const { distance, correlation, orientation } = match;
  return ` (the second ${orientation}, ${distance} of 256 bits differ, correlation ${correlation.toFixed(4)})`;
}

function some(names: readonly string[]): string {
  return names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} … (${names.length} in all)`;
}
