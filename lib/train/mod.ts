/** Expressions and batches → parameters. @module */
export { headLogits, type HeadOptions, type LinearHead, trainLinearHead } from "./head.ts";
export { layerScale, scheduleAt, type ScheduleOptions } from "./schedules.ts";
export { clipGradients, decays, gradientNorm, type Optimizer, optimizer, type OptimizerOptions } from "./optimizers.ts";
export { type FlatParameters, flatParameters, type Kernels, type Slice, sliceOf } from "./flat_parameters.ts";
export { lossOf, type LossOptions, smoothed } from "./losses.ts";
export {
  gradientName,
  gradientSoFar,
  predictionGraph,
  type StepGraph,
  stepGraph,
  type StepSpec,
} from "./step_graph.ts";
export {
  type Numbers,
  openTrainer,
  type StepJob,
  type StepReport,
  type Trainer,
  type TrainerSetup,
  type TrainerState,
  type TrainingEngine,
} from "./trainer.ts";
export {
  checkRecipe,
  type Mode,
  modeAt,
  type Recipe,
  recipeDifferences,
  trainedNames,
  usualOptimizer,
} from "./recipe.ts";
export { findLearningRate, type LearningRateCurve } from "./find_learning_rate.ts";
export { type PreparedFilms, preparedFilms, type PreparedFilmsOptions } from "./prepared_films.ts";
export {
  classOf,
  type ClassRule,
  type FilmItem,
  type FilmSampleOptions,
  filmSamples,
  type SampleAugmentation,
} from "./samples.ts";
export { type PatchSampleOptions, patchSamples } from "./patch_samples.ts";
export { filmFeatures, type FilmFeaturesOptions } from "./features.ts";
export { fitHead, type FitHeadOptions, whyNotHeadAlone } from "./fit_head.ts";
export { judge, type Judgement } from "./judge.ts";
export { logitsOf, type LogitsOptions } from "./logits.ts";
export { type EpochReport, fit, type FitEvent, type FitOptions, type Samples } from "./fit.ts";
export { fineTune, type FineTuneOptions } from "./fine_tune.ts";
export {
  lockFolder,
  type Progress as TrainingProgress,
  readBest,
  readCheckpoint,
  writeBest,
  writeCheckpoint,
} from "./checkpoint.ts";
