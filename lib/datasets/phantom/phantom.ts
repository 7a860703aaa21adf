import { imageOf } from "../../image/mod.ts";
import type { Laterality, Mammogram } from "../../io/mod.ts";
import { type Exam, examOf } from "../exam.ts";
import { white } from "./film.ts";
import type { PhantomViewName } from "./frame.ts";
import { type ExamPlan, planExam, type PlanOptions } from "./plan.ts";
import { checkOptions, checkSeed } from "./refuse.ts";
import { type PhantomView, renderBreast } from "./render.ts";

/** What may be fixed instead of drawn, and the size of a pixel. */
export type PhantomOptions = PlanOptions & {
  /** Millimetres a pixel, 0.1 to 1; default 0.4. The breast of a seed is the same at any size. */
  readonly mm?: number;
};

/** A synthetic exam: two views of two breasts. */
export type PhantomExam = {
  /** `"0007"` for seed 7; also the name of the patient, who has this one exam. */
  readonly id: string;
  readonly plan: ExamPlan;
  /** L-CC, L-MLO, R-CC, R-MLO. */
  readonly views: readonly PhantomView[];
};

/**
 * Draws a synthetic exam in memory: four films, with masks of all lesions. The same seed and options give the same pixels.
 *
 * It is a phantom: good enough to test a pipeline, to teach and to train a demonstration on. It is not anatomy, and what
 * is learned from it says nothing about patients (data/README.md).
 *
 * @param seed a whole number; seeds of test exams must not be among those trained on
 * @throws MammolabError when the seed or an option makes no sense
 *
 * @example A malignant exam, and where its lesion is
 * ```ts
 * import { phantomExam } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * const { views } = phantomExam(7, { mm: 1, label: "malignant" });
 * assertEquals(views.map(({ laterality, view }) => `${laterality}-${view}`), ["L-CC", "L-MLO", "R-CC", "R-MLO"]);
 * assertEquals(views.some(({ lesions }) => lesions.some(({ plan }) => plan.pathology === "malignant")), true);
 * ```
 */
export function phantomExam(seed: number, { mm = 0.4, ...options }: PhantomOptions = {}): PhantomExam {
  checkSeed(seed);
  checkOptions({ mm, ...options });
  const plan = planExam(seed, options);
  return {
    id: phantomId(seed),
    plan,
    views: plan.breasts.flatMap((breast) => renderBreast(plan, breast, mm)),
  };
}

/** The name of the exam of a seed. */
export function phantomId(seed: number): string {
  return String(seed).padStart(4, "0");
}

/** The name of one film of an exam: `"0007_L-MLO"`. */
export function filmId(exam: string, laterality: Laterality, view: PhantomViewName): string {
  return `${exam}_${laterality}-${view}`;
}

/** One film of a phantom as if it had been read from a file. */
export function phantomMammogram({ id, plan }: PhantomExam, film: PhantomView): Mammogram {
  const { laterality, view, width, height, mm, pixels } = film;
  return {
    image: imageOf(Float32Array.from(pixels, (value) => value / white), { width, height }),
    view,
    laterality,
    spacing: { row: mm, column: mm, basis: "detector" },
    display: { method: "window 1 (LINEAR)" }, // what its DICOM file says: center 2048, width 4096
    patient: `phantom ${id}`,
    patientFrom: "PatientID",
    age: plan.age,
    warnings: [],
    source: { file: `${filmId(id, laterality, view)}.dcm`, format: "dicom", frame: 0 },
  };
}

/** All films of a phantom as an exam. */
export function phantomAsExam(exam: PhantomExam): Exam {
  return examOf(exam.id, exam.views.map((film) => phantomMammogram(exam, film)));
}
