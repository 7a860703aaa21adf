// How the ONNX table writes: names, nodes, small constants, as messages of onnx.proto.
import { MammolabError } from "../base/mod.ts";
import { message, type MessageWriter } from "./protobuf.ts";
import { batches, type Dim, type ElementType, type Shape, show, type Tensor } from "./tensor.ts";

/** Where a weight lies in a file beside the model. */
export type WeightPlace = {
  /** File name, relative to the model's folder. */
  readonly location: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly type: "F32" | "F16" | "BF16";
};

/** An attribute: an integer, a float, or integers. */
export type Attribute = number | { readonly float: number } | readonly number[];

/** How rules write: `emit` adds an ONNX node whose last output is the tensor's name, `ints` and `floats` small constants. */
export type Emitter = {
  readonly nameOf: (tensor: Tensor) => string;
  readonly emit: (
    tensor: Tensor,
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    moreOutputs?: readonly string[],
  ) => void;
  /** Further outputs of a layer norm (mean, inverse deviation) where somebody asks for them. */
  readonly deviationsOf: (tensor: Tensor<"layerNorm">) => readonly string[];
  /** Whether an inverse deviation is an output of a layer norm. */
  readonly isSideOutput: (tensor: Tensor<"inverseDeviation">) => boolean;
  /** A node whose result only the rule itself uses. */
  readonly inner: (
    tensor: Tensor,
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
  ) => string;
  readonly ints: (values: readonly number[], shape?: readonly number[]) => string;
  readonly floats: (values: readonly number[], shape?: readonly number[]) => string;
  readonly initializer: (name: string, shape: readonly number[], type: number, place: WeightPlace | Uint8Array) => void;
  /** A shape for Expand: known only at run time where it holds the batch. */
  readonly shapeOf: (tensor: Tensor) => string;
};

/** Numbers of the element types in onnx.proto. */
export const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;
const elementTypes: Readonly<Record<ElementType, number>> = { float32: FLOAT, int64: INT64, bool: BOOL };

/** Whether a leaf is learned or kept with the network. */
export const isWeight = ({ op }: Tensor) => op === "parameter" || op === "buffer";

/** Rows of a weight, which lie together in its file. */
export function isPartOfWeight(tensor: Tensor): tensor is Tensor<"slice"> {
  return tensor.op === "slice" && (tensor as Tensor<"slice">).attributes.axis === 0 && isWeight(tensor.inputs[0]!);
}

/** Writes into a graph; `order` holds all nodes, inputs before their users. */
export function emitterOf(
  graph: MessageWriter,
  order: readonly Tensor[],
  outputs: Readonly<Record<string, Tensor>>,
): Emitter {
  const names = namesOf(order, outputs);
  const constants = new Map<string, string>();
  const counts = new Map<string, number>();
  const nodeNames = new Set<string>();
  let batchName: string | undefined;

  const small = (type: number, values: readonly number[], shape: readonly number[]): string => {
    const key = `${type}:${shape}:${values}`;
    const known = constants.get(key);
    if (known) return known;
    const name = `constant:${constants.size}`;
    constants.set(key, name);
    const bytes = type === FLOAT
      ? new Uint8Array(Float32Array.from(values).buffer)
      : type === INT64
      ? new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer)
      : Uint8Array.from(values);
    writeInitializer(graph, name, shape, type, bytes);
    return name;
  };

  const normOver = new Map<Tensor, Tensor<"layerNorm">>();
  for (const tensor of order) {
    if (tensor.op === "layerNorm") normOver.set(tensor.inputs[0]!, tensor as Tensor<"layerNorm">);
  }
  const sideOutputs = new Map<Tensor, Tensor>(); // layer norm → the inverse deviation that it gives as well
  for (const tensor of order) {
    if (tensor.op !== "inverseDeviation") continue;
    const norm = normOver.get(tensor.inputs[0]!);
    if (norm && norm.attributes.epsilon === (tensor as Tensor<"inverseDeviation">).attributes.epsilon) {
      sideOutputs.set(norm, tensor);
    }
  }

  const writeTo = (
    output: string,
    place: string,
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    moreOutputs: readonly string[] = [],
  ) => {
    let name = `${place ? `${place}/` : ""}${op}`;
    for (let n = 2; nodeNames.has(name); n++) name = `${place ? `${place}/` : ""}${op}_${n}`;
    nodeNames.add(name);
    const proto = message();
    for (const one of inputs) proto.text(1, one);
    for (const one of [output, ...moreOutputs]) proto.text(2, one);
    proto.text(3, name).text(4, op);
    for (const [key, value] of Object.entries(attributes)) proto.message(5, attributeProto(key, value));
    graph.message(1, proto);
  };

  const emitter: Emitter = {
    nameOf: (tensor) =>
      tensor.op === "constant"
        ? small(elementTypes[tensor.type], (tensor as Tensor<"constant">).attributes.values, tensor.shape as number[])
        : names.get(tensor)!,
    emit: (tensor, op, inputs, attributes = {}, moreOutputs = []) => {
      writeTo(names.get(tensor)!, isWeight(tensor) ? "weights" : tensor.name, op, inputs, attributes, moreOutputs);
    },
    deviationsOf: (norm) => {
      const deviation = sideOutputs.get(norm);
      return deviation ? ["", names.get(deviation)!] : []; // the mean is left out
    },
    isSideOutput: (tensor) => sideOutputs.get(normOver.get(tensor.inputs[0]!)!) === tensor,
    inner: (tensor, op, inputs, attributes = {}) => {
      const count = (counts.get(op) ?? 0) + 1;
      counts.set(op, count);
      const output = `inner:${op}:${count}`;
      writeTo(output, tensor.name, op, inputs, attributes);
      return output;
    },
    ints: (values, shape = [values.length]) => small(INT64, values, shape),
    floats: (values, shape = [values.length]) => small(FLOAT, values, shape),
    initializer: (name, shape, type, place) => writeInitializer(graph, name, shape, type, place),
    shapeOf: (tensor) => {
      if (batches(tensor.shape) === 0) return small(INT64, tensor.shape as number[], [tensor.shape.length]);
      if (!batchName) {
        const fed = order.find(({ op, shape }) =>
          op === "input" && typeof shape[0] === "object" && shape[0].batch === 1
        );
        if (!fed) {
          throw new MammolabError(
            "Cannot write the model: the batch is free but no input has it as its first axis; fix the batch",
          );
        }
        batchName = emitter.inner(fed, "Shape", [fed.name], { start: 0, end: 1 });
      }
      const sizes = tensor.shape.map((dim) => {
        if (typeof dim === "number") return small(INT64, [dim], [1]);
        return dim.batch === 1
          ? batchName!
          : emitter.inner(tensor, "Mul", [batchName!, small(INT64, [dim.batch], [1])]);
      });
      return emitter.inner(tensor, "Concat", sizes, { axis: 0 });
    },
  };
  return emitter;
}

/** Outputs and leaves keep their names, rows of a weight are `name[start:end]`; the rest is numbered. An output that is a leaf, or has two names, is refused. */
function namesOf(order: readonly Tensor[], outputs: Readonly<Record<string, Tensor>>): ReadonlyMap<Tensor, string> {
  const names = new Map<Tensor, string>();
  const taken = new Set<string>();
  for (const [name, tensor] of Object.entries(outputs)) {
    if (names.has(tensor) || tensor.inputs.length === 0) {
      throw new MammolabError(
        `Cannot write the model: output ${name} is ${names.get(tensor) ?? "an input"} too; ask for it once`,
      );
    }
    names.set(tensor, name);
    taken.add(name);
  }
  order.forEach((tensor, i) => {
    if (names.has(tensor)) return;
    const leaf = tensor.op === "input" || isWeight(tensor);
    if (leaf && taken.has(tensor.name)) {
      throw new MammolabError(
        `Cannot write the model: ${tensor.name} ${show(tensor.shape)} is defined twice; make each leaf once`,
      );
    }
    const name = leaf ? tensor.name : isPartOfWeight(tensor) ? partName(tensor) : `value:${i}`;
    names.set(tensor, taken.has(name) ? `value:${i}` : name);
    taken.add(name);
  });
  return names;
}

function partName({ inputs: [weight], attributes: { start, end } }: Tensor<"slice">): string {
  return `${weight!.name}[${start}:${end}]`;
}

function writeInitializer(
  graph: MessageWriter,
  name: string,
  shape: readonly number[],
  type: number,
  place: WeightPlace | Uint8Array,
): void {
  const tensor = message();
  for (const size of shape) tensor.integer(1, size);
  tensor.integer(2, type).text(8, name);
  if (place instanceof Uint8Array) {
    tensor.bytes(9, place);
  } else {
    const entry = (key: string, value: string) => tensor.message(13, message().text(1, key).text(2, value));
    entry("location", place.location);
    entry("offset", `${place.offset}`);
    entry("length", `${place.length}`);
    tensor.integer(14, 1); // EXTERNAL
  }
  graph.message(5, tensor);
}

function attributeProto(name: string, value: Attribute): MessageWriter {
  const proto = message().text(1, name);
  if (typeof value === "number") return proto.integer(3, value).integer(20, 2);
  if ("float" in value) return proto.float(2, value.float).integer(20, 1);
  for (const one of value) proto.integer(8, one);
  return proto.integer(20, 7);
}

/** An input or output of the graph. */
export function valueInfo(
  name: string,
  { shape, type }: { readonly shape: Shape; readonly type: ElementType },
): MessageWriter {
  const dims = message();
  for (const dim of shape) dims.message(1, dimProto(dim));
  return message().text(1, name).message(
    2,
    message().message(1, message().integer(1, elementTypes[type]).message(2, dims)),
  );
}

function dimProto(dim: Dim): MessageWriter {
  if (typeof dim === "number") return message().integer(1, dim);
  return message().text(2, dim.batch === 1 ? "batch" : `${dim.batch}*batch`);
}
