/** A net, its weights, its preparation and its class names, opened in an engine. @module */
export type { AttentivePrediction, LayerAttention, Prediction } from "./prediction.ts";
export { loadModel, type Model, type ModelOptions } from "./load.ts";
export type { Film, PredictionOf, PredictOptions } from "./predict.ts";
export type { FilmResult, PredictAllOptions } from "./predict_all.ts";
export { type ModelWeights, type PlainWeights, saveModel } from "./save.ts";
export { type ModelDefinition, readDefinition, type TrainedOn, untrainedDefinition } from "./definition.ts";
export { hubDefinition } from "./hub_model.ts";
export { readModel, type SourceOptions } from "./source.ts";
export { adaptModel, type AdaptOptions } from "./adapt.ts";
export type { Conversion } from "./_conversion.ts";
export { convertToOnnx, type ToOnnxOptions } from "./convert_to_onnx.ts";
export { convertToSafetensors } from "./convert_to_safetensors.ts";
