/** Attention → relevance on the film. @module */
export { type Peak, peakOf, type Relevance, relevanceOnFilm, seenRegion } from "./relevance.ts";
export { type HeadFusion, rollout, type RolloutOptions } from "./rollout.ts";
export { classAttention, type ClassAttentionOptions } from "./class_attention.ts";
