/**
 * Synthetic exams: four films of two breasts, drawn in 3-D so that a lesion is where it should be in both of its views.
 *
 * **What it is for:** data that may be shipped; tests, notebooks, demonstrations, and a model that shows how training works.
 *
 * **What it is not:** anatomy. No lobes and ducts that connect, no mechanics of compression, no folds, motion, markers, clips,
 * implants or scars, and no asymmetry but chance; no scatter, no X-ray spectrum, no focal spot; a maker's processing is one
 * curve and one unsharp mask. Of the texture only lobes, fat lobules and strands are shared between the views. Spiculated is
 * always malignant and oval always benign; densities, ages and categories are drawn, their correlations invented. A model
 * trained on phantoms says nothing about patients.
 *
 * The order of reading: plan.ts (what is drawn) → shape.ts, frame.ts (outline) → texture.ts, gland.ts, lobules.ts,
 * strands.ts, tissue.ts (what X-rays meet) → lesions.ts, masses.ts, calcifications.ts → film.ts → render.ts.
 *
 * @module
 */
export {
  type BreastPlan,
  type BreastPoint,
  type Density,
  type ExamLabel,
  type ExamPlan,
  type FilmKind,
  type LesionKind,
  type LesionPlan,
  type Pattern,
  planExam,
  type PlanOptions,
  type Technique,
} from "./plan.ts";
export type { BreastShape } from "./shape.ts";
export type { PhantomViewName } from "./frame.ts";
export type { LesionView, PhantomView } from "./render.ts";
export { phantomAsExam, type PhantomExam, phantomExam, phantomMammogram, type PhantomOptions } from "./phantom.ts";
export { phantomRecords } from "./records.ts";
export { type GenerateOptions, generatePhantoms } from "./generate.ts";
export { loadPhantoms } from "./table.ts";
