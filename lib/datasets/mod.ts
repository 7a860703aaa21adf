/** A public dataset → honest records, split by patient. @module */
export {
  countBy,
  countRecords,
  decidingLesions,
  type FilmRecord,
  type Label,
  labelOf,
  type Lesion,
  patientKey,
  type RecordCounts,
  recordKey,
  type SideName,
} from "./records.ts";
export {
  countKinds,
  type Dataset,
  datasetOf,
  type Leak,
  type Match,
  type Oddity,
  recordsOf,
  sentenceOfLeak,
  sentenceOfOddity,
} from "./oddities.ts";
export { loadMiniMias } from "./mini_mias.ts";
export { type CbisDdsmRule, loadCbisDdsm } from "./cbis_ddsm.ts";
export { type FolderOptions, loadFolder } from "./folder.ts";
export { loadTable, type TableColumns, type TableOptions } from "./table.ts";
export {
  type DatasetKind,
  datasetKind,
  datasetKinds,
  type DatasetOptions,
  loadDataset,
  optionsOf,
} from "./load_dataset.ts";
export { type FilmFacts, readHeaders } from "./headers.ts";
export { copyMarks } from "./copies.ts";
export { checkDataset, type CheckOptions, type Integrity, patientsOnSeveralSides } from "./integrity.ts";
export { type HeldOutSide, isTrainingSide, type Split, type splitSeal, type TrainingSide } from "./sides.ts";
export { fewerPatients, type HoldOut, split, splitFolds, type SplitOptions } from "./split.ts";
export { restoreSplit, type SavedSplit, saveSplit, splitAsPublished } from "./given_split.ts";
export { type Exam, examOf, loadExam, type StandardView } from "./exam.ts";
export {
  type BreastPlan,
  type BreastPoint,
  type BreastShape,
  type Density,
  type ExamLabel,
  type ExamPlan,
  type FilmKind,
  type GenerateOptions,
  generatePhantoms,
  type LesionKind,
  type LesionPlan,
  type LesionView,
  loadPhantoms,
  type Pattern,
  phantomAsExam,
  type PhantomExam,
  phantomExam,
  phantomMammogram,
  type PhantomOptions,
  phantomRecords,
  type PhantomView,
  type PhantomViewName,
  planExam,
  type PlanOptions,
  type Technique,
} from "./phantom/mod.ts";
