import { MammolabError } from "../base/mod.ts";
import { concrete, nodesOf, type OpName, type Tensor } from "./tensor.ts";

/** Numbers with their shape, row by row. */
export type Value = { readonly shape: readonly number[]; readonly data: Float64Array };

/**
 * Computes a network in Float64, slowly and plainly: the oracle of the tests.
 *
 * @param outputs what is asked for, by name
 * @param feeds values of inputs, parameters and buffers, by name
 * @throws MammolabError when a leaf has no value or a value of the wrong size
 *
 * @example
 * ```ts
 * import { evaluate, input, softmax } from "mammolab/graph";
 * import { assertEquals } from "@std/assert";
 * const x = input("x", [1, 2]);
 * const { y } = evaluate({ y: softmax(x) }, { x: { shape: [1, 2], data: Float64Array.of(0, 0) } });
 * assertEquals([...y!.data], [0.5, 0.5]);
 * ```
 */
export function evaluate(
  outputs: Readonly<Record<string, Tensor>>,
  feeds: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const order = nodesOf(Object.values(outputs));
  const batchSize = batchOf(order, feeds);
  const values = new Map<Tensor, Value>();
  for (const tensor of order) {
    const shape = concrete(tensor.shape, batchSize);
    const rule = evaluateRules[tensor.op] as EvaluateRule<OpName>;
    const data = rule(tensor, tensor.inputs.map((one) => values.get(one)!), shape, feeds);
    values.set(tensor, { shape, data });
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, values.get(tensor)!]));
}

type EvaluateRule<Op extends OpName> = (
  tensor: Tensor<Op>,
  inputs: readonly Value[],
  shape: readonly number[],
  feeds: Readonly<Record<string, Value>>,
) => Float64Array;

const fed: EvaluateRule<"input" | "parameter" | "buffer"> = ({ name }, _, shape, feeds) => {
  const value = feeds[name];
  if (!value) throw new MammolabError(`Cannot evaluate: ${name} has no value; feed it`);
  if (value.data.length !== size(shape)) {
    throw new MammolabError(`Cannot evaluate: ${name} is [${value.shape}], but [${shape}] is needed; check the sizes`);
  }
  return value.data;
};
const each = (f: (x: number) => number): EvaluateRule<OpName> => (_, [x]) => x!.data.map(f);
const pairs = (f: (a: number, b: number) => number): EvaluateRule<OpName> => (_, [a, b], shape) => {
  const [at, bt] = [spread(a!.shape, shape), spread(b!.shape, shape)];
  return fill(shape, (i) => f(a!.data[at(i)]!, b!.data[bt(i)]!));
};

/** What each operation means. A missing row does not compile. */
const evaluateRules: { readonly [Op in OpName]: EvaluateRule<Op> } = {
  input: fed,
  parameter: fed,
  buffer: fed,
  constant: ({ attributes }) => Float64Array.from(attributes.values),
  add: pairs((a, b) => a + b),
  subtract: pairs((a, b) => a - b),
  multiply: pairs((a, b) => a * b),
  divide: pairs((a, b) => a / b),
  maximum: pairs(Math.max),
  less: pairs((a, b) => a < b ? 1 : 0),
  equal: pairs((a, b) => a === b ? 1 : 0),
  negate: each((x) => -x),
  exp: each(Math.exp),
  log: each(Math.log),
  sqrt: each(Math.sqrt),
  erf: each(erfOf),
  tanh: each(Math.tanh),
  sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
  relu: each((x) => Math.max(x, 0)),
  absolute: each(Math.abs),
  gelu: each((x) => 0.5 * x * (1 + erfOf(x / Math.SQRT2))),
  scale: ({ attributes: { factor } }, [x]) => x!.data.map((value) => factor * value),
  cast: (_, [x]) => x!.data,
  where: (_, [c, a, b], shape) => {
    const [ct, at, bt] = [c!, a!, b!].map(({ shape: from }) => spread(from, shape)) as [Place, Place, Place];
    return fill(shape, (i) => c!.data[ct(i)] ? a!.data[at(i)]! : b!.data[bt(i)]!);
  },
  matmul: (_, [a, b], shape) => {
    const [rows, inner, columns] = [shape.at(-2)!, a!.shape.at(-1)!, shape.at(-1)!];
    const outer = shape.slice(0, -2);
    const [at, bt] = [spread(a!.shape.slice(0, -2), outer), spread(b!.shape.slice(0, -2), outer)];
    return fill(shape, (i) => {
      const [column, row, block] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))];
      const [from, to] = [(at(block) * rows + row) * inner, bt(block) * inner * columns + column];
      let total = 0;
      for (let k = 0; k < inner; k++) total += a!.data[from + k]! * b!.data[to + k * columns]!;
      return total;
    });
  },
  gemm: ({ attributes: { transA, transB, alpha, beta } }, [a, b, c], shape) => {
    const [rows, columns] = shape as [number, number];
    const inner = a!.shape[transA ? 0 : 1]!;
    const ct = c && spread(c.shape, shape);
    return fill(shape, (i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let total = 0;
      for (let k = 0; k < inner; k++) {
        total += a!.data[transA ? k * rows + row : row * inner + k]! *
          b!.data[transB ? column * inner + k : k * columns + column]!;
      }
      return alpha * total + (c ? beta * c.data[ct!(i)]! : 0);
    });
  },
  conv2d: ({ attributes: { stride, padding, dilation, groups } }, [x, w, bias], shape) => {
    const [, channels, height, width] = x!.shape as Four;
    const [out, perGroup, kh, kw] = w!.shape as Four;
    const [, , oh, ow] = shape as Four;
    return fill(shape, (i) => {
      const [u, v, o, n] = [
        i % ow,
        Math.floor(i / ow) % oh,
        Math.floor(i / (ow * oh)) % out,
        Math.floor(i / (ow * oh * out)),
      ];
      const first = Math.floor(o / (out / groups)) * perGroup;
      let total = bias ? bias.data[o]! : 0;
      for (let c = 0; c < perGroup; c++) {
        for (let p = 0; p < kh; p++) {
          for (let q = 0; q < kw; q++) {
            const [y, z] = [v * stride[0] - padding[0] + p * dilation[0], u * stride[1] - padding[1] + q * dilation[1]];
            if (y < 0 || y >= height || z < 0 || z >= width) continue;
            total += x!.data[((n * channels + first + c) * height + y) * width + z]! *
              w!.data[((o * perGroup + c) * kh + p) * kw + q]!;
          }
        }
      }
      return total;
    });
  },
  convTranspose2d: ({ attributes: { stride, padding, groups } }, [x, w], shape) => {
    const [batchSize, channels, height, width] = x!.shape as Four;
    const [, perGroup, kh, kw] = w!.shape as Four;
    const [, out, oh, ow] = shape as Four;
    const data = new Float64Array(size(shape));
    for (let n = 0; n < batchSize; n++) {
      for (let c = 0; c < channels; c++) {
        const group = Math.floor(c / (channels / groups));
        for (let y = 0; y < height; y++) {
          for (let z = 0; z < width; z++) {
            const value = x!.data[((n * channels + c) * height + y) * width + z]!;
            for (let o = 0; o < perGroup; o++) {
              for (let p = 0; p < kh; p++) {
                for (let q = 0; q < kw; q++) {
                  const [v, u] = [y * stride[0] - padding[0] + p, z * stride[1] - padding[1] + q];
                  if (v < 0 || v >= oh || u < 0 || u >= ow) continue;
                  data[((n * out + group * perGroup + o) * oh + v) * ow + u]! += value *
                    w!.data[((c * perGroup + o) * kh + p) * kw + q]!;
                }
              }
            }
          }
        }
      }
    }
    return data;
  },
  softmax: ({ attributes: { axis } }, [x]) =>
    lines(x!, axis, (line) => {
      const largest = Math.max(...line);
      const powers = line.map((value) => Math.exp(value - largest));
      const total = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / total);
    }),
  logSoftmax: ({ attributes: { axis } }, [x]) =>
    lines(x!, axis, (line) => {
      const largest = Math.max(...line);
      const total = Math.log(line.reduce((sum, value) => sum + Math.exp(value - largest), 0));
      return line.map((value) => value - largest - total);
    }),
  layerNorm: ({ attributes: { epsilon } }, [x, gamma, beta]) =>
    lines(x!, x!.shape.length - 1, (line) => {
      const { mean, variance } = moments(line);
      return line.map((value, i) => gamma!.data[i]! * (value - mean) / Math.sqrt(variance + epsilon) + beta!.data[i]!);
    }),
  inverseDeviation: ({ attributes: { epsilon } }, [x], shape) => {
    const width = x!.shape.at(-1)!;
    return fill(
      shape,
      (i) => 1 / Math.sqrt(moments([...x!.data.subarray(i * width, (i + 1) * width)]).variance + epsilon),
    );
  },
  sum: ({ attributes }, [x], shape) => reduced(x!, attributes.axes, shape, 0, (a, b) => a + b),
  mean: ({ attributes }, [x], shape) => {
    const count = attributes.axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
    return reduced(x!, attributes.axes, shape, 0, (a, b) => a + b).map((total) => total / count);
  },
  max: ({ attributes }, [x], shape) => reduced(x!, attributes.axes, shape, -Infinity, Math.max),
  maxPool2d: ({ attributes }, [x], shape) => pooled(x!, attributes, shape, -Infinity, Math.max),
  averagePool2d: ({ attributes }, [x], shape) =>
    pooled(x!, attributes, shape, 0, (a, b) => a + b).map((total) => total / (attributes.size[0] * attributes.size[1])),
  reshape: (_, [x]) => x!.data,
  transpose: ({ attributes: { order } }, [x], shape) => {
    const strides = stridesOf(x!.shape);
    return fill(
      shape,
      (i) => x!.data[indices(i, shape).reduce((at, index, k) => at + index * strides[order[k]!]!, 0)]!,
    );
  },
  expand: (_, [x], shape) => {
    const at = spread(x!.shape, shape);
    return fill(shape, (i) => x!.data[at(i)]!);
  },
  concat: ({ attributes: { axis } }, inputs, shape) => {
    const starts: number[] = [];
    inputs.reduce((start, { shape: own }) => (starts.push(start), start + own[axis]!), 0);
    return fill(shape, (i) => {
      const index = indices(i, shape);
      const k = starts.findLastIndex((start) => start <= index[axis]!);
      const strides = stridesOf(inputs[k]!.shape);
      return inputs[k]!.data[
        index.reduce((at, one, d) => at + (d === axis ? one - starts[k]! : one) * strides[d]!, 0)
      ]!;
    });
  },
  slice: ({ attributes: { axis, start } }, [x], shape) => {
    const strides = stridesOf(x!.shape);
    return fill(
      shape,
      (i) => x!.data[indices(i, shape).reduce((at, one, d) => at + (d === axis ? one + start : one) * strides[d]!, 0)]!,
    );
  },
  pad: ({ attributes: { before } }, [x], shape) => {
    const strides = stridesOf(x!.shape);
    return fill(shape, (i) => {
      const index = indices(i, shape).map((one, d) => one - before[d]!);
      const inside = index.every((one, d) => one >= 0 && one < x!.shape[d]!);
      return inside ? x!.data[index.reduce((at, one, d) => at + one * strides[d]!, 0)]! : 0;
    });
  },
  gather: ({ attributes: { axis } }, [x, chosen], shape) => {
    const strides = stridesOf(x!.shape);
    const rank = chosen!.shape.length;
    const places = stridesOf(chosen!.shape);
    return fill(shape, (i) => {
      const index = indices(i, shape);
      const which = chosen!.data[places.reduce((at, stride, d) => at + stride * index[axis + d]!, 0)]!;
      const source = [...index.slice(0, axis), which, ...index.slice(axis + rank)];
      return x!.data[source.reduce((at, one, d) => at + one * strides[d]!, 0)]!;
    });
  },
};

/** Names of the vocabulary that have a meaning: all of them. */
export const opNames: readonly OpName[] = Object.keys(evaluateRules) as OpName[];

// ---------------------------------------------------------------- helpers

type Four = [number, number, number, number];
type Place = (index: number) => number;
type Windows = {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
};

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const fill = (shape: readonly number[], f: (i: number) => number) =>
  Float64Array.from({ length: size(shape) }, (_, i) => f(i));

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}
function indices(i: number, shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, d) => Math.floor(i / stride) % shape[d]!);
}
/** Where the value for place i of a shape lies in a tensor that is broadcast to it. */
function spread(from: readonly number[], to: readonly number[]): Place {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return (i) => {
    const index = indices(i, to);
    return from.reduce((at, dim, d) => at + (dim === 1 ? 0 : index[d + lead]! * strides[d]!), 0);
  };
}
function lines({ data, shape }: Value, axis: number, f: (line: number[]) => number[]): Float64Array {
  const out = new Float64Array(data.length);
  const [length, stride] = [shape[axis]!, stridesOf(shape)[axis]!];
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / stride) % length !== 0) continue;
    const line = Array.from({ length }, (_, k) => data[start + k * stride]!);
    f(line).forEach((value, k) => out[start + k * stride] = value);
  }
  return out;
}
function moments(line: readonly number[]): { mean: number; variance: number } {
  const mean = line.reduce((a, b) => a + b, 0) / line.length;
  return { mean, variance: line.reduce((total, value) => total + (value - mean) ** 2, 0) / line.length };
}
function reduced(
  x: Value,
  axes: readonly number[],
  shape: readonly number[],
  start: number,
  f: (a: number, b: number) => number,
): Float64Array {
  const out = new Float64Array(size(shape)).fill(start);
  const kept = x.shape.map((dim, d) => axes.includes(d) ? 1 : dim);
  const strides = stridesOf(kept);
  x.data.forEach((value, i) => {
    const at = indices(i, x.shape).reduce((sum, one, d) => sum + (axes.includes(d) ? 0 : one * strides[d]!), 0);
    out[at] = f(out[at]!, value);
  });
  return out;
}
function pooled(
  x: Value,
  { size: kernel, stride, padding }: Windows,
  shape: readonly number[],
  start: number,
  f: (a: number, b: number) => number,
): Float64Array {
  const [, , height, width] = x.shape as Four;
  const [, , oh, ow] = shape as Four;
  return fill(shape, (i) => {
    const [u, v, plane] = [i % ow, Math.floor(i / ow) % oh, Math.floor(i / (ow * oh))];
    let value = start;
    for (let p = 0; p < kernel[0]!; p++) {
      for (let q = 0; q < kernel[1]!; q++) {
        const [y, z] = [v * stride[0]! - padding[0]! + p, u * stride[1]! - padding[1]! + q];
        if (y >= 0 && y < height && z >= 0 && z < width) value = f(value, x.data[(plane * height + y) * width + z]!);
      }
    }
    return value;
  });
}

/** The error function to 1e-15: its series below 2.5, a continued fraction above (Abramowitz & Stegun 7.1.5, 7.1.14). */
function erfOf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let [term, total] = [a, a];
    for (let n = 1; Math.abs(term) > 1e-17 * total; n++) {
      term *= -a * a / n;
      total += term / (2 * n + 1);
    }
    return Math.sign(x) * 2 / Math.sqrt(Math.PI) * total;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = (k / 2) / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

/** The size of the batch, from the shape of a fed value. */
export function batchOf(
  order: readonly Tensor[],
  feeds: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): number {
  for (const { op, name, shape } of order) {
    const axis = shape.findIndex((dim) => typeof dim !== "number");
    if (op !== "input" || axis < 0) continue;
    const dim = shape[axis] as { readonly batch: number };
    return (feeds[name]?.shape[axis] ?? dim.batch) / dim.batch;
  }
  return 1;
}
