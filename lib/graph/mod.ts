/** Expressions of tensors and their meanings. @module */
export type { AttentionTap } from "./attention.ts";
export {
  type Attributes,
  batch,
  buffer,
  concrete,
  constant,
  type Dim,
  type ElementType,
  input,
  nodesOf,
  type OpName,
  type Pair,
  parameter,
  sameShape,
  scalar,
  scope,
  type Shape,
  show,
  sizeOf,
  type Tensor,
} from "./tensor.ts";
export * from "./ops.ts";
export { type OnnxOptions, type RawWeight, toOnnx, type WeightSource } from "./onnx.ts";
export type { WeightPlace } from "./_onnx_writer.ts";
export { type OnnxInitializer, type OnnxModel, readOnnx } from "./read_onnx.ts";
export { gradients } from "./gradient.ts";
export { trainingForm } from "./training_form.ts";
export { evaluate, opNames, type Value } from "./evaluate.ts";
export { evaluateTfjs, type TensorFlow, type TfjsTensor } from "./tfjs.ts";
export { bytesOf, type Field, fieldsOf, message, type MessageWriter } from "./protobuf.ts";
