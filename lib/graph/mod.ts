/** Expressions of tensors and their meanings. @module */
export type { AttentionTap } from "./attention.ts";
