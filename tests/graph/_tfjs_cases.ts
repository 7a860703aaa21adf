import * as g from "mammolab/graph";
import { type Case, cases } from "./_cases.ts";

const picture = { x: [2, 4, 8, 7] };

/** Beside one use of each operation: where TensorFlow.js has another form of it, or a gap. */
export const tfjsCases: Readonly<Record<string, Case>> = {
  ...cases,
  "softmax along the last axis": { shapes: { x: [2, 3, 4] }, build: ({ x }) => g.softmax(x!) },
  "softmax along the first axis": { shapes: { x: [3, 2, 4] }, build: ({ x }) => g.softmax(x!, 0) },
  "logSoftmax along a middle axis": { shapes: { x: [2, 3, 4] }, build: ({ x }) => g.logSoftmax(x!, 1) },
  "matmul of stacks that broadcast both ways": {
    shapes: { a: [2, 1, 1, 3, 4], b: [1, 3, 2, 4, 2] },
    build: ({ a, b }) => g.matmul(a!, b!),
  },
  "expand of five axes": { shapes: { x: [2, 1, 3, 1, 2] }, build: ({ x }) => g.expand(x!, [2, 2, 3, 2, 2]) },
  "max of equal values": { shapes: { x: [5, 6] }, build: ({ x }) => g.max(g.relu(x!), { axes: [1], keep: true }) },
  "max over all axes": { shapes: { x: [3, 4] }, build: ({ x }) => g.max(x!) },
  "maximum of one number": { shapes: { a: [], b: [2, 3] }, build: ({ a, b }) => g.maximum(a!, b!) },
  "where with a condition that grows": {
    shapes: { a: [3, 1], b: [2, 1, 4] },
    build: ({ a, b }) => g.where(g.less(g.scalar(0), a!), b!, g.scalar(2)),
  },
  "conv2d with a stride that leaves pixels over": {
    shapes: { ...picture, w: [3, 4, 3, 3] },
    build: ({ x, w }) => g.conv2d(x!, w!, { stride: 3, padding: 1 }),
  },
  "conv2d by channel, two kernels each": {
    shapes: { ...picture, w: [8, 1, 3, 2] },
    build: ({ x, w }) => g.conv2d(x!, w!, { stride: 2, padding: [1, 0], groups: 4 }),
  },
  "conv2d by channel with unequal strides": {
    shapes: { ...picture, w: [4, 1, 3, 3] },
    build: ({ x, w }) => g.conv2d(x!, w!, { stride: [2, 1], groups: 4 }),
  },
  "convTranspose2d with more output padding than padding": {
    shapes: { x: [2, 2, 3, 4], w: [2, 3, 2, 2] },
    build: ({ x, w }) => g.convTranspose2d(x!, w!, { stride: [3, 2], padding: [0, 1], outputPadding: [2, 1] }),
  },
  "layerNorm and gelu in the form for training": {
    shapes: { x: [2, 3, 4], gamma: [4], beta: [4], w: [6, 4] },
    build: ({ x, gamma, beta, w }) =>
      g.trainingForm({ y: g.gelu(g.linear(g.layerNorm(x!, gamma!, beta!, 1e-6), w!)) }).y!,
  },
};

/** Values only: `gradients` refuses to differentiate it. */
export const dilated: Case = {
  shapes: { ...picture, w: [4, 2, 3, 2] },
  build: ({ x, w }) => g.conv2d(x!, w!, { dilation: [2, 3], padding: 2, groups: 2 }),
};
