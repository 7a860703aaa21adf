// What the constructors of operations check before they make a node.
import { MammolabError } from "../base/mod.ts";
import { type OpName, sameDim, type Shape, show, type Tensor } from "./tensor.ts";

/** NumPy's rule; an axis of size 1 also meets the batch. */
export function broadcast(what: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [p, q] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (p === 1) return q;
    if (q === 1 || sameDim(p, q)) return p;
    throw new MammolabError(
      `Cannot ${what} ${show(a)} and ${show(b)}: the sizes ${show([p, q])} do not fit; check the shapes`,
    );
  });
}

/** The error of two tensors whose sizes do not fit: it names the operation and both shapes. */
export function misfit(op: OpName | "linear", a: Tensor, b: Tensor): MammolabError {
  const called = (tensor: Tensor) => `${tensor.name ? `${tensor.name} ` : ""}${show(tensor.shape)}`;
  return new MammolabError(`Cannot ${op} ${called(a)} and ${called(b)}: the sizes do not fit; check the shapes`);
}

/** The engine has no mixed arithmetic: it would refuse the model, without saying where. */
export function requireSameType(op: OpName, a: Tensor, b: Tensor): void {
  if (a.type !== b.type) {
    throw new MammolabError(
      `Cannot ${op} ${a.type} ${show(a.shape)} and ${b.type} ${
        show(b.shape)
      }: the number types differ; make them floats first`,
    );
  }
}
