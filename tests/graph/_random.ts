import { seededRandom } from "mammolab/base";
import { constant, input, multiply, sizeOf, sum, type Tensor, type Value } from "mammolab/graph";

/** Inputs with normal values, and the feeds for them. */
export function randomInputs(seed: number, shapes: Readonly<Record<string, readonly number[]>>): {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly feeds: Readonly<Record<string, Value>>;
} {
  const feeds: Record<string, Value> = {};
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const { normal } = seededRandom(seed, "feed", name);
    const length = shape.reduce((a, b) => a * b, 1);
    feeds[name] = { shape, data: Float64Array.from(Float32Array.from({ length }, normal)) }; // the same in both precisions
    tensors[name] = input(name, shape);
  }
  return { tensors, feeds };
}

/** A loss that weighs every value of y differently, so that no gradient can hide in a sum. */
export function weighed(y: Tensor): Tensor {
  const { normal } = seededRandom(9, "weights");
  const shape = y.shape as readonly number[];
  return sum(multiply(y, constant(Array.from({ length: sizeOf(shape) }, normal), shape)));
}
