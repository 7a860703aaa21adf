/**
 * mammolab: from a mammogram file to an attention map.
 *
 * This door holds the line and its names only; each room has more at its own door: `mammolab/image`, `mammolab/io`,
 * `mammolab/datasets`, `mammolab/prepare`, `mammolab/graph`, `mammolab/nets`, `mammolab/weights`, `mammolab/engine`,
 * `mammolab/model`, `mammolab/evaluate`, `mammolab/train`, `mammolab/explain`, `mammolab/plot`.
 *
 * @example A film of a phantom, and where the network looks
 * ```ts ignore
 * import { loadExam, loadModel, plot, rollout } from "mammolab";
 * const exam = await loadExam("data/phantom/0007");
 * const model = await loadModel("vit-phantom");
 * const { attention, scores } = await model.predict(exam.view("L", "MLO"), { attention: true });
 * plot.attention(exam.view("L", "MLO"), rollout(attention), { title: `malignant ${scores.malignant!.toFixed(2)}` });
 * ```
 *
 * @module
 */
export { MammolabError, type OnProgress, type Progress } from "./lib/base/mod.ts";
export {
  type Affine,
  type Image,
  moveRegion,
  patches,
  type Preparation,
  prepare,
  type Region,
  resizeTo,
} from "./lib/image/mod.ts";
export {
  defaultLimits,
  inspectFile,
  type Laterality,
  type Limits,
  loadMammogram,
  type LoadOptions,
  type Mammogram,
  type View,
} from "./lib/io/mod.ts";
export {
  type Exam,
  type FilmRecord,
  type Lesion,
  loadExam,
  phantomExam,
  phantomMammogram,
  type PhantomOptions,
} from "./lib/datasets/mod.ts";
export {
  type AttentivePrediction,
  type LayerAttention,
  loadModel,
  type Model,
  type ModelOptions,
  type Prediction,
  type PredictOptions,
  saveModel,
} from "./lib/model/mod.ts";
export { type ProviderChoice } from "./lib/engine/mod.ts";
export { classAttention, type Peak, peakOf, type Relevance, relevanceOnFilm, rollout } from "./lib/explain/mod.ts";
export * as plot from "./lib/plot/mod.ts";
export { type Figure } from "./lib/plot/mod.ts";
