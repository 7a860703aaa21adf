import { MammolabError, type TypedArray } from "../base/mod.ts";

/** Numbers that go into the engine or come out of it. */
export type TensorData = TypedArray;

/** A tensor outside the graph: values in row-major order and their shape. */
export type EngineTensor = {
  /** As many values as the product of `shape`. */
  readonly data: TensorData;
  /** Sizes, outermost first; `[]` for a single number. */
  readonly shape: readonly number[];
};

/** An input or output of a graph, as the model declares it. */
export type Port = {
  readonly name: string;
  /** `float32`, `int64`, `bool` …: ONNX Runtime's names. */
  readonly type: string;
  /** A number is fixed; a word (`"batch"`) is any size, the same wherever the word stands; `""` is any size. */
  readonly shape: readonly (number | string)[];
};

const arrays: Readonly<Record<string, { readonly name: string }>> = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/**
 * Checks values against what the model declares, before anything runs: the engine's own messages name neither the model
 * nor what to do, and it silently ignores inputs that it does not know.
 *
 * @param ports what the model declares
 * @param given name → values
 * @param what `"input"` (every port must be there) or `"output"` (those that are there must fit)
 * @param sizes the sizes of the words in shapes, as far as they are known; those found here are added
 * @throws MammolabError naming the model, the tensor, what was given and what is expected
 */
export function checkTensors(
  model: string,
  what: "input" | "output",
  ports: readonly Port[],
  given: Readonly<Record<string, EngineTensor>>,
  sizes: Map<string, number>,
): void {
  const cannot = (reason: string): never => {
    throw new MammolabError(`Cannot run ${model}: ${reason}`);
  };
  for (const name of Object.keys(given)) {
    if (!ports.some((port) => port.name === name)) {
      cannot(`it has no ${what} "${name}"; its ${what}s are ${ports.map((port) => port.name).join(", ")}`);
    }
  }
  for (const { name, type, shape } of ports) {
    const tensor = given[name];
    if (!tensor) {
      if (what === "input") cannot(`input "${name}" is missing; give its values`);
      continue;
    }
    const array = arrays[type];
    if (!array) {
      cannot(`${what} "${name}" is ${type}, which cannot cross into the engine; cast to it inside the graph`);
    } else if (!(tensor.data instanceof (array as unknown as FunctionConstructor))) {
      cannot(`${what} "${name}" is a ${tensor.data.constructor.name}; it must be a ${array.name}`);
    }
    const fits = tensor.shape.length === shape.length && shape.every((size, axis) => {
      const found = tensor.shape[axis] as number;
      if (!Number.isSafeInteger(found) || found < 1) return false;
      if (size === "") return true;
      if (typeof size === "number") return size === found;
      if (!sizes.has(size)) sizes.set(size, found);
      return sizes.get(size) === found;
    });
    if (!fits) {
      const expected = shape.map((size) =>
        typeof size === "string" && sizes.has(size) ? sizes.get(size) : size || "any"
      );
      cannot(
        `${what} "${name}" has shape [${tensor.shape.join(", ")}]; the model ${what === "input" ? "takes" : "gives"} [${
          shape.map((s) => s || "any").join(", ")
        }]${`${expected}` === `${shape.map((s) => s || "any")}` ? "" : `, here [${expected.join(", ")}]`}`,
      );
    }
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    if (tensor.data.length !== count) {
      cannot(
        `${what} "${name}" holds ${tensor.data.length} values; its shape [${tensor.shape.join(", ")}] needs ${count}`,
      );
    }
  }
}
