// What of TensorFlow.js 4 is used, as types: the package itself is loaded by whoever hands it over.

import type { Pair } from "./tensor.ts";

/** A tensor of TensorFlow.js. */
export type TfjsTensor = {
  /** Sizes of all axes. */
  readonly shape: readonly number[];
  /** `float32`, `int32` or `bool`. */
  readonly dtype: string;
  /** Its values, row by row; the array may be the tensor's own. */
  readonly dataSync: () => Float32Array | Int32Array | Uint8Array;
  /** Frees its memory; unnecessary inside `tidy`. */
  readonly dispose: () => void;
};

/** The namespace that `@tensorflow/tfjs`, `-node` and `-node-gpu` share, as far as a graph and its gradients need it. */
export type TensorFlow =
  & {
    readonly [
      name in "neg" | "exp" | "log" | "sqrt" | "rsqrt" | "erf" | "tanh" | "sigmoid" | "relu" | "abs" | "square"
    ]: (x: TfjsTensor) => TfjsTensor;
  }
  & {
    readonly [name in "add" | "sub" | "mul" | "div" | "maximum" | "less" | "equal"]: (
      a: TfjsTensor,
      b: TfjsTensor,
    ) => TfjsTensor;
  }
  & {
    readonly [name in "sum" | "mean" | "max"]: (x: TfjsTensor, axes: readonly number[], keep: boolean) => TfjsTensor;
  }
  & {
    readonly scalar: (value: number) => TfjsTensor;
    readonly ones: (shape: readonly number[]) => TfjsTensor;
    readonly tensor: (
      values: Float32Array | Int32Array | Uint8Array | readonly number[],
      shape: readonly number[],
      type: "float32" | "int32" | "bool",
    ) => TfjsTensor;
    readonly cast: (x: TfjsTensor, type: "float32") => TfjsTensor;
    readonly where: (condition: TfjsTensor, a: TfjsTensor, b: TfjsTensor) => TfjsTensor;
    readonly matMul: (a: TfjsTensor, b: TfjsTensor, transposeA?: boolean, transposeB?: boolean) => TfjsTensor;
    readonly softmax: (x: TfjsTensor) => TfjsTensor;
    readonly logSoftmax: (x: TfjsTensor) => TfjsTensor;
    readonly reshape: (x: TfjsTensor, shape: readonly number[]) => TfjsTensor;
    readonly transpose: (x: TfjsTensor, order: readonly number[]) => TfjsTensor;
    readonly broadcastTo: (x: TfjsTensor, shape: readonly number[]) => TfjsTensor;
    readonly concat: (tensors: readonly TfjsTensor[], axis: number) => TfjsTensor;
    readonly slice: (x: TfjsTensor, begin: readonly number[], size: readonly number[]) => TfjsTensor;
    readonly pad: (x: TfjsTensor, paddings: readonly Pair[], value?: number) => TfjsTensor;
    readonly gather: (x: TfjsTensor, indices: TfjsTensor, axis: number) => TfjsTensor;
    readonly conv2d: (
      x: TfjsTensor,
      filter: TfjsTensor,
      strides: Pair,
      pad: "valid",
      format: "NHWC",
      dilations: Pair,
    ) => TfjsTensor;
    readonly depthwiseConv2d: (x: TfjsTensor, filter: TfjsTensor, strides: Pair, pad: "valid") => TfjsTensor;
    readonly conv2dTranspose: (
      x: TfjsTensor,
      filter: TfjsTensor,
      shape: readonly number[],
      strides: Pair,
      pad: "valid",
    ) => TfjsTensor;
    readonly maxPool: (x: TfjsTensor, size: Pair, strides: Pair, pad: "valid") => TfjsTensor;
    readonly avgPool: (x: TfjsTensor, size: Pair, strides: Pair, pad: "valid") => TfjsTensor;
    /** A function with a derivative of its own; `save` keeps what the derivative needs. */
    readonly customGrad: (
      f: (
        ...args: never[]
      ) => {
        readonly value: TfjsTensor;
        readonly gradFunc: (dy: TfjsTensor, saved: readonly TfjsTensor[]) => TfjsTensor | readonly TfjsTensor[];
      },
    ) => (...inputs: readonly TfjsTensor[]) => TfjsTensor;
    /** A function that gives its value and the gradients of its arguments. */
    readonly valueAndGrads: (
      f: (...inputs: readonly TfjsTensor[]) => TfjsTensor,
    ) => (inputs: readonly TfjsTensor[]) => { readonly value: TfjsTensor; readonly grads: readonly TfjsTensor[] };
    /** Frees all tensors that were made inside, except those that are returned or kept. */
    readonly tidy: <R>(body: () => R) => R;
    readonly keep: (x: TfjsTensor) => TfjsTensor;
    readonly memory: () => { readonly numTensors: number };
    readonly ready: () => Promise<void>;
    readonly getBackend: () => string;
    readonly setBackend: (name: string) => Promise<boolean>;
    readonly removeBackend: (name: string) => void;
    readonly backend: () => { readonly isUsingGpuDevice?: boolean };
  };
