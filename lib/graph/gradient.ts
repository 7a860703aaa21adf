import { MammolabError } from "../base/mod.ts";
import {
  averagePoolGradient,
  convolutionGradient,
  maxPoolGradient,
  transposedConvolutionGradient,
} from "./_convolution_gradient.ts";
import * as g from "./ops.ts";
import {
  constant,
  marked,
  node,
  nodesOf,
  type OpName,
  scalar,
  scope,
  type Shape,
  show,
  sizeOf,
  type Tensor,
} from "./tensor.ts";

/**
 * Reverse-mode differentiation of an expression, in the same vocabulary (Griewank & Walther 2008, chapter 3).
 *
 * Only what the asked-for tensors need is built: frozen layers cost nothing. Values that are marked `cheap` are computed
 * again in the backward part instead of being kept.
 *
 * @param loss a single number
 * @param of tensors upstream of the loss: parameters, inputs, attention maps
 * @returns the gradient of each, of its shape; a tensor that the loss does not depend on gets none
 * @throws MammolabError when the loss is no single number
 *
 * @example d/dx Σ x² = 2 x
 * ```ts
 * import { evaluate, gradients, input, multiply, sum } from "mammolab/graph";
 * import { assertEquals } from "@std/assert";
 * const x = input("x", [2]);
 * const dx = gradients(sum(multiply(x, x)), [x]).get(x)!;
 * assertEquals([...evaluate({ dx }, { x: { shape: [2], data: Float64Array.of(3, -1) } }).dx!.data], [6, -2]);
 * ```
 */
export function gradients(loss: Tensor, of: readonly Tensor[]): ReadonlyMap<Tensor, Tensor> {
  if (sizeOf(loss.shape) !== 1 || loss.shape.some((dim) => typeof dim !== "number")) {
    throw new MammolabError(
      `Cannot differentiate a tensor ${show(loss.shape)}: a loss is a single number; take its sum or mean`,
    );
  }
  const order = nodesOf([loss]);
  const asked = new Set(of);
  const needed = new Set<Tensor>();
  for (const tensor of order) if (asked.has(tensor) || tensor.inputs.some((one) => needed.has(one))) needed.add(tensor);

  const again = rematerializer();
  const found = new Map<Tensor, Tensor>();
  const contributions = new Map<Tensor, Contribution[]>([[loss, [{
    dy: constant([1], loss.shape as readonly number[]),
  }]]]);
  const readers = new Map<Tensor, readonly Reader[]>();
  for (const tensor of order.toReversed()) {
    const parts = contributions.get(tensor);
    if (!parts || !needed.has(tensor)) continue;
    const dy = total(tensor, parts);
    if (asked.has(tensor)) found.set(tensor, dy);
    if (!tensor.inputs.some((one) => needed.has(one))) continue;
    const rule = gradientRules[tensor.op] as GradientRule<OpName>;
    const own = readers.get(tensor) ?? [];
    const inward = scope(tensor.name, () => scope("gradient", () => rule(tensor, dy, again, own, asked)));
    inward.forEach((gradient, i) => {
      const one = tensor.inputs[i]!;
      if (!gradient || !needed.has(one)) return;
      const part = tensor.op === "slice"
        ? { dy: gradient, slice: (tensor as Tensor<"slice">).attributes }
        : { dy: gradient };
      contributions.set(one, [...contributions.get(one) ?? [], part]);
      readers.set(one, [...readers.get(one) ?? [], { tensor, dy }]);
    });
  }
  return found;
}

/** A gradient that arrives at a tensor; from a slice it is only that part. */
type Contribution = {
  readonly dy: Tensor;
  readonly slice?: { readonly axis: number; readonly start: number; readonly end: number };
};

/** Whether `u · gate` is the product that `trainingForm` makes of a GELU, `u (1 + erf u)`. */
function isErfGate(u: Tensor, gate: Tensor): boolean {
  const [erf, one] = gate.inputs;
  return gate.op === "add" && erf!.op === "erf" && erf!.inputs[0] === u && one!.op === "constant" &&
    sizeOf(one!.shape) === 1 && (one as Tensor<"constant">).attributes.values[0] === 1;
}

/** Gives the value of a tensor for use in the backward part: the tensor itself, or the same computed again where that is cheap. */
type Again = (tensor: Tensor) => Tensor;

/** What was computed from a tensor, and its gradient. */
type Reader = { readonly tensor: Tensor; readonly dy: Tensor };

/** The gradients of a node's inputs from its own, `null` where there is none. */
type GradientRule<Op extends OpName> = (
  tensor: Tensor<Op>,
  dy: Tensor,
  again: Again,
  readers: readonly Reader[],
  asked: ReadonlySet<Tensor>,
) => readonly (Tensor | null)[];

const leaf = () => [];
const none = (tensor: Tensor) => tensor.inputs.map(() => null);

/** The vector-Jacobian product of each operation. A missing row does not compile. */
const gradientRules: { readonly [Op in OpName]: GradientRule<Op> } = {
  input: leaf,
  parameter: leaf,
  buffer: leaf,
  constant: leaf,
  add: ({ inputs: [a, b] }, dy) => [unbroadcast(dy, a!.shape), unbroadcast(dy, b!.shape)],
  subtract: ({ inputs: [a, b] }, dy) => [unbroadcast(dy, a!.shape), unbroadcast(g.negate(dy), b!.shape)],
  multiply: ({ inputs: [a, b] }, dy, again, _, asked) => {
    const within = [b!, ...b!.inputs]; // what the one factor passes over
    if (isErfGate(a!, b!) && !within.some((one) => asked.has(one))) { // d u (1 + erf u) / du as one factor: a pass over memory less than factor by factor
      const density = g.scale(g.divide(a!, g.exp(g.multiply(a!, a!))), 2 / Math.sqrt(Math.PI));
      return [g.multiply(dy, g.add(density, again(b!))), null];
    }
    return [unbroadcast(g.multiply(dy, again(b!)), a!.shape), unbroadcast(g.multiply(dy, again(a!)), b!.shape)];
  },
  divide: (y, dy) => {
    const [a, b] = y.inputs as [Tensor, Tensor];
    const share = g.divide(dy, b);
    return [unbroadcast(share, a.shape), unbroadcast(g.negate(g.multiply(share, y)), b.shape)];
  },
  maximum: ({ inputs: [a, b] }, dy) => {
    const second = g.less(a!, b!);
    return [
      unbroadcast(g.where(second, scalar(0), dy), a!.shape),
      unbroadcast(g.where(second, dy, scalar(0)), b!.shape),
    ];
  },
  less: none,
  equal: none,
  negate: (_, dy) => [g.negate(dy)],
  exp: (y, dy) => [g.multiply(dy, y)],
  log: ({ inputs: [x] }, dy) => [g.divide(dy, x!)],
  sqrt: (y, dy) => [g.divide(g.scale(dy, 0.5), y)],
  // exp(x²) may overflow to infinity, where the gradient is 0: dividing gives 0, multiplying by exp(−x²) would need one node more
  erf: ({ inputs: [x] }, dy) => [g.scale(g.divide(dy, g.exp(g.multiply(x!, x!))), 2 / Math.sqrt(Math.PI))],
  tanh: (y, dy) => [g.multiply(dy, g.subtract(scalar(1), g.multiply(y, y)))],
  sigmoid: (y, dy) => [g.multiply(dy, g.multiply(y, g.subtract(scalar(1), y)))],
  relu: ({ inputs: [x] }, dy) => [g.where(g.less(scalar(0), x!), dy, scalar(0))],
  absolute: ({ inputs: [x] }, dy) => [g.where(g.less(x!, scalar(0)), g.negate(dy), dy)],
  gelu: ({ inputs: [x] }, dy) => { // Φ(x) + x φ(x)
    const cumulative = g.scale(g.addNumber(g.erf(g.scale(x!, Math.SQRT1_2)), 1), 0.5);
    const density = g.scale(g.divide(x!, g.exp(g.scale(g.multiply(x!, x!), 0.5))), 1 / Math.sqrt(2 * Math.PI));
    return [g.multiply(dy, g.add(cumulative, density))];
  },
  scale: ({ attributes: { factor } }, dy) => [g.scale(dy, factor)],
  cast: none,
  where: ({ inputs: [condition, a, b] }, dy) => [
    null,
    unbroadcast(g.where(condition!, dy, scalar(0)), a!.shape),
    unbroadcast(g.where(condition!, scalar(0), dy), b!.shape),
  ],
  matmul: ({ inputs: [a, b] }, dy, again) => [
    unbroadcast(timesTransposed(dy, b!), a!.shape),
    unbroadcast(transposedTimes(again(a!), dy), b!.shape),
  ],
  gemm: ({ inputs: [a, b, c], attributes: { transA, transB, alpha, beta } }, dy, again) => [
    transA ? g.gemm(b!, dy, { transA: transB, transB: true, alpha }) : g.gemm(dy, b!, { transB: !transB, alpha }),
    transA
      ? transB ? g.gemm(dy, again(a!), { transA, transB, alpha }) : g.gemm(again(a!), dy, { alpha })
      : transB
      ? columnsTimes(dy, again(a!), alpha)
      : columnsTimes(again(a!), dy, alpha),
    ...(c ? [g.scale(unbroadcast(dy, c.shape), beta)] : []),
  ],
  conv2d: convolutionGradient,
  convTranspose2d: transposedConvolutionGradient,
  softmax: (y, dy, again, [reader, ...more]) => {
    const { axis } = y.attributes;
    const p = again(y);
    // Where P is read by O = P V alone, Σ P dP is Σ O dO, over shorter rows (Dao et al. 2022, appendix B.2)
    const shorter = more.length === 0 && reader?.tensor.op === "matmul" && reader.tensor.inputs[0] === y &&
      axis === y.shape.length - 1 && bytes(reader.tensor) < bytes(y);
    const both = shorter ? g.multiply(reader.dy, reader.tensor) : g.multiply(dy, p);
    return [g.multiply(p, g.subtract(dy, g.sum(both, { axes: [axis], keep: true })))];
  },
  logSoftmax: (y, dy) => [g.subtract(dy, g.multiply(g.exp(y), g.sum(dy, { axes: [y.attributes.axis], keep: true })))],
  layerNorm: (y, dy) => {
    const [x, gamma] = y.inputs as [Tensor, Tensor];
    const { epsilon } = y.attributes;
    const dim = x.shape.at(-1) as number;
    const rows = [x.shape.slice(0, -1).reduce(product, 1), dim];
    const [flat, flatDy] = [g.reshape(x, rows), g.reshape(dy, rows)];
    const normal = marked({ after: x }, () => g.layerNorm(flat, g.ones(dim), g.zeros(dim), epsilon)); // again: not kept
    const moment = g.multiply(flatDy, normal);
    const weighted = (t: Tensor) => g.gemm(t, g.reshape(gamma, [dim, 1]), { alpha: 1 / dim }); // row means of γ t
    const centered = g.subtract(g.multiply(flatDy, gamma), weighted(flatDy));
    const dx = g.multiply(
      g.subtract(centered, g.multiply(normal, weighted(moment))),
      g.inverseDeviation(flat, epsilon),
    );
    return [g.reshape(dx, x.shape), g.sum(moment, { axes: [0] }), g.sum(flatDy, { axes: [0] })];
  },
  inverseDeviation: (y, dy) => {
    const x = y.inputs[0]!;
    const centered = g.subtract(x, g.mean(x, { axes: [-1], keep: true }));
    const slope = g.scale(g.multiply(dy, g.multiply(y, g.multiply(y, y))), -1 / (x.shape.at(-1) as number));
    return [g.multiply(slope, centered)];
  },
  sum: ({ inputs: [x], attributes }, dy) => [spreadBack(dy, x!.shape, attributes.axes)],
  mean: ({ inputs: [x], attributes }, dy) => {
    const count = attributes.axes.reduce((n, axis) => n * (x!.shape[axis] as number), 1);
    return [g.scale(spreadBack(dy, x!.shape, attributes.axes), 1 / count)];
  },
  max: (y, dy) => { // equal largest values share
    const x = y.inputs[0]!;
    const { axes } = y.attributes;
    const hit = g.toFloat(g.equal(x, spreadBack(y, x.shape, axes)));
    return [g.divide(g.multiply(hit, spreadBack(dy, x.shape, axes)), g.sum(hit, { axes, keep: true }))];
  },
  maxPool2d: maxPoolGradient,
  averagePool2d: averagePoolGradient,
  reshape: ({ inputs: [x] }, dy) => [g.reshape(dy, x!.shape)],
  transpose: ({ attributes: { order } }, dy) => [g.transpose(dy, order.map((_, axis) => order.indexOf(axis)))],
  expand: ({ inputs: [x] }, dy) => [unbroadcast(dy, x!.shape)],
  concat: ({ inputs, attributes: { axis } }, dy) => {
    let start = 0;
    return inputs.map(({ shape }) => g.slice(dy, axis, start, start += shape[axis] as number));
  },
  slice: (_, dy) => [dy], // padded, or joined with its neighbors, where it arrives
  pad: ({ inputs: [x], attributes: { before } }, dy) => [
    x!.shape.reduce<Tensor>(
      (part, size, axis) => typeof size === "number" ? g.slice(part, axis, before[axis]!, before[axis]! + size) : part,
      dy,
    ),
  ],
  gather: ({ inputs: [x, indices], attributes: { axis } }, dy) => {
    // Σ over the places that read a row, as a product with the one-hot matrix [size, places]
    const size = x!.shape[axis] as number;
    const places = indices!.shape.reduce(product, 1) as number;
    const which = g.reshape(indices!, [1, places]);
    const rows = constant(Array.from({ length: size }, (_, i) => i), [size, 1], "int64");
    const outer = x!.shape.slice(0, axis).reduce(product, 1);
    const inner = x!.shape.slice(axis + 1).reduce(product, 1);
    const summed = g.matmul(g.toFloat(g.equal(rows, which)), g.reshape(dy, [outer, places, inner]));
    return [g.reshape(summed, x!.shape), null];
  },
};

/** Sums what arrives at a tensor. Slices that tile an axis are joined: no zeros are written. */
function total(tensor: Tensor, parts: readonly Contribution[]): Tensor {
  const slices = parts.filter(({ slice }) => slice).sort((a, b) => a.slice!.start - b.slice!.start);
  const [first] = slices;
  const tiled = first && slices.length === parts.length &&
    slices.every(({ slice }) => slice!.axis === first.slice!.axis) &&
    slices.reduce((at, { slice }) => slice!.start === at ? slice!.end : NaN, 0) === tensor.shape[first.slice!.axis];
  if (tiled) return g.concat(slices.map(({ dy }) => dy), first.slice!.axis);
  return parts.map(({ dy, slice }) => {
    if (!slice) return dy;
    const zeros = (count: number) => tensor.shape.map((_, axis) => axis === slice.axis ? count : 0);
    return g.pad(dy, zeros(slice.start), zeros((tensor.shape[slice.axis] as number) - slice.end));
  }).reduce((a, b) => g.add(a, b));
}

/** Computes cheap values again, each once, written right after what they are computed from. */
function rematerializer(): Again {
  const made = new Map<Tensor, Tensor>();
  const again: Again = (tensor) => {
    if (!tensor.cheap && !(tensor.op === "reshape" && tensor.inputs[0]!.cheap)) return tensor;
    const known = made.get(tensor);
    if (known) return known;
    const inputs = tensor.inputs.map(again);
    const source = inputs.map((one) => one.after ?? one).find(({ op }) => op !== "parameter" && op !== "constant")!;
    const copy = marked({ after: source }, () => node(tensor.op, inputs, tensor.shape, tensor.attributes, tensor.type));
    made.set(tensor, copy);
    return copy;
  };
  return again;
}

/** Sums over the axes along which a value was repeated. */
function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((dim, i) => i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []);
  return axes.length === 0 ? dy : g.reshape(g.sum(dy, { axes, keep: true }), shape);
}

/** Puts reduced axes back and repeats along them. */
function spreadBack(dy: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  return g.expand(g.reshape(dy, shape.map((dim, i) => axes.includes(i) ? 1 : dim)), shape);
}

const product = (a: Shape[number], b: Shape[number]): Shape[number] =>
  typeof a === "number" ? (typeof b === "number" ? a * b : { batch: a * b.batch }) : { batch: a.batch * (b as number) };
const bytes = ({ shape }: Tensor) => sizeOf(shape);

/** `a bᵀ` for each matrix; what is smaller is transposed: a transposed attention map would cost more than the product. */
function timesTransposed(a: Tensor, b: Tensor): Tensor {
  const result = bytes(a) / (a.shape.at(-1) as number) * (b.shape.at(-2) as number);
  return bytes(b) <= bytes(a) + result ? g.matmul(a, g.swapLast(b)) : g.swapLast(g.matmul(b, g.swapLast(a)));
}

/** `aᵀ b` for each matrix; what is smaller is transposed. */
function transposedTimes(a: Tensor, b: Tensor): Tensor {
  const result = bytes(b) / (b.shape.at(-2) as number) * (a.shape.at(-1) as number);
  return bytes(a) <= bytes(b) + result ? g.matmul(g.swapLast(a), b) : g.swapLast(g.matmul(g.swapLast(b), a));
}

/**
 * `alpha aᵀ b` of two matrices; what is smaller is transposed by itself: a Gemm that transposes its first operand is
 * 12-20 % slower (measured on the shapes of ViT-Tiny and ViT-Base, ONNX Runtime 1.30).
 */
function columnsTimes(a: Tensor, b: Tensor, alpha: number): Tensor {
  const result = (a.shape.at(-1) as number) * (b.shape.at(-1) as number);
  return bytes(a) <= bytes(b) + result
    ? g.gemm(g.swapLast(a), b, { alpha })
    : g.swapLast(g.gemm(g.swapLast(b), a, { alpha }));
}
