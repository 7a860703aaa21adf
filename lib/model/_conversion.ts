// What both directions of a conversion share.
import type { Net } from "../nets/mod.ts";

/** What a conversion did. */
export type Conversion = {
  /** The file that was written. */
  readonly file: string;
  /** Learned numbers. */
  readonly parameters: number;
  /** Of the ONNX model. */
  readonly opset: number;
  /** Size of the file that was written. */
  readonly bytes: number;
  /** What was made sure of after writing, in words. */
  readonly checked: string;
};

/** The number types of weights that networks take. */
export type FloatType = "F32" | "F16" | "BF16";

/** ONNX element type → safetensors type. */
export const floatTypes: Readonly<Record<number, FloatType>> = { 1: "F32", 10: "F16", 16: "BF16" };

/** Bytes. Protocol Buffers refuse longer messages (onnx/onnx#5080). */
export const onnxLimit = 2 ** 31 - 1;

/** How many learned numbers a network has. */
export function countParameters({ parameters }: Net): number {
  return [...parameters.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
