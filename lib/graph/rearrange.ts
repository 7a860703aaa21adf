// Operations that move values and compute nothing.
import { MammolabError } from "../base/mod.ts";
import { misfit } from "./_checks.ts";
import { axisOf, batches, type Dim, node, sameDim, type Shape, show, sizeOf, type Tensor } from "./tensor.ts";

/** The same values, row by row, in another shape. One size may be the batch. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sizeOf(x.shape) !== sizeOf(shape) || batches(x.shape) !== batches(shape)) {
    throw new MammolabError(
      `Cannot reshape ${show(x.shape)} to ${show(shape)}: the numbers of values differ; check the sizes`,
    );
  }
  if (batches(shape) > 1) {
    throw new MammolabError(
      `Cannot reshape ${show(x.shape)} to ${show(shape)}: only one axis can be the batch; fix the batch`,
    );
  }
  if (x.shape.length === shape.length && x.shape.every((dim, i) => sameDim(dim, shape[i]!))) return x;
  if (x.op === "reshape") return reshape(x.inputs[0]!, shape);
  return node("reshape", [x], shape, {}, x.type);
}

/** Axes in another order: axis `i` of the result is axis `order[i]` of `x`. */
export function transpose(x: Tensor, order: readonly number[]): Tensor {
  if (order.length !== x.shape.length || [...order].sort((a, b) => a - b).some((axis, i) => axis !== i)) {
    throw new MammolabError(
      `Cannot transpose ${show(x.shape)} by [${order}]: give each of its ${x.shape.length} axes once`,
    );
  }
  if (order.every((axis, i) => axis === i)) return x;
  if (x.op === "transpose") {
    const inner = (x as Tensor<"transpose">).attributes.order;
    return transpose(x.inputs[0]!, order.map((axis) => inner[axis]!));
  }
  return node("transpose", [x], order.map((axis) => x.shape[axis]!), { order }, x.type);
}

/** The last two axes exchanged. */
export function swapLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

/** Repeats axes of size 1 (and missing leading ones) up to a shape. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (!fits(x.shape, shape)) {
    throw new MammolabError(
      `Cannot expand ${show(x.shape)} to ${show(shape)}: only axes of size 1 can grow; reshape first`,
    );
  }
  if (x.shape.length === shape.length && x.shape.every((dim, i) => sameDim(dim, shape[i]!))) return x;
  return node("expand", [x], shape, {}, x.type);
}

/** Tensors one after another along an axis. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (!first) throw new MammolabError("Cannot concat no tensors; give at least one");
  const along = axisOf(axis, first.shape.length, "a concatenation");
  for (const other of tensors) {
    const alike = other.shape.length === first.shape.length &&
      other.shape.every((dim, i) => i === along || sameDim(dim, first.shape[i]!));
    if (!alike) throw misfit("concat", first, other);
  }
  if (tensors.length === 1) return first;
  const size = tensors.map(({ shape }) => shape[along]!).reduce(sumOf);
  return node("concat", tensors, first.shape.map((dim, i) => i === along ? size : dim), { axis: along }, first.type);
}

/** `x[…, start … end − 1, …]` along an axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a slice");
  const size = x.shape[along]!;
  if (typeof size !== "number" || !(start >= 0 && start < end && end <= size)) {
    throw new MammolabError(
      `Cannot slice ${show(x.shape)} from ${start} to ${end} along axis ${along}; stay within 0 … ${
        typeof size === "number" ? size : "a fixed size"
      }`,
    );
  }
  if (start === 0 && end === size) return x;
  return node(
    "slice",
    [x],
    x.shape.map((dim, i) => i === along ? end - start : dim),
    { axis: along, start, end },
    x.type,
  );
}

/** Equal parts along an axis. */
export function split(x: Tensor, parts: number, axis: number): readonly Tensor[] {
  const along = axisOf(axis, x.shape.length, "a split");
  const size = (x.shape[along] as number) / parts;
  if (!Number.isInteger(size)) {
    throw new MammolabError(
      `Cannot split ${
        show(x.shape)
      } into ${parts} equal parts along axis ${along}: the size does not divide; check the sizes`,
    );
  }
  return Array.from({ length: parts }, (_, k) => slice(x, along, k * size, (k + 1) * size));
}

/** Moves values cyclically along an axis by `by` places: `roll(x, −1)` makes the second the first. */
export function roll(x: Tensor, by: number, axis: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a roll");
  const size = x.shape[along] as number;
  const cut = ((-by % size) + size) % size;
  return cut === 0 ? x : concat([slice(x, along, cut, size), slice(x, along, 0, cut)], along);
}

/** Zeros before and after, for each axis. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  if (
    before.length !== x.shape.length || after.length !== x.shape.length || [...before, ...after].some((n) => !(n >= 0))
  ) {
    throw new MammolabError(
      `Cannot pad ${show(x.shape)}: give ${x.shape.length} counts of zeros, 0 or more, before and after`,
    );
  }
  if ([...before, ...after].every((n) => n === 0)) return x;
  const shape = x.shape.map((dim, i) => {
    const extra = before[i]! + after[i]!;
    if (typeof dim === "number") return dim + extra;
    if (extra > 0) throw new MammolabError(`Cannot pad ${show(x.shape)}: axis ${i} is the batch; pad another axis`);
    return dim;
  });
  return node("pad", [x], shape, { before, after });
}

/** `x[…, indices, …]` along an axis; the shape of the indices takes the place of that axis. */
export function gather(x: Tensor, indices: Tensor, axis: number): Tensor {
  const along = axisOf(axis, x.shape.length, "a gather");
  if (indices.type !== "int64") throw new MammolabError(`Cannot gather by ${indices.type} values; give int64 indices`);
  return node("gather", [x, indices], [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)], {
    axis: along,
  }, x.type);
}

function fits(from: Shape, to: Shape): boolean {
  return from.length <= to.length &&
    from.every((dim, i) => dim === 1 || sameDim(dim, to[i - from.length + to.length]!));
}

const sumOf = (a: Dim, b: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a !== "number" && typeof b !== "number") return { batch: a.batch + b.batch };
  throw new MammolabError("Cannot concat along the batch: one tensor has a fixed size there; fix the batch");
};
