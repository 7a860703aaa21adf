/** Scores → statements with intervals. @module */
export { auc, aucVariance, aucWithInterval, compareAuc, type Estimate, type ScoredCase } from "./auc.ts";
export { bootstrap, type BootstrapOptions, wilson } from "./intervals.ts";
export { type PointingCase, pointingGame, pointingHit } from "./pointing.ts";
export { brier, type Confusion, confusionAt, rocCurve, type RocPoint, sensitivity, specificity } from "./metrics.ts";
