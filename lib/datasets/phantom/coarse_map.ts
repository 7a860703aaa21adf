import type { Frame } from "./frame.ts";

/** A slowly varying quantity over a view, on a grid of `step` millimetres from its upper left corner. */
export type CoarseMap = {
  /** `[rows, width]` */
  readonly data: Float32Array;
  readonly width: number;
  readonly rows: number;
  /** Millimetres. */
  readonly step: number;
};

/** A map of zeros over a view. */
export function coarseMapOf({ width, height, mm }: Frame, step: number): CoarseMap {
  const [columns, rows] = [Math.ceil((width * mm) / step) + 2, Math.ceil((height * mm) / step) + 2];
  return { data: new Float32Array(columns * rows), width: columns, rows, step };
}

/** The map at a place in millimetres, bilinear. */
export function readCoarse({ data, width, step }: CoarseMap, x: number, y: number): number {
  const u = x / step;
  const v = y / step;
  const i = Math.floor(u);
  const j = Math.floor(v);
  const p = u - i;
  const q = v - j;
  const at = j * width + i;
  return (data[at]! * (1 - p) + data[at + 1]! * p) * (1 - q) +
    (data[at + width]! * (1 - p) + data[at + width + 1]! * p) * q;
}
