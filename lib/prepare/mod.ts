/** Records → batches: balance, augment, patch, flow. @module */
export * from "./augment/mod.ts";
