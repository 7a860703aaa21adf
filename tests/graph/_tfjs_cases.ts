// Each case in TensorFlow.js: prints values, and the gradients that its own differentiation finds. Run by tfjs_test.ts.
import * as g from "mammolab/graph";
import { openTfjs, type Tfjs } from "mammolab/engine";
import { type Case, cases } from "./_cases.ts";
import { randomInputs, weighed } from "./_random.ts";

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

export type Found = { readonly value: number[]; readonly shape: readonly number[]; readonly gradients: number[][] };
/** By case; and sentences of what is refused. */
export type FoundCases = {
  readonly found: Readonly<Record<string, Found>>;
  readonly dilated: Found;
  readonly batches: readonly Found[];
  readonly refused: readonly string[];
  /** Tensors that are left over. */
  readonly left: number;
};

function ask({ tf }: Tfjs, { shapes, build }: Case, differentiable = true): Found {
  const { tensors, feeds } = randomInputs(3, shapes);
  const y = build(tensors);
  const loss = weighed(y);
  return tf.tidy(() => {
    const names = Object.keys(shapes);
    const leaves = names.map((name) => tf.tensor(Float32Array.from(feeds[name]!.data), feeds[name]!.shape, "float32"));
    const run = (...own: readonly g.TfjsTensor[]) =>
      g.evaluateTfjs(tf, { y, loss }, Object.fromEntries(names.map((name, i) => [name, own[i]!])));
    const value = run(...leaves).y;
    // TensorFlow.js refuses to differentiate by what the loss does not depend on (what is only compared): nothing is added.
    const zero = (x: g.TfjsTensor) => tf.mul(tf.sum(x, x.shape.map((_, i) => i), false), tf.scalar(0));
    const whole = (...own: readonly g.TfjsTensor[]) => own.map(zero).reduce(tf.add, run(...own).loss);
    const grads = differentiable ? tf.valueAndGrads(whole)(leaves).grads : [];
    return { value: [...value.dataSync()], shape: value.shape, gradients: grads.map((dx) => [...dx.dataSync()]) };
  });
}

/** Leaves of every kind, and a batch that is known only now. */
function batches({ tf }: Tfjs): Found[] {
  const x = g.input("x", [g.batch, 2]);
  const y = g.expand(
    g.reshape(g.add(g.multiply(x, g.parameter("w", [2])), g.buffer("b", [2])), [g.batch, 1, 2]),
    [g.batch, 2, 2],
  );
  return [1, 3].map((images) =>
    tf.tidy(() => {
      const feeds = {
        x: tf.tensor(Array.from({ length: 2 * images }, (_, i) => i), [images, 2], "float32"),
        w: tf.tensor([10, 100], [2], "float32"),
        b: tf.tensor([0.5, 0.25], [2], "float32"),
      };
      const value = g.evaluateTfjs(tf, { y }, feeds).y;
      return { value: [...value.dataSync()], shape: value.shape, gradients: [] };
    })
  );
}

/** What is asked of TensorFlow.js in vain. */
function refusals({ tf }: Tfjs): string[] {
  const [x, w] = [g.input("x", [1, 1, 9, 9]), g.constant(new Array<number>(9).fill(1), [1, 1, 3, 3])];
  const image = tf.ones([1, 1, 9, 9]);
  const sentence = (y: g.Tensor, feeds: Readonly<Record<string, g.TfjsTensor>>) => {
    try {
      tf.tidy(() => g.evaluateTfjs(tf, { y }, feeds));
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const sentences = [
    sentence(g.conv2d(x, w, { stride: 2, dilation: 2 }), { x: image }),
    sentence(g.conv2d(x, w), {}),
    sentence(g.conv2d(g.input("x", [1, 1, 8, 9]), w), { x: image }),
    sentence(g.gather(x, g.constant([2 ** 40], [1], "int64"), 2), { x: image }),
    sentence(g.scope("blocks.3", () => g.gather(x, g.constant([12], [1], "int64"), 2)), { x: image }),
  ];
  image.dispose();
  return sentences;
}

if (import.meta.main) {
  const answer = await openTfjs({ packages: ["@tensorflow/tfjs"] }).then((opened): FoundCases => {
    const before = opened.tf.memory().numTensors;
    return {
      found: Object.fromEntries(Object.entries(tfjsCases).map(([name, one]) => [name, ask(opened, one)])),
      dilated: ask(opened, dilated, false),
      batches: batches(opened),
      refused: refusals(opened),
      left: opened.tf.memory().numTensors - before,
    };
  }, (error) => ({ missing: error.message }));
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answer)));
}
