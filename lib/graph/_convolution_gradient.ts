/** The gradients of convolutions and pools, in the vocabulary of `gradient.ts`. */
import { MammolabError } from "../base/mod.ts";
import * as g from "./ops.ts";
import { constant, type Pair, type Shape, type Tensor } from "./tensor.ts";

/** The gradients of a convolution's input, kernel and bias. */
export function convolutionGradient(
  { inputs: [x, w, bias], attributes: { stride, padding, dilation, groups } }: Tensor<"conv2d">,
  dy: Tensor,
): readonly Tensor[] {
  if (dilation[0] !== 1 || dilation[1] !== 1) {
    throw new MammolabError("Cannot differentiate a dilated convolution; write it as slices");
  }
  const sizes = [2, 3].map((axis) => x!.shape[axis] as number);
  const kernel = [2, 3].map((axis) => w!.shape[axis] as number);
  const outputPadding = [0, 1].map((i) =>
    sizes[i]! - (((dy.shape[2 + i] as number) - 1) * stride[i]! - 2 * padding[i]! + kernel[i]!)
  ) as unknown as Pair;
  return [
    groups === 1 && stride.every((s) => s === 1) && padding.every((p, i) => p < kernel[i]!)
      ? g.conv2d(dy, turned(w!), { padding: padding.map((p, i) => kernel[i]! - 1 - p) as unknown as Pair })
      : g.convTranspose2d(dy, w!, { stride, padding, outputPadding, groups }),
    kernelGradient(x!, dy, w!.shape, { stride, padding, groups }),
    ...(bias ? [g.sum(dy, { axes: [0, 2, 3] })] : []),
  ];
}

/** The gradients of a transposed convolution's input and kernel. */
export function transposedConvolutionGradient(
  { inputs: [x, w], attributes: { stride, padding, groups } }: Tensor<"convTranspose2d">,
  dy: Tensor,
): readonly Tensor[] {
  return [
    g.conv2d(dy, w!, { stride, padding, groups }),
    kernelGradient(dy, x!, w!.shape, { stride, padding, groups }),
  ];
}

/** The gradient goes to the largest value of each window; equal ones share. Places are picked and put back by one-hot products. */
export function maxPoolGradient(y: Tensor<"maxPool2d">, dy: Tensor): readonly Tensor[] {
  const x = y.inputs[0]!;
  const { size, stride, padding } = y.attributes;
  const [height, width] = x.shape.slice(2) as [number, number];
  const apart = size.every((s, i) => s === stride[i] && padding[i] === 0 && [height, width][i]! % s === 0);
  if (apart) {
    // Windows side by side: each of them is two axes of a view.
    const lead = x.shape.slice(0, 2);
    const windows = [...lead, height / size[0], size[0], width / size[1], size[1]];
    const one = (t: Tensor) => g.reshape(t, [...lead, height / size[0], 1, width / size[1], 1]);
    const hit = g.toFloat(g.equal(g.reshape(x, windows), g.expand(one(y), windows)));
    const share = g.divide(one(dy), g.sum(hit, { axes: [3, 5], keep: true }));
    return [g.reshape(g.multiply(hit, share), x.shape)];
  }
  /** `[outputs, inputs]`: which input place an output reads at place k of its window. */
  const picks = (axis: 0 | 1, k: number) => {
    const [inputs, outputs] = [x.shape[2 + axis] as number, y.shape[2 + axis] as number];
    const values = Array.from(
      { length: outputs * inputs },
      (_, i) => Math.floor(i / inputs) * stride[axis] - padding[axis] + k === i % inputs ? 1 : 0,
    );
    return constant(values, [outputs, inputs]);
  };
  const inside = constant(new Array<number>((x.shape[2] as number) * (x.shape[3] as number)).fill(1), [
    1,
    1,
    ...(x.shape.slice(2) as number[]),
  ]);
  const windows = Array.from({ length: size[0] * size[1] }, (_, i) => {
    const [rows, columns] = [picks(0, Math.floor(i / size[1])), picks(1, i % size[1])];
    const pick = (t: Tensor) => g.matmul(g.matmul(rows, t), g.swapLast(columns));
    return { rows, columns, hit: g.multiply(g.toFloat(g.equal(pick(x), y)), pick(inside)) };
  });
  const share = g.divide(dy, windows.map(({ hit }) => hit).reduce((a, b) => g.add(a, b)));
  const parts = windows.map(({ rows, columns, hit }) =>
    g.matmul(g.matmul(g.swapLast(rows), g.multiply(hit, share)), columns)
  );
  return [parts.reduce((a, b) => g.add(a, b))];
}

/** The gradient of an average pool's input. */
export function averagePoolGradient(
  { inputs: [x], attributes: { size, stride, padding } }: Tensor<"averagePool2d">,
  dy: Tensor,
): readonly Tensor[] {
  const channels = x!.shape[1] as number;
  const outputPadding = [0, 1].map((i) =>
    (x!.shape[2 + i] as number) - (((dy.shape[2 + i] as number) - 1) * stride[i]! - 2 * padding[i]! + size[i]!)
  ) as unknown as Pair;
  const area = size[0] * size[1];
  const kernel = constant(new Array<number>(channels * area).fill(1 / area), [channels, 1, ...size]);
  return [g.convTranspose2d(dy, kernel, { stride, padding, outputPadding, groups: channels })];
}

/** A kernel turned by half a turn, inputs and outputs exchanged: the way back through a convolution is one again, and faster. */
function turned(w: Tensor): Tensor {
  const back = (x: Tensor, axis: number) => {
    const size = x.shape[axis] as number;
    return g.concat(Array.from({ length: size }, (_, k) => g.slice(x, axis, size - 1 - k, size - k)), axis);
  };
  return back(back(g.transpose(w, [1, 0, 2, 3]), 2), 3);
}

/**
 * The gradient of a convolution's kernel: for each place of the kernel, what of the input it was multiplied with (im2col),
 * times the gradient of the output. One product an image and group: an exchange of images and channels in a convolution,
 * with a kernel as large as the image, takes a hundred times as long.
 */
function kernelGradient(
  x: Tensor,
  dy: Tensor,
  shape: Shape,
  { stride, padding, groups }: { readonly stride: Pair; readonly padding: Pair; readonly groups: number },
): Tensor {
  const [out, perGroup, kh, kw] = shape as readonly [number, number, number, number];
  const [height, width] = dy.shape.slice(2) as [number, number];
  const batch = x.shape[0]!;
  // Enough zeros for whole steps from every place of the kernel.
  const behind = [0, 1].map((i) => {
    const reach = [kh, kw][i]! - 1 + [height, width][i]! * stride[i]!;
    return Math.max(0, reach - (x.shape[2 + i] as number) - padding[i]!);
  });
  const padded = g.pad(x, [0, 0, ...padding], [0, 0, ...behind]);
  /** Every `stride`-th value along an axis, `count` of them. */
  const every = (t: Tensor, axis: 2 | 3, start: number, count: number) => {
    const step = stride[axis - 2]!;
    const run = g.slice(t, axis, start, start + step * count);
    if (step === 1) return run;
    const apart = g.reshape(run, [...run.shape.slice(0, axis), count, step, ...run.shape.slice(axis + 1)]);
    return g.reshape(g.slice(apart, axis + 1, 0, 1), [
      ...run.shape.slice(0, axis),
      count,
      ...run.shape.slice(axis + 1),
    ]);
  };
  const each = Array.from({ length: groups }, (_, k) => {
    const own = groups === 1 ? padded : g.slice(padded, 1, k * perGroup, (k + 1) * perGroup);
    const seen = Array.from(
      { length: kh * kw },
      (_, i) => every(every(own, 2, Math.floor(i / kw), height), 3, i % kw, width),
    );
    const columns = g.reshape(g.concat(seen, 1), [batch, kh * kw * perGroup, height * width]);
    const outs = out / groups;
    const part = groups === 1 ? dy : g.slice(dy, 1, k * outs, (k + 1) * outs);
    const perImage = g.matmul(g.reshape(part, [batch, outs, height * width]), g.swapLast(columns));
    return g.transpose(g.reshape(g.sum(perImage, { axes: [0] }), [outs, kh, kw, perGroup]), [0, 3, 1, 2]);
  });
  return g.concat(each, 0);
}
