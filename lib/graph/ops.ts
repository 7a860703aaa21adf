import { MammolabError } from "../base/mod.ts";
import {
  axisOf,
  batches,
  constant,
  type Dim,
  type ElementType,
  node,
  type OpName,
  type Pair,
  sameDim,
  scalar,
  type Shape,
  show,
  sizeOf,
  type Tensor,
  timesDim,
} from "./tensor.ts";

// ---------------------------------------------------------------- two operands

/** `a + b`, broadcast. */
export const add = (a: Tensor, b: Tensor): Tensor => binary("add", a, b);
/** `a − b`, broadcast. */
export const subtract = (a: Tensor, b: Tensor): Tensor => binary("subtract", a, b);
/** `a · b` value by value, broadcast. */
export const multiply = (a: Tensor, b: Tensor): Tensor => binary("multiply", a, b);
/** `a / b`, broadcast. */
export const divide = (a: Tensor, b: Tensor): Tensor => binary("divide", a, b);
/** The larger of two values, broadcast. */
export const maximum = (a: Tensor, b: Tensor): Tensor => binary("maximum", a, b);
/** `a < b`, broadcast, as truth values. */
export const less = (a: Tensor, b: Tensor): Tensor => binary("less", a, b, "bool");
/** `a = b`, broadcast, as truth values. */
export const equal = (a: Tensor, b: Tensor): Tensor => binary("equal", a, b, "bool");

// ---------------------------------------------------------------- one operand

/** `−x` */
export const negate = (x: Tensor): Tensor => unary("negate", x);
/** `eˣ` */
export const exp = (x: Tensor): Tensor => unary("exp", x);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => unary("log", x);
/** Square root. */
export const sqrt = (x: Tensor): Tensor => unary("sqrt", x);
/** The error function. */
export const erf = (x: Tensor): Tensor => unary("erf", x);
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unary("tanh", x);
/** `1 / (1 + e⁻ˣ)` */
export const sigmoid = (x: Tensor): Tensor => unary("sigmoid", x);
/** `max(x, 0)` */
export const relu = (x: Tensor): Tensor => unary("relu", x);
/** `|x|` */
export const absolute = (x: Tensor): Tensor => unary("absolute", x);
/** `x Φ(x)`, exactly, by the error function (Hendrycks & Gimpel 2016, eq. 1); the tanh form differs by up to 4.7e-4. */
export const gelu = (x: Tensor): Tensor => unary("gelu", x);
/** `factor · x` */
export const scale = (x: Tensor, factor: number): Tensor => factor === 1 ? x : node("scale", [x], x.shape, { factor });

/** Truth values or integers as floats: 1 and 0. */
export function toFloat(x: Tensor): Tensor {
  return x.type === "float32" ? x : node("cast", [x], x.shape, {});
}

/** `a` where the condition holds, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  requireSameType("where", a, b);
  if (condition.type !== "bool") {
    throw new MammolabError(`Cannot choose by a ${condition.type} tensor; compare it with something first`);
  }
  return node(
    "where",
    [condition, a, b],
    broadcast("where", condition.shape, broadcast("where", a.shape, b.shape)),
    {},
    a.type,
  );
}

// ---------------------------------------------------------------- products

/** Matrix product over the last two axes; the axes before broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [inner, rows] = [a.shape.at(-1), b.shape.at(-2)];
  if (inner === undefined || rows === undefined || a.shape.length < 2 || !sameDim(inner, rows)) {
    throw misfit("matmul", a, b);
  }
  const outer = broadcast("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return node("matmul", [a, b], [...outer, a.shape.at(-2)!, b.shape.at(-1)!], {});
}

/** `alpha · op(a) op(b) + beta · c` of two matrices, op a transposition where asked. */
export function gemm(
  a: Tensor,
  b: Tensor,
  { c, transA = false, transB = false, alpha = 1, beta = 1 }: {
    readonly c?: Tensor;
    readonly transA?: boolean;
    readonly transB?: boolean;
    readonly alpha?: number;
    readonly beta?: number;
  } = {},
): Tensor {
  if (a.shape.length !== 2 || b.shape.length !== 2) throw misfit("gemm", a, b);
  const [rows, innerA] = transA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [innerB, columns] = transB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (!sameDim(innerA, innerB)) throw misfit("gemm", a, b);
  if (c) broadcast("gemm", c.shape, [rows, columns]);
  return node("gemm", c ? [a, b, c] : [a, b], [rows, columns], { transA, transB, alpha, beta });
}

/**
 * `factor · (x wᵀ + b)` over the last axis, the weight `[out, in]` as it is published.
 *
 * One Gemm on the weight as it lies in the file: a transposed weight would be copied at load, into memory that the engine
 * does not give back.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { factor = 1 }: { readonly factor?: number } = {},
): Tensor {
  const [outputs, inputs] = weight.shape as readonly number[];
  if (x.shape.at(-1) !== inputs) throw misfit("linear", x, weight);
  const rows = reshape(x, [x.shape.slice(0, -1).reduce(productOf, 1), inputs!]);
  const y = gemm(rows, weight, { transB: true, alpha: factor, beta: factor, ...(bias ? { c: bias } : {}) });
  return reshape(y, [...x.shape.slice(0, -1), outputs!]);
}

/** How a convolution moves. */
export type ConvolutionOptions = {
  readonly bias?: Tensor;
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
  /** Distance between the kernel's values; the gradient of a strided convolution's kernel needs it. */
  readonly dilation?: number | Pair;
  readonly groups?: number;
};

/** Convolution of `[batch, in, height, width]` with kernels `[out, in / groups, height, width]`. */
export function conv2d(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  const [stride, padding, dilation] = [
    pair(options.stride ?? 1),
    pair(options.padding ?? 0),
    pair(options.dilation ?? 1),
  ];
  const { groups = 1, bias } = options;
  requirePositive("conv2d", stride, dilation);
  const [out, perGroup, ...kernel] = weight.shape as number[];
  const [n, channels, ...size] = x.shape as [Dim, number, number, number];
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels !== perGroup! * groups || out! % groups !== 0) {
    throw misfit("conv2d", x, weight);
  }
  const outer = size.map((s, i) =>
    Math.floor((s + 2 * padding[i]! - dilation[i]! * (kernel[i]! - 1) - 1) / stride[i]!) + 1
  );
  if (outer.some((s) => s < 1)) throw misfit("conv2d", x, weight);
  if (bias && !(bias.shape.length === 1 && bias.shape[0] === out)) throw misfit("conv2d", weight, bias);
  return node("conv2d", bias ? [x, weight, bias] : [x, weight], [n, out!, ...outer], {
    stride,
    padding,
    dilation,
    groups,
  });
}

/** The transposed convolution: the gradient of `conv2d` with respect to its input; kernels `[in, out / groups, height, width]`. */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: Omit<ConvolutionOptions, "bias" | "dilation"> & { readonly outputPadding?: number | Pair } = {},
): Tensor {
  const [stride, padding, outputPadding] = [options.stride ?? 1, options.padding ?? 0, options.outputPadding ?? 0].map(
    pair,
  );
  const { groups = 1 } = options;
  requirePositive("convTranspose2d", stride!);
  const [inputs, perGroup, ...kernel] = weight.shape as number[];
  const [n, channels, ...size] = x.shape as [Dim, number, number, number];
  if (x.shape.length !== 4 || weight.shape.length !== 4 || channels !== inputs) {
    throw misfit("convTranspose2d", x, weight);
  }
  const outer = size.map((s, i) => (s - 1) * stride![i]! - 2 * padding![i]! + kernel[i]! + outputPadding![i]!);
  return node("convTranspose2d", [x, weight], [n, perGroup! * groups, ...outer], {
    stride: stride!,
    padding: padding!,
    outputPadding: outputPadding!,
    groups,
  });
}

// ---------------------------------------------------------------- along an axis

/** `eˣ / Σ eˣ` along an axis. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return node("softmax", [x], x.shape, { axis: axisOf(axis, x.shape.length, "a softmax") });
}
/** The logarithm of the softmax, without its overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return node("logSoftmax", [x], x.shape, { axis: axisOf(axis, x.shape.length, "a softmax") });
}

/** `γ (x − mean) / √(variance + ε) + β` over the last axis, variance biased (Ba et al. 2016). */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): Tensor {
  const dim = x.shape.at(-1);
  for (const p of [gamma, beta]) if (p.shape.length !== 1 || p.shape[0] !== dim) throw misfit("layerNorm", x, p);
  return node("layerNorm", [x, gamma, beta], x.shape, { epsilon });
}

/** `1 / √(variance + ε)` over the last axis, kept as an axis of 1: what the gradient of a layer norm needs. */
export function inverseDeviation(x: Tensor, epsilon: number): Tensor {
  return node("inverseDeviation", [x], [...x.shape.slice(0, -1), 1], { epsilon });
}

/** Which axes are reduced; default all. `keep` leaves them with size 1. */
export type ReduceOptions = { readonly axes?: readonly number[]; readonly keep?: boolean };

/** The sum over axes. */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce("sum", x, options);
/** The mean over axes. */
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce("mean", x, options);
/** The largest value over axes. */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce("max", x, options);

// ---------------------------------------------------------------- windows

/** How a pool moves; `stride` defaults to `size`. */
export type PoolOptions = {
  readonly size: number | Pair;
  readonly stride?: number | Pair;
  readonly padding?: number | Pair;
};

/** The largest value of each window; padding never wins. */
export const maxPool2d = (x: Tensor, options: PoolOptions): Tensor => pool("maxPool2d", x, options);
/** The mean of each window; padding counts as zeros (PyTorch's default). */
export const averagePool2d = (x: Tensor, options: PoolOptions): Tensor => pool("averagePool2d", x, options);

// ---------------------------------------------------------------- shape

/** The same values, row by row, in another shape. One size may be the batch. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sizeOf(x.shape) !== sizeOf(shape) || batches(x.shape) !== batches(shape)) {
    throw new MammolabError(
      `Cannot reshape ${show(x.shape)} to ${show(shape)}: the numbers of values differ; check the sizes`,
    );
  }
  if (batches(shape) > 1) {
    throw new MammolabError(
      `Cannot reshape ${show(x.shape)} to ${show(shape)}: only one axis can be the batch; fix the batch`,
    );
  }
  if (x.shape.length === shape.length && x.shape.every((dim, i) => sameDim(dim, shape[i]!))) return x;
  if (x.op === "reshape") return reshape(x.inputs[0]!, shape);
  return node("reshape", [x], shape, {}, x.type);
}

/** Axes in another order: axis `i` of the result is axis `order[i]` of `x`. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  if (order.length !== x.shape.length || [...order].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new MammolabError(
      `Cannot transpose ${show(x.shape)} by [${order}]: give each of its ${x.shape.length} axes once`,
    );
  }
  if (order.every((axis, i) => axis === i)) return x;
  if (x.op === "transpose") {
    const inner = (x as Tensor<"transpose">).attributes.order;
    return transpose(x.inputs[0]!, order.map((axis) => inner[axis]!));
  }
  return node("transpose", [x], order.map((axis) => x.shape[axis]!), { order }, x.type);
}

/** The last two axes exchanged. */
export function swapLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

/** Repeats axes of size 1 (and missing leading ones) up to a shape. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (!fits(x.shape, shape)) {
    throw new MammolabError(
      `Cannot expand ${show(x.shape)} to ${show(shape)}: only axes of size 1 can grow; reshape first`,
    );
  }
  if (x.shape.length === shape.length && x.shape.every((dim, i) => sameDim(dim, shape[i]!))) return x;
  return node("expand", [x], shape, {}, x.type);
}

/** Tensors one after another along an axis. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (!first) throw new MammolabError("Cannot concat no tensors; give at least one");
  const along = axisOf(axis, first.shape.length, "a concatenation");
  for (const other of tensors) {
    const alike = other.shape.length === first.shape.length &&
      other.shape.every((dim, i) => i === along || sameDim(dim, first.shape[i]!));
    if (!alike) throw misfit("concat", first, other);
  }
  if (tensors.length === 1) return first;
  const size = tensors.map(({ shape }) => shape[along]!).reduce(sumOf);
  return node("concat", tensors, first.shape.map((dim, i) => i === along ? size : dim), { axis: along }, first.type);
}

/** `x[…, start … end − 1, …]` along an axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a slice");
  const size = x.shape[along]!;
  if (typeof size !== "number" || !(start >= 0 && start < end && end <= size)) {
    throw new MammolabError(
      `Cannot slice ${show(x.shape)} from ${start} to ${end} along axis ${along}; stay within 0 … ${
        typeof size === "number" ? size : "a fixed size"
      }`,
    );
  }
  if (start === 0 && end === size) return x;
  return node(
    "slice",
    [x],
    x.shape.map((dim, i) => i === along ? end - start : dim),
    { axis: along, start, end },
    x.type,
  );
}

/** Equal parts along an axis. */
export function split(x: Tensor, parts: number, axis: number): readonly Tensor[] {
  const along = axisOf(axis, x.shape.length, "a split");
  const size = (x.shape[along] as number) / parts;
  if (!Number.isInteger(size)) {
    throw new MammolabError(
      `Cannot split ${
        show(x.shape)
      } into ${parts} equal parts along axis ${along}: the size does not divide; check the sizes`,
    );
  }
  return Array.from({ length: parts }, (_, k) => slice(x, along, k * size, (k + 1) * size));
}

/** Moves values cyclically along an axis by `by` places: `roll(x, −1)` makes the second the first. */
export function roll(x: Tensor, by: number, axis: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a roll");
  const size = x.shape[along] as number;
  const cut = ((-by % size) + size) % size;
  return cut === 0 ? x : concat([slice(x, along, cut, size), slice(x, along, 0, cut)], along);
}

/** Zeros before and after, for each axis. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if (
    before.length !== x.shape.length || after.length !== x.shape.length || [...before, ...after].some((n) => !(n >= 0))
  ) {
    throw new MammolabError(
      `Cannot pad ${show(x.shape)}: give ${x.shape.length} counts of zeros, 0 or more, before and after`,
    );
  }
  if ([...before, ...after].every((n) => n === 0)) return x;
  const shape = x.shape.map((dim, i) => {
    const extra = before[i]! + after[i]!;
    if (typeof dim === "number") return dim + extra;
    if (extra > 0) throw new MammolabError(`Cannot pad ${show(x.shape)}: axis ${i} is the batch; pad another axis`);
    return dim;
  });
  return node("pad", [x], shape, { before, after });
}

/** `x[…, indices, …]` along an axis; the shape of the indices takes the place of that axis. */
export function gather(x: Tensor, indices: Tensor, axis: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a gather");
  if (indices.type !== "int64") throw new MammolabError(`Cannot gather by ${indices.type} values; give int64 indices`);
  return node("gather", [x, indices], [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)], {
    axis: along,
  }, x.type);
}

/** `n` ones. */
export const ones = (n: number): Tensor => constant(new Array<number>(n).fill(1));
/** `n` zeros. */
export const zeros = (n: number): Tensor => constant(new Array<number>(n).fill(0));
/** Adds a number to all values. */
export const addNumber = (x: Tensor, value: number): Tensor => add(x, scalar(value));

// ---------------------------------------------------------------- helpers

type Binary = "add" | "subtract" | "multiply" | "divide" | "maximum" | "less" | "equal";
type Unary = "negate" | "exp" | "log" | "sqrt" | "erf" | "tanh" | "sigmoid" | "relu" | "absolute" | "gelu";

function binary(op: Binary, a: Tensor, b: Tensor, type: ElementType = a.type): Tensor {
  requireSameType(op, a, b);
  return node(op, [a, b], broadcast(op, a.shape, b.shape), {}, type);
}
function unary(op: Unary, x: Tensor): Tensor {
  return node(op, [x], x.shape, {});
}

function reduce(op: "sum" | "mean" | "max", x: Tensor, { axes, keep = false }: ReduceOptions): Tensor {
  const rank = x.shape.length;
  const chosen = (axes ?? Array.from({ length: rank }, (_, i) => i)).map((axis) => axisOf(axis, rank, `a ${op}`)).sort((
    a,
    b,
  ) => a - b);
  const shape = x.shape.flatMap((dim, i) => chosen.includes(i) ? (keep ? [1] : []) : [dim]);
  return node(op, [x], shape, { axes: chosen, keep });
}

function pool(op: "maxPool2d" | "averagePool2d", x: Tensor, options: PoolOptions): Tensor {
  const size = pair(options.size);
  const stride = pair(options.stride ?? options.size);
  const padding = pair(options.padding ?? 0);
  const [n, channels, ...sides] = x.shape as [Dim, number, number, number];
  if (x.shape.length !== 4) {
    throw new MammolabError(`Cannot pool ${show(x.shape)}: give [batch, channels, height, width]`);
  }
  requirePositive(op, size, stride);
  const outer = sides.map((s, i) => Math.floor((s + 2 * padding[i]! - size[i]!) / stride[i]!) + 1);
  if (outer.some((s) => s < 1) || padding.some((zeros, i) => 2 * zeros > size[i]!)) {
    throw new MammolabError(
      `Cannot ${op} ${show(x.shape)} by windows ${show(size)} with padding ${
        show(padding)
      }: they do not fit; check the sizes`,
    );
  }
  return node(op, [x], [n, channels, ...outer], { size, stride, padding });
}

/** The engine has no mixed arithmetic: it would refuse the model, without saying where. */
function requireSameType(op: OpName, a: Tensor, b: Tensor): void {
  if (a.type !== b.type) {
    throw new MammolabError(
      `Cannot ${op} ${a.type} ${show(a.shape)} and ${b.type} ${
        show(b.shape)
      }: the number types differ; make them floats first`,
    );
  }
}

function requirePositive(op: OpName, ...pairs: readonly Pair[]): void {
  if (pairs.flat().every((n) => Number.isInteger(n) && n > 0)) return;
  throw new MammolabError(
    `Cannot ${op} by strides and sizes ${pairs.map(show).join(", ")}: give whole numbers above 0`,
  );
}

const pair = (value: number | Pair): Pair => typeof value === "number" ? [value, value] : value;

/** NumPy's rule; an axis of size 1 also meets the batch. */
export function broadcast(what: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p === 1) return q;
    if (q === 1 || sameDim(p, q)) return p;
    throw new MammolabError(
      `Cannot ${what} ${show(a)} and ${show(b)}: the sizes ${show([p, q])} do not fit; check the shapes`,
    );
  });
}

function fits(from: Shape, to: Shape): boolean {
  return from.length <= to.length &&
    from.every((dim, i) => dim === 1 || sameDim(dim, to[i - from.length + to.length]!));
}

function misfit(op: OpName | "linear", a: Tensor, b: Tensor): MammolabError {
  const called = (tensor: Tensor) => `${tensor.name ? `${tensor.name} ` : ""}${show(tensor.shape)}`;
  return new MammolabError(`Cannot ${op} ${called(a)} and ${called(b)}: the sizes do not fit; check the shapes`);
}

const productOf = (a: Dim, b: Dim): Dim => {
  if (typeof a === "number") return timesDim(b, a);
  if (typeof b === "number") return timesDim(a, b);
  throw new MammolabError("Cannot fold two axes that are both the batch; keep one of them apart");
};
const sumOf = (a: Dim, b: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a !== "number" && typeof b !== "number") return { batch: a.batch + b.batch };
  throw new MammolabError("Cannot concat along the batch: one tensor has a fixed size there; fix the batch");
};
