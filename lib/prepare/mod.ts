/** Records → batches: balance, augment, patch, flow. @module */
export * from "./augment/mod.ts";
export {
  type AugmentationName,
  augmentationNames,
  type DrawnStep,
  type OptionsOf,
  type Pipeline,
  pipeline,
  replay,
  type Step,
} from "./pipeline.ts";
