/** A net, its weights, its preparation and its class names, opened in an engine. @module */
export type { LayerAttention, Prediction } from "./prediction.ts";
