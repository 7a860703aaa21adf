import type { Region } from "../image/mod.ts";
import type { Laterality, View } from "../io/mod.ts";

/** A label and the rule that made it, in words: `{ value: "malignant", rule: "pathology of the worst lesion" }`. */
export type Label = { readonly value: string; readonly rule: string };

/** A finding, in pixels of the stored frame. */
export type Lesion = {
  /** `"spiculated mass"`, `"calcification cluster"`, as the source names it. */
  readonly kind: string;
  readonly pathology?: "benign" | "malignant";
  /** Absent when the source tells of the lesion but not where it is. */
  readonly region?: Region;
};

/** What a dataset says of one film. */
export type FilmRecord = {
  /** Unique within the dataset; reports and caches name a film by it, never by its file. */
  readonly id: string;
  /** Absent when unknown. */
  readonly patient?: string;
  readonly exam?: string;
  readonly laterality?: Laterality;
  readonly view?: View;
  readonly labels: { readonly image?: Label; readonly breast?: Label; readonly patient?: Label };
  /** BI-RADS density `a` … `d`, or the dataset's own letters. */
  readonly density?: string;
  /** BI-RADS assessment category. */
  readonly assessment?: string;
  /** Years. */
  readonly age?: number;
  readonly lesions: readonly Lesion[];
  readonly file: string;
  readonly frame?: number;
  readonly dataset: string;
  /** What is strange about this record, one sentence each. */
  readonly oddities: readonly string[];
};
