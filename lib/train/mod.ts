/** Expressions and batches → parameters. @module */
export { type HeadOptions, type LinearHead, trainLinearHead } from "./head.ts";
export { layerScale, scheduleAt, type ScheduleOptions } from "./schedules.ts";
export { clipGradients, decays, gradientNorm, type Optimizer, optimizer, type OptimizerOptions } from "./optimizers.ts";
export { type FlatParameters, flatParameters, type Kernels, type Slice, sliceOf } from "./flat_parameters.ts";
