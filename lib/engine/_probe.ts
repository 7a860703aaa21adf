import { seededRandom } from "../base/mod.ts";
import {
  add,
  conv2d,
  evaluate,
  gelu,
  input,
  layerNorm,
  linear,
  matmul,
  reshape,
  scale,
  softmax,
  swapLast,
  toOnnx,
} from "../graph/mod.ts";
import type { EngineTensor } from "./tensor.ts";

/** A small graph with the operations of a transformer, its feeds, and the right answer. */
export type Probe = {
  readonly model: Uint8Array;
  readonly feeds: Readonly<Record<string, EngineTensor>>;
  /** Output `y` in Float64, by the slow oracle of the graph room: for small sides only. */
  readonly expected: () => Float64Array;
};

/**
 * One head of attention over noise, a gated layer and a convolution.
 *
 * @param side of the square matrices: 64 is quick to check, 512 takes a processor about 10 ms
 */
export function probe(side: number): Probe {
  const [x, w] = [input("x", [side, side]), input("w", [side, side])];
  const [gamma, beta, kernel] = [input("gamma", [side]), input("beta", [side]), input("kernel", [1, 1, 3, 3])];
  const attention = softmax(matmul(scale(linear(x, w, beta), side ** -0.5), swapLast(x)));
  const mixed = gelu(layerNorm(matmul(attention, x), gamma, beta, 1e-6));
  const picture = conv2d(reshape(x, [1, 1, side, side]), kernel, { padding: 1 });
  const y = add(linear(mixed, w, beta), reshape(picture, [side, side]));

  const leaves = [x, w, gamma, beta, kernel];
  const feeds = Object.fromEntries(leaves.map(({ name, shape }) => {
    const { normal } = seededRandom("probe", name);
    const sizes = shape as readonly number[];
    const deviation = name === "w" ? side ** -0.5 : 1;
    const count = sizes.reduce((product, size) => product * size, 1);
    return [name, { data: Float32Array.from({ length: count }, () => deviation * normal()), shape: sizes }];
  }));
  return {
    model: toOnnx({ y }, { weights: "inputs" }),
    feeds,
    expected: () => {
      const exact = Object.entries(feeds).map((
        [name, { data, shape }],
      ) => [name, { shape, data: Float64Array.from(data) }]);
      return evaluate({ y }, Object.fromEntries(exact)).y!.data;
    },
  };
}
