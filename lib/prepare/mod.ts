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
