import * as g from "mammolab/graph";
import type { OpName, Tensor } from "mammolab/graph";

/** One use of each operation of the vocabulary: shapes of its inputs, and the expression over them. */
export type Case = {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly build: (t: Readonly<Record<string, Tensor>>) => Tensor;
};

const one = { x: [2, 3, 4] };
const two = { a: [2, 3, 4], b: [3, 1] };
const positive = (x: Tensor) => g.add(g.absolute(x), g.scalar(0.5));

/** Leaves have no case of their own: every case uses them. */
export const cases: Readonly<Record<Exclude<OpName, "input" | "parameter" | "buffer">, Case>> = {
  constant: { shapes: one, build: ({ x }) => g.add(x!, g.constant([1, -2, 3, 0.5], [4])) },
  add: { shapes: two, build: ({ a, b }) => g.add(a!, b!) },
  subtract: { shapes: two, build: ({ a, b }) => g.subtract(b!, a!) },
  multiply: { shapes: two, build: ({ a, b }) => g.multiply(a!, b!) },
  divide: { shapes: two, build: ({ a, b }) => g.divide(a!, positive(b!)) },
  maximum: { shapes: two, build: ({ a, b }) => g.maximum(a!, b!) },
  less: { shapes: two, build: ({ a, b }) => g.multiply(a!, g.toFloat(g.less(a!, b!))) },
  equal: { shapes: two, build: ({ a, b }) => g.multiply(a!, g.toFloat(g.equal(g.relu(a!), g.relu(g.negate(b!))))) },
  negate: { shapes: one, build: ({ x }) => g.negate(x!) },
  exp: { shapes: one, build: ({ x }) => g.exp(x!) },
  log: { shapes: one, build: ({ x }) => g.log(positive(x!)) },
  sqrt: { shapes: one, build: ({ x }) => g.sqrt(positive(x!)) },
  erf: { shapes: one, build: ({ x }) => g.erf(g.scale(x!, 1.7)) },
  tanh: { shapes: one, build: ({ x }) => g.tanh(x!) },
  sigmoid: { shapes: one, build: ({ x }) => g.sigmoid(x!) },
  relu: { shapes: one, build: ({ x }) => g.relu(x!) },
  absolute: { shapes: one, build: ({ x }) => g.absolute(x!) },
  gelu: { shapes: one, build: ({ x }) => g.gelu(g.scale(x!, 2)) },
  scale: { shapes: one, build: ({ x }) => g.scale(x!, -0.3) },
  cast: { shapes: two, build: ({ a, b }) => g.add(a!, g.toFloat(g.less(b!, a!))) },
  where: { shapes: two, build: ({ a, b }) => g.where(g.less(a!, b!), g.scale(a!, 2), g.exp(b!)) },
  matmul: { shapes: { a: [2, 1, 3, 4], b: [3, 4, 5] }, build: ({ a, b }) => g.matmul(a!, b!) },
  gemm: {
    shapes: { a: [4, 3], b: [5, 4], c: [5] },
    build: ({ a, b, c }) => g.gemm(a!, b!, { c: c!, transA: true, transB: true, alpha: 0.5, beta: -2 }),
  },
  conv2d: {
    shapes: { x: [2, 4, 7, 6], w: [6, 2, 3, 2], bias: [6] },
    build: ({ x, w, bias }) => g.conv2d(x!, w!, { bias: bias!, stride: [2, 1], padding: [1, 0], groups: 2 }),
  },
  convTranspose2d: {
    shapes: { x: [2, 4, 3, 4], w: [4, 3, 3, 2] },
    build: ({ x, w }) => g.convTranspose2d(x!, w!, { stride: 2, padding: [1, 0], outputPadding: [1, 0], groups: 2 }),
  },
  softmax: { shapes: one, build: ({ x }) => g.softmax(x!, 1) },
  logSoftmax: { shapes: one, build: ({ x }) => g.logSoftmax(g.scale(x!, 3)) },
  layerNorm: {
    shapes: { x: [2, 3, 4], gamma: [4], beta: [4] },
    build: ({ x, gamma, beta }) => g.layerNorm(x!, gamma!, beta!, 1e-3),
  },
  inverseDeviation: { shapes: one, build: ({ x }) => g.inverseDeviation(x!, 1e-3) },
  sum: { shapes: one, build: ({ x }) => g.sum(x!, { axes: [0, 2] }) },
  mean: { shapes: one, build: ({ x }) => g.mean(x!, { axes: [-1], keep: true }) },
  max: { shapes: one, build: ({ x }) => g.max(x!, { axes: [1] }) },
  maxPool2d: { shapes: { x: [2, 2, 5, 6] }, build: ({ x }) => g.maxPool2d(x!, { size: 3, stride: 2, padding: 1 }) },
  averagePool2d: {
    shapes: { x: [2, 2, 5, 6] },
    build: ({ x }) => g.averagePool2d(x!, { size: 2, stride: [2, 1], padding: 1 }),
  },
  reshape: { shapes: one, build: ({ x }) => g.reshape(g.exp(x!), [4, 6]) },
  transpose: { shapes: one, build: ({ x }) => g.transpose(x!, [2, 0, 1]) },
  expand: { shapes: { x: [3, 1] }, build: ({ x }) => g.expand(x!, [2, 3, 4]) },
  concat: { shapes: { a: [2, 1, 4], b: [2, 3, 4] }, build: ({ a, b }) => g.concat([a!, b!, a!], 1) },
  slice: { shapes: one, build: ({ x }) => g.slice(x!, 1, 1, 3) },
  pad: { shapes: one, build: ({ x }) => g.pad(x!, [0, 1, 2], [1, 0, 3]) },
  gather: { shapes: one, build: ({ x }) => g.gather(x!, g.constant([2, 0, 2, 1], [2, 2], "int64"), 1) },
};
