import { type Mask, maskOf } from "../../image/mod.ts";
import type { FilmRecord, Label, Lesion } from "../records.ts";
import { filmId, type PhantomExam } from "./phantom.ts";
import type { ExamLabel, LesionPlan } from "./plan.ts";
import type { LesionView, PhantomView } from "./render.ts";

/** The name of the dataset in records of phantoms. */
export const phantomDataset = "phantom";

/** Where the files of a film are, from the folder of the table. */
export type FilmFiles = { readonly film: string; readonly mask: (lesion: number) => string };

/** The layout that `deno task phantom` writes: a folder an exam, the masks in a folder in it. */
export function filesOf({ id }: PhantomExam, { laterality, view }: PhantomView): FilmFiles {
  return {
    film: `${id}/${filmId(id, laterality, view)}.dcm`,
    mask: (lesion) => `${id}/masks/${laterality}-${view}_${lesion}.png`,
  };
}

/**
 * What is known about each film of a phantom, in the shape of any dataset's records. The regions of the lesions are their
 * masks; `stated` holds contrast, ring CNR and radius.
 */
export function phantomRecords(exam: PhantomExam): readonly FilmRecord[] {
  const { id, plan, views } = exam;
  return views.map((film): FilmRecord => {
    const { laterality, view, mm } = film;
    const files = filesOf(exam, film);
    const inBreast = plan.breasts.find((breast) => breast.laterality === laterality)!.lesions;
    return {
      id: filmId(id, laterality, view),
      patient: id,
      patientFrom: "dataset",
      exam: id,
      laterality,
      view,
      spacing: { row: mm, column: mm, basis: "detector" },
      labels: {
        image: worst(film.lesions.map((lesion) => lesion.plan), "the worst lesion that this view shows"),
        breast: worst(inBreast, "the worst lesion of the breast"),
        patient: worst(plan.breasts.flatMap(({ lesions }) => lesions), "the worst lesion of both breasts"),
      },
      density: plan.density,
      densityScale: "BI-RADS a-d",
      assessment: String(plan.assessment),
      age: plan.age,
      lesions: film.lesions.map((lesion, k) => lesionRecord(lesion, film, files.mask(k))),
      file: files.film,
      dataset: phantomDataset,
      oddities: [],
    };
  });
}

function worst(lesions: readonly LesionPlan[], rule: string): Label {
  const value: ExamLabel = lesions.some(({ pathology }) => pathology === "malignant")
    ? "malignant"
    : lesions.length > 0
    ? "benign"
    : "normal";
  return { value, rule };
}

function lesionRecord(lesion: LesionView, { width, height }: PhantomView, mask: string): Lesion {
  const { plan, ringCnr } = lesion;
  return {
    kind: plan.kind,
    pathology: plan.pathology,
    region: trimmed(lesion.mask, width, height),
    stated: {
      radiusMm: plan.radius.toFixed(2),
      contrast: plan.contrast.toFixed(3),
      ringCnr: ringCnr.toFixed(3),
      centerX: lesion.x.toFixed(2),
      centerY: lesion.y.toFixed(2),
    },
    pictures: [mask],
  };
}

/** A mask cut to what it holds; nothing of a lesion may be in the picture. */
function trimmed(data: Uint8Array, width: number, height: number): Mask {
  if (!data.includes(1)) return { kind: "mask", x: 0, y: 0, width: 1, height: 1, data: new Uint8Array(1) };
  return maskOf({ kind: "mask", x: 0, y: 0, width, height, data });
}
