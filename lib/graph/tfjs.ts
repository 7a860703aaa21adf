import { MammolabError, sentenceOf } from "../base/mod.ts";
import { batchOf } from "./evaluate.ts";
import type { TensorFlow, TfjsTensor } from "./tensorflow.ts";
import { concrete, nodesOf, type OpName, type Pair, show, type Tensor } from "./tensor.ts";

export type { TensorFlow, TfjsTensor } from "./tensorflow.ts";

/**
 * Computes a network with TensorFlow.js, operation by operation. What is computed can be differentiated by TensorFlow.js
 * itself (`tf.grads`): a second opinion on every gradient, which shares no rule with `gradients`.
 *
 * Where several values of a window are the largest, its `maxPool2d` sends the gradient to the first of them, `gradients` to
 * all alike. Everything is float32; its error function is off by up to 1.5e-7.
 *
 * @param tf the namespace of the package, loaded by the caller (`openTfjs` in `mammolab/engine`)
 * @param outputs what is asked for, by name
 * @param feeds tensors for inputs, parameters and buffers, by name; they are not disposed
 * @returns a tensor for each output; call it inside `tf.tidy`, which frees what is between
 * @throws MammolabError when a leaf has no value or one of another shape or type, or TensorFlow.js cannot do an operation
 *
 * @example
 * ```ts ignore
 * const { tf } = await openTfjs();
 * const x = input("x", [2]);
 * tf.tidy(() => evaluateTfjs(tf, { y: exp(x) }, { x: tf.tensor([0, 1], [2], "float32") }).y.dataSync()); // 1, 2.718
 * ```
 */
export function evaluateTfjs<Names extends string>(
  tf: TensorFlow,
  outputs: Readonly<Record<Names, Tensor>>,
  feeds: Readonly<Record<string, TfjsTensor>>,
): Record<Names, TfjsTensor> {
  const order = nodesOf(Object.values(outputs));
  const batchSize = batchOf(order, feeds);
  const values = new Map<Tensor, TfjsTensor>();
  for (const tensor of order) {
    const shape = concrete(tensor.shape, batchSize);
    const inputs = tensor.inputs.map((one) => values.get(one)!);
    const value = attempted(tensor, () => (tfjsRules[tensor.op] as TfjsRule<OpName>)(tf, tensor, inputs, shape, feeds));
    if (value.shape.length !== shape.length || value.shape.some((size, i) => size !== shape[i])) {
      throw cannot(tensor, `it gave ${show(value.shape)} where ${show(shape)} is right`);
    }
    values.set(tensor, value);
  }
  const named = Object.entries<Tensor>(outputs).map(([name, tensor]) => [name, values.get(tensor)!]);
  return Object.fromEntries(named) as Record<Names, TfjsTensor>;
}

type TfjsRule<Op extends OpName> = (
  tf: TensorFlow,
  tensor: Tensor<Op>,
  inputs: readonly TfjsTensor[],
  shape: readonly number[],
  feeds: Readonly<Record<string, TfjsTensor>>,
) => TfjsTensor;

const typeOf = { float32: "float32", int64: "int32", bool: "bool" } as const;

const fed: TfjsRule<"input" | "parameter" | "buffer"> = (_tf, { name, type }, _inputs, shape, feeds) => {
  const value = feeds[name];
  const expected = `${typeOf[type]} ${show(shape)}`;
  if (!value) throw new MammolabError(`Cannot run with TensorFlow.js: ${name} has no value; feed it as ${expected}`);
  const found = `${value.dtype} ${show(value.shape)}`;
  if (found !== expected) {
    throw new MammolabError(`Cannot run with TensorFlow.js: ${name} is ${found}, but ${expected} is needed; check it`);
  }
  return value;
};
const each = (f: (tf: TensorFlow, x: TfjsTensor) => TfjsTensor): TfjsRule<OpName> => (tf, _, [x]) => f(tf, x!);
const pairs = (f: (tf: TensorFlow, a: TfjsTensor, b: TfjsTensor) => TfjsTensor): TfjsRule<OpName> => (tf, _, [a, b]) =>
  f(tf, a!, b!);

/** What each operation is in TensorFlow.js. A missing row does not compile. */
const tfjsRules: { readonly [Op in OpName]: TfjsRule<Op> } = {
  input: fed,
  parameter: fed,
  buffer: fed,
  constant: (tf, tensor, _, shape) => {
    const { attributes: { values }, type } = tensor;
    if (type === "int64" && values.some((value) => (value | 0) !== value)) {
      throw cannot(tensor, "its integers have 32 bits, and this constant needs more");
    }
    return tf.tensor(values, shape, typeOf[type]);
  },
  add: pairs((tf, a, b) => tf.add(a, b)),
  subtract: pairs((tf, a, b) => tf.sub(a, b)),
  multiply: pairs((tf, a, b) => tf.mul(a, b)),
  divide: pairs((tf, a, b) => tf.div(a, b)),
  maximum: (tf, _, [a, b], shape) => tf.maximum(widened(tf, a!, shape), widened(tf, b!, shape)),
  less: pairs((tf, a, b) => apart(tf, () => tf.less(a, b))),
  equal: pairs((tf, a, b) => apart(tf, () => tf.equal(a, b))),
  negate: each((tf, x) => tf.neg(x)),
  exp: each((tf, x) => tf.exp(x)),
  log: each((tf, x) => tf.log(x)),
  sqrt: each((tf, x) => tf.sqrt(x)),
  erf: each((tf, x) => tf.erf(x)),
  tanh: each((tf, x) => tf.tanh(x)),
  sigmoid: each((tf, x) => tf.sigmoid(x)),
  relu: each((tf, x) => tf.relu(x)),
  absolute: each((tf, x) => tf.abs(x)),
  gelu: each((tf, x) => {
    const cumulative = times(tf, tf.add(tf.erf(times(tf, x, Math.SQRT1_2)), tf.scalar(1)), 0.5);
    return tf.mul(x, cumulative);
  }),
  scale: (tf, { attributes: { factor } }, [x]) => times(tf, x!, factor),
  cast: each((tf, x) => tf.cast(x, "float32")),
  where: (tf, _, [condition, a, b], shape) => tf.where(condition!, widened(tf, a!, shape), widened(tf, b!, shape)),
  // The outer axes are made equal first: the package's own product of [2, 1, …] and [1, 3, …] is wrong.
  matmul: (tf, _, [a, b], shape) => {
    const outer = shape.slice(0, -2);
    const [left, right] = [a!, b!].map((one) => widened(tf, one, [...outer, ...one.shape.slice(-2)]));
    return tf.matMul(left!, right!);
  },
  gemm: (tf, { attributes: { transA, transB, alpha, beta } }, [a, b, c]) => {
    const product = times(tf, tf.matMul(a!, b!, transA, transB), alpha);
    return c ? tf.add(product, times(tf, c, beta)) : product;
  },
  conv2d: (tf, tensor, [x, w, bias]) => {
    const { stride, padding, dilation, groups } = tensor.attributes;
    if (Math.max(...stride) > 1 && Math.max(...dilation) > 1) {
      throw cannot(tensor, "it has no convolution with both a stride and a dilation");
    }
    const image = channelsLast(tf, padded(tf, x!, padding));
    const kernel = tf.transpose(w!, [2, 3, 1, 0]); // [height, width, in / groups, out]
    const [kh, kw, perGroup, out] = kernel.shape as readonly [number, number, number, number];
    // Native TensorFlow has the special case for equal strides and no dilation only.
    const depthwise = groups > 1 && perGroup === 1 && stride[0] === stride[1] && Math.max(...dilation) === 1;
    const y = depthwise
      ? tf.depthwiseConv2d(image, tf.reshape(kernel, [kh, kw, groups, out / groups]), stride, "valid")
      : inGroups(
        tf,
        groups,
        [image, kernel],
        (own, filter) => tf.conv2d(own, filter, stride, "valid", "NHWC", dilation),
      );
    return channelsFirst(tf, bias ? tf.add(y, bias) : y);
  },
  convTranspose2d: (tf, { attributes: { stride, padding, groups } }, [x, w], shape) => {
    const sides = [0, 1].map((i) => (x!.shape[2 + i]! - 1) * stride[i]! + w!.shape[2 + i]!);
    const full = inGroups(
      tf,
      groups,
      [channelsLast(tf, x!), tf.transpose(w!, [2, 3, 1, 0])],
      (own, filter) => tf.conv2dTranspose(own, filter, [own.shape[0]!, ...sides, filter.shape[2]!], stride, "valid"),
    );
    const y = channelsFirst(tf, full);
    // Rows that no input reaches (output padding beyond the padding) are zeros.
    const missing = sides.map((side, i) => Math.max(0, padding[i]! + shape[2 + i]! - side));
    const whole = missing.some(Boolean) ? tf.pad(y, [[0, 0], [0, 0], [0, missing[0]!], [0, missing[1]!]]) : y;
    return tf.slice(whole, [0, 0, ...padding], shape);
  },
  softmax: (tf, { attributes: { axis } }, [x]) => alongLast(tf, x!, axis, tf.softmax),
  logSoftmax: (tf, { attributes: { axis } }, [x]) => alongLast(tf, x!, axis, tf.logSoftmax),
  layerNorm: (tf, { attributes: { epsilon } }, [x, gamma, beta]) => {
    const { centered, inverse } = moments(tf, x!, epsilon);
    return tf.add(tf.mul(tf.mul(centered, inverse), gamma!), beta!);
  },
  inverseDeviation: (tf, { attributes: { epsilon } }, [x]) => moments(tf, x!, epsilon).inverse,
  sum: (tf, { attributes: { axes, keep } }, [x]) => tf.sum(x!, axes, keep),
  mean: (tf, { attributes: { axes, keep } }, [x]) => tf.mean(x!, axes, keep),
  max: (tf, { attributes: { axes, keep } }, [x]) => largest(tf, x!, axes, keep),
  maxPool2d: (tf, { attributes: { size, stride, padding } }, [x]) =>
    channelsFirst(tf, tf.maxPool(channelsLast(tf, padded(tf, x!, padding, -Infinity)), size, stride, "valid")),
  averagePool2d: (tf, { attributes: { size, stride, padding } }, [x]) =>
    channelsFirst(tf, tf.avgPool(channelsLast(tf, padded(tf, x!, padding)), size, stride, "valid")),
  reshape: (tf, _, [x], shape) => tf.reshape(x!, shape),
  transpose: (tf, { attributes: { order } }, [x]) => tf.transpose(x!, order),
  expand: (tf, { type }, [x], shape) => type === "float32" ? widened(tf, x!, shape) : tf.broadcastTo(x!, shape),
  concat: (tf, { attributes: { axis } }, inputs) => tf.concat(inputs, axis),
  slice: (tf, { attributes: { axis, start } }, [x], shape) =>
    tf.slice(x!, shape.map((_, i) => i === axis ? start : 0), shape),
  pad: (tf, { attributes: { before, after } }, [x]) => tf.pad(x!, before.map((zeros, i) => [zeros, after[i]!])),
  gather: (tf, { attributes: { axis } }, [x, indices]) => tf.gather(x!, indices!, axis),
};

// ---------------------------------------------------------------- helpers

const times = (tf: TensorFlow, x: TfjsTensor, factor: number) => factor === 1 ? x : tf.mul(x, tf.scalar(factor));
const channelsLast = (tf: TensorFlow, x: TfjsTensor) => tf.transpose(x, [0, 2, 3, 1]);
const channelsFirst = (tf: TensorFlow, x: TfjsTensor) => tf.transpose(x, [0, 3, 1, 2]);

function padded(tf: TensorFlow, x: TfjsTensor, [rows, columns]: Pair, value = 0): TfjsTensor {
  return rows + columns === 0 ? x : tf.pad(x, [[0, 0], [0, 0], [rows, rows], [columns, columns]], value);
}

/** Repeated along axes of size 1. A product, because the derivative of the package's own `broadcastTo` ends at four axes. */
function widened(tf: TensorFlow, x: TfjsTensor, shape: readonly number[]): TfjsTensor {
  const same = x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i]);
  return same ? x : tf.mul(x, tf.ones(shape));
}

/** A value without a derivative. Comparisons have none in TensorFlow.js, and it throws where it meets one on its way. */
function apart(tf: TensorFlow, f: () => TfjsTensor): TfjsTensor {
  return tf.customGrad(() => ({ value: f(), gradFunc: () => [] }))();
}

/** Softmax is along the last axis only. */
function alongLast(tf: TensorFlow, x: TfjsTensor, axis: number, f: (x: TfjsTensor) => TfjsTensor): TfjsTensor {
  const last = x.shape.length - 1;
  if (axis === last) return f(x);
  const swap = x.shape.map((_, i) => i === axis ? last : i === last ? axis : i);
  return tf.transpose(f(tf.transpose(x, swap)), swap);
}

/** Of the last axis; the variance is biased. */
function moments(tf: TensorFlow, x: TfjsTensor, epsilon: number) {
  const last = [x.shape.length - 1];
  const centered = tf.sub(x, tf.mean(x, last, true));
  const variance = tf.mean(tf.square(centered), last, true);
  return { centered, inverse: tf.rsqrt(tf.add(variance, tf.scalar(epsilon))) };
}

/** Equal largest values share the gradient; the package's own `max` would give each of them all of it. */
function largest(tf: TensorFlow, x: TfjsTensor, axes: readonly number[], keep: boolean): TfjsTensor {
  const kept = x.shape.map((size, i) => axes.includes(i) ? 1 : size);
  return tf.customGrad((own: TfjsTensor, save: (tensors: readonly TfjsTensor[]) => void) => {
    const value = tf.max(own, axes, keep);
    save([own, value]); // else they are freed before the derivative
    const gradFunc = (dy: TfjsTensor, [x, y]: readonly TfjsTensor[]) => {
      const hit = tf.cast(tf.equal(x!, tf.reshape(y!, kept)), "float32");
      return tf.mul(hit, tf.div(tf.reshape(dy, kept), tf.sum(hit, axes, true)));
    };
    return { value, gradFunc };
  })(x);
}

/** Groups of channels, each by itself: x `[…, in]` and filter `[…, out]` are cut along their last axes. */
function inGroups(
  tf: TensorFlow,
  groups: number,
  [x, filter]: readonly [TfjsTensor, TfjsTensor],
  f: (x: TfjsTensor, filter: TfjsTensor) => TfjsTensor,
): TfjsTensor {
  if (groups === 1) return f(x, filter);
  const part = (whole: TfjsTensor, k: number) => {
    const size = whole.shape[3]! / groups;
    return tf.slice(whole, [0, 0, 0, k * size], [...whole.shape.slice(0, 3), size]);
  };
  return tf.concat(Array.from({ length: groups }, (_, k) => f(part(x, k), part(filter, k))), 3);
}

function attempted(tensor: Tensor, f: () => TfjsTensor): TfjsTensor {
  try {
    return f();
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    throw cannot(tensor, `it says "${sentenceOf(cause)}"`, cause);
  }
}

function cannot({ op, name }: Tensor, why: string, cause?: unknown): MammolabError {
  const called = name && name !== op ? `${op} (${name})` : op;
  return new MammolabError(`Cannot ${called} with TensorFlow.js: ${why}; use the engine onnx`, { cause });
}
