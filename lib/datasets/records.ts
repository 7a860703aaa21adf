import type { Region } from "../image/mod.ts";
import type { Laterality, PixelSpacing, View } from "../io/mod.ts";

/** A label and the rule that made it, in words: `{ value: "malignant", rule: "pathology of the worst lesion" }`. */
export type Label = { readonly value: string; readonly rule: string };

/** The three sides of a split. */
export type SideName = "training" | "validation" | "test";

/** A finding, in pixels of the stored frame. */
export type Lesion = {
  /** What it is, in words: `"spiculated mass"`, `"calcification"`. */
  readonly kind: string;
  readonly pathology?: "benign" | "malignant";
  /** BI-RADS assessment category of this lesion. */
  readonly assessment?: string;
  /** Absent when the source tells of the lesion but not where it is. */
  readonly region?: Region;
  /** The source's own words, column by column: `{ class: "CIRC" }`, `{ pathology: "BENIGN_WITHOUT_CALLBACK" }`. */
  readonly stated?: Readonly<Record<string, string>>;
  /** Pictures of this lesion as the source names them; which is which is decided by their content. */
  readonly pictures?: readonly string[];
};

/** What a dataset says of one film. */
export type FilmRecord = {
  /** Unique within the dataset; reports and caches name a film by it, never by its file. */
  readonly id: string;
  /** Absent when unknown. */
  readonly patient?: string;
  /** Where `patient` comes from; `"dataset"`: the published numbering. */
  readonly patientFrom?: "dataset" | "PatientID" | "column" | "file name" | "unknown";
  readonly exam?: string;
  readonly laterality?: Laterality;
  readonly view?: View;
  /** True when the stored pixels show the breast as in a mirror. */
  readonly mirrored?: boolean;
  readonly spacing?: PixelSpacing;
  readonly labels: { readonly image?: Label; readonly breast?: Label; readonly patient?: Label };
  /** BI-RADS density `a` … `d`, or the dataset's own letters. */
  readonly density?: string;
  /** The scale of `density`. */
  readonly densityScale?: "BI-RADS a-d" | "BI-RADS 1-4" | "mini-MIAS F/G/D";
  /** BI-RADS assessment category. */
  readonly assessment?: string;
  /** Years. */
  readonly age?: number;
  readonly lesions: readonly Lesion[];
  /** The side that the publisher put this film on. */
  readonly split?: SideName;
  readonly file: string;
  readonly frame?: number;
  readonly dataset: string;
  /** What is strange about this record, one sentence each. */
  readonly oddities: readonly string[];
};

/** How many records there are of each kind. `"unknown"` counts those of which the source does not tell. */
export type RecordCounts = {
  readonly records: number;
  /** Different patients; records without one are not counted here. */
  readonly patients: number;
  readonly recordsWithoutPatient: number;
  readonly lesions: number;
  readonly label: Readonly<Record<string, number>>;
  readonly view: Readonly<Record<string, number>>;
  readonly laterality: Readonly<Record<string, number>>;
  /** The publisher's sides. */
  readonly split: Readonly<Record<string, number>>;
};

/** The value of the label nearest to the image: the image's own, else the breast's, else the patient's. */
export function labelOf({ labels }: FilmRecord): string | undefined {
  return (labels.image ?? labels.breast ?? labels.patient)?.value;
}

/** The lesions that the label of a film comes from, as far as it is known where they are. */
export function decidingLesions(film: FilmRecord): readonly (Lesion & Required<Pick<Lesion, "region">>)[] {
  const label = labelOf(film);
  return film.lesions.flatMap((lesion) => {
    const { region, pathology } = lesion;
    return region && (pathology === undefined || pathology === label) ? [{ ...lesion, region }] : [];
  });
}

/**
 * One name for a patient over pooled datasets, since two of them may both have a `P_00001`.
 *
 * @returns undefined where the patient is unknown
 */
export function patientKey({ dataset, patient }: FilmRecord): string | undefined {
  return patient === undefined ? undefined : `${dataset} ${patient}`;
}

/** One name for a film over pooled datasets. */
export function recordKey({ dataset, id }: FilmRecord): string {
  return `${dataset} ${id}`;
}

/**
 * Counts records by any key, in the order of the names; what has no key is counted as `"unknown"`.
 *
 * @example
 * ```ts
 * import { countBy } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * assertEquals(countBy([3, 1, 4, 1], (digit) => digit > 1 ? "large" : "small"), { large: 2, small: 2 });
 * ```
 */
export function countBy<T>(items: Iterable<T>, key: (item: T) => string | undefined): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const name = key(item) ?? "unknown";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Counts by label, view, laterality and published side. */
export function countRecords(records: readonly FilmRecord[]): RecordCounts {
  const patients = records.map(patientKey).filter((key) => key !== undefined);
  return {
    records: records.length,
    patients: new Set(patients).size,
    recordsWithoutPatient: records.length - patients.length,
    lesions: records.reduce((sum, { lesions }) => sum + lesions.length, 0),
    label: countBy(records, labelOf),
    view: countBy(records, ({ view }) => view),
    laterality: countBy(records, ({ laterality }) => laterality),
    split: countBy(records, ({ split }) => split),
  };
}
