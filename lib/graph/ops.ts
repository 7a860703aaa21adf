import { MammolabError } from "../base/mod.ts";
import { broadcast, misfit, requireSameType } from "./_checks.ts";
import { reshape } from "./rearrange.ts";
import {
  axisOf,
  constant,
  type Dim,
  type ElementType,
  node,
  type OpName,
  type Pair,
  sameDim,
  scalar,
  show,
  type Tensor,
  timesDim,
} from "./tensor.ts";

export * from "./rearrange.ts";

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

function requirePositive(op: OpName, ...pairs: readonly Pair[]): void {
  if (pairs.flat().every((n) => Number.isInteger(n) && n > 0)) return;
  throw new MammolabError(
    `Cannot ${op} by strides and sizes ${pairs.map(show).join(", ")}: give whole numbers above 0`,
  );
}

const pair = (value: number | Pair): Pair => typeof value === "number" ? [value, value] : value;

const productOf = (a: Dim, b: Dim): Dim => {
  if (typeof a === "number") return timesDim(b, a);
  if (typeof b === "number") return timesDim(a, b);
  throw new MammolabError("Cannot fold two axes that are both the batch; keep one of them apart");
};
