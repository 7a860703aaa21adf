import { MammolabError } from "../base/mod.ts";

/** A number, or the batch times a factor: known only when the graph runs. Windows and views fold into the batch. */
export type Dim = number | { readonly batch: number };

/** Sizes of all axes, outermost first. */
export type Shape = readonly Dim[];

/** `float32` carries all values; `int64` indices; `bool` conditions. */
export type ElementType = "float32" | "int64" | "bool";

/** The batch itself. */
export const batch: Dim = { batch: 1 };

/** What each operation needs to know besides its inputs. The keys are the vocabulary. */
export type Attributes = {
  // leaves
  readonly input: Record<never, never>;
  readonly parameter: Record<never, never>;
  readonly buffer: Record<never, never>;
  readonly constant: { readonly values: readonly number[] };
  // two operands, broadcast as in NumPy
  readonly add: Record<never, never>;
  readonly subtract: Record<never, never>;
  readonly multiply: Record<never, never>;
  readonly divide: Record<never, never>;
  readonly maximum: Record<never, never>;
  readonly less: Record<never, never>;
  readonly equal: Record<never, never>;
  // one operand, value by value
  readonly negate: Record<never, never>;
  readonly exp: Record<never, never>;
  readonly log: Record<never, never>;
  readonly sqrt: Record<never, never>;
  readonly erf: Record<never, never>;
  readonly tanh: Record<never, never>;
  readonly sigmoid: Record<never, never>;
  readonly relu: Record<never, never>;
  readonly absolute: Record<never, never>;
  readonly gelu: Record<never, never>;
  readonly scale: { readonly factor: number };
  readonly cast: Record<never, never>;
  // choices
  readonly where: Record<never, never>;
  // products
  readonly matmul: Record<never, never>;
  readonly gemm: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number; readonly beta: number };
  readonly conv2d: { readonly stride: Pair; readonly padding: Pair; readonly dilation: Pair; readonly groups: number };
  readonly convTranspose2d: {
    readonly stride: Pair;
    readonly padding: Pair;
    readonly outputPadding: Pair;
    readonly groups: number;
  };
  // along an axis
  readonly softmax: { readonly axis: number };
  readonly logSoftmax: { readonly axis: number };
  readonly layerNorm: { readonly epsilon: number };
  readonly inverseDeviation: { readonly epsilon: number };
  readonly sum: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly mean: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly max: { readonly axes: readonly number[]; readonly keep: boolean };
  // windows
  readonly maxPool2d: { readonly size: Pair; readonly stride: Pair; readonly padding: Pair };
  readonly averagePool2d: { readonly size: Pair; readonly stride: Pair; readonly padding: Pair };
  // shape
  readonly reshape: Record<never, never>;
  readonly transpose: { readonly order: readonly number[] };
  readonly expand: Record<never, never>;
  readonly concat: { readonly axis: number };
  readonly slice: { readonly axis: number; readonly start: number; readonly end: number };
  readonly pad: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly gather: { readonly axis: number };
};

/** `[vertical, horizontal]` */
export type Pair = readonly [number, number];

/** Names of the vocabulary. */
export type OpName = keyof Attributes;

/**
 * A value in a network: plain data, nothing is computed until somebody gives it a meaning (`toOnnx`, `evaluate`,
 * `gradients`, TensorFlow.js).
 */
export type Tensor<Op extends OpName = OpName> = {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes[Op];
  readonly shape: Shape;
  readonly type: ElementType;
  /** Leaves: the published name. Others: where in the network it was made, `blocks.3.attn`. */
  readonly name: string;
  /** Counts up: inputs have smaller numbers than their users. */
  readonly id: number;
  /** Cheap to compute again from its inputs: a training graph does so instead of keeping it (`gradients`). */
  readonly cheap?: true;
  /** Computes again what an earlier node computed: it is written right after this node, so that it runs late (`toOnnx`). */
  readonly after?: Tensor;
};

let path: readonly string[] = [];
let lastId = 0;

/** Names what is made inside `body`: nodes read well in a graph viewer. Scopes nest: `blocks.3`, then `attn`. */
export function scope<R>(name: string, body: () => R): R {
  const outside = path;
  path = [...path, name];
  try {
    return body();
  } finally {
    path = outside;
  }
}

let marks: Pick<Tensor, "cheap" | "after"> = {};

/** Marks what is made inside `body`: `cheap` and `after` of `Tensor`. */
export function marked<R>(mark: Pick<Tensor, "cheap" | "after">, body: () => R): R {
  const outside = marks;
  marks = mark;
  try {
    return body();
  } finally {
    marks = outside;
  }
}

/** Makes a node; the constructors of ops.ts check and infer its shape first. */
export function node<Op extends OpName>(
  op: Op,
  inputs: readonly Tensor[],
  shape: Shape,
  attributes: Attributes[Op],
  type: ElementType = "float32",
): Tensor<Op> {
  return { op, inputs, attributes, shape, type, name: path.join("."), id: ++lastId, ...marks };
}

/** What the caller feeds, by name. */
export function input(name: string, shape: Shape, type: ElementType = "float32"): Tensor<"input"> {
  return { op: "input", inputs: [], attributes: {}, id: ++lastId, shape, type, name };
}

/** A learned array, by its published name (timm's): `blocks.3.attn.qkv.weight`. */
export function parameter(name: string, shape: readonly number[]): Tensor<"parameter"> {
  return { op: "parameter", inputs: [], attributes: {}, id: ++lastId, shape, type: "float32", name };
}

/** Saved with the network and not learned by gradients: running statistics of batch norm. */
export function buffer(name: string, shape: readonly number[]): Tensor<"buffer"> {
  return { op: "buffer", inputs: [], attributes: {}, id: ++lastId, shape, type: "float32", name };
}

/** Fixed numbers, row by row. */
export function constant(
  values: readonly number[],
  shape: readonly number[] = [values.length],
  type: ElementType = "float32",
): Tensor<"constant"> {
  if (values.length !== sizeOf(shape)) {
    throw new MammolabError(`Cannot make a constant ${show(shape)} of ${values.length} values; give ${sizeOf(shape)}`);
  }
  return node("constant", [], shape, { values }, type);
}

/** A single number, broadcast to anything. */
export function scalar(value: number): Tensor<"constant"> {
  return constant([value], []);
}

/** A shape in words: `[batch, 197, 192]`, `[4 batch, 49, 96]`. */
export function show(shape: Shape): string {
  const word = (dim: Dim) => typeof dim === "number" ? `${dim}` : dim.batch === 1 ? "batch" : `${dim.batch} batch`;
  return `[${shape.map(word).join(", ")}]`;
}

/** Whether two sizes are the same for every batch. */
export function sameDim(a: Dim, b: Dim): boolean {
  return typeof a === "number" || typeof b === "number" ? a === b : a.batch === b.batch;
}

/** Whether two shapes are the same for every batch. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i] as Dim));
}

/** A size times a number. */
export function timesDim(dim: Dim, factor: number): Dim {
  return typeof dim === "number" ? dim * factor : { batch: dim.batch * factor };
}

/** The number of values: a number where no axis is the batch. */
export function sizeOf(shape: Shape): number {
  return shape.reduce<number>((size, dim) => size * (typeof dim === "number" ? dim : dim.batch), 1);
}

/** How often the batch occurs among the axes. */
export function batches(shape: Shape): number {
  return shape.filter((dim) => typeof dim !== "number").length;
}

/** The shape once the batch is known. */
export function concrete(shape: Shape, batchSize: number): readonly number[] {
  return shape.map((dim) => typeof dim === "number" ? dim : dim.batch * batchSize);
}

/** Axis −1 is the last one. */
export function axisOf(axis: number, rank: number, what: string): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(positive) && positive >= 0 && positive < rank)) {
    throw new MammolabError(`Cannot take ${what} along axis ${axis}: the tensor has ${rank} axes; give one of them`);
  }
  return positive;
}

/** All nodes that some outputs need, inputs before their users, each once. */
export function nodesOf(outputs: readonly Tensor[]): readonly Tensor[] {
  const seen = new Set<Tensor>();
  const order: Tensor[] = [];
  // An own stack: a deep network would overflow the call stack.
  const stack: [Tensor, number][] = outputs.map((tensor) => [tensor, 0] as [Tensor, number]).reverse();
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const [tensor, next] = top;
    if (seen.has(tensor)) {
      stack.pop();
    } else if (next < tensor.inputs.length) {
      top[1]++;
      const child = tensor.inputs[next]!;
      if (!seen.has(child)) stack.push([child, 0]);
    } else {
      seen.add(tensor);
      order.push(tensor);
      stack.pop();
    }
  }
  return order;
}
