/** Records → batches: balance, augment, patch, flow. @module */
export * from "./augment/mod.ts";
export {
  type AugmentationName,
  augmentationNames,
  type AugmentationOptions,
  type DrawnStep,
  type OptionsOf,
  type Pipeline,
  pipeline,
  replay,
  type Step,
} from "./pipeline.ts";
export {
  balance,
  type BalanceOptions,
  type BalancePlan,
  type BalanceStrategy,
  epochOf,
  type PlannedItem,
  recordsOfPlan,
} from "./balance.ts";
export { type ByClass, classWeights, correctPrior, focalAlpha, type WeightOptions } from "./prior.ts";
export {
  breastWindows,
  stitch,
  type StitchOptions,
  type WindowOptions,
  type WindowResult,
  windows,
} from "./windows.ts";
export {
  type BackgroundPatchOptions,
  lesionBox,
  type LesionPatchOptions,
  sampleBackgroundBoxes,
  sampleLesionBoxes,
} from "./lesion_patches.ts";
export { type LesionTokens, type TokenCover, tokensPerLesion } from "./tokens.ts";
export { captionOf, mildAugmentations } from "./caption.ts";
export { batch, type Items, map, type Outcome, prefetch, shuffle } from "./stream.ts";
export {
  createFlow,
  type FilmItem,
  type Flow,
  type FlowOptions,
  type ImageBatch,
  type PreparedFilm,
  stackImages,
  trainingStatistics,
  type WalkOptions,
} from "./flow.ts";
