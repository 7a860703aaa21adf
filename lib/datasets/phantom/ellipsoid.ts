import type { BreastPoint } from "./plan.ts";

/** A body in the breast: three half axes in millimetres, the first along `towards`, the second near `turn`. */
export type Ellipsoid = {
  readonly center: BreastPoint;
  readonly axes: readonly [number, number, number];
  /** Any length. */
  readonly towards: BreastPoint;
  /** Any length; only what is at a right angle to `towards` counts. */
  readonly turn: BreastPoint;
};

/** The shadow of an ellipsoid is an ellipse: xx dx² + xy dx dy + yy dy² ≤ 1, with dx, dy in millimetres from its centre. */
export type EllipseShadow = {
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
  /** Length of the ray through the centre inside the body; elsewhere times sqrt(1 - q). */
  readonly chord: number;
  /** The shadow is nowhere farther than this from its centre. */
  readonly reach: number;
};

/** Projects an ellipsoid along a view's parallel rays. */
export function shadowOf(
  { center, axes, towards, turn }: Ellipsoid,
  project: (point: BreastPoint) => readonly [x: number, y: number],
): EllipseShadow {
  const first = unit(towards);
  const dot = first[0] * turn[0] + first[1] * turn[1] + first[2] * turn[2];
  const second = unit([turn[0] - dot * first[0], turn[1] - dot * first[1], turn[2] - dot * first[2]]);
  const third: BreastPoint = [
    first[1] * second[2] - first[2] * second[1],
    first[2] * second[0] - first[0] * second[2],
    first[0] * second[1] - first[1] * second[0],
  ];
  const [x, y] = project(center);
  const [ox, oy] = project([0, 0, 0]);
  let [a, b, c] = [0, 0, 0]; // the matrix P A P' of the shadow, with A of the body's squared axes
  [first, second, third].forEach((axis, k) => {
    const [px, py] = project(axis);
    const [dx, dy] = [px - ox, py - oy];
    const scale = axes[k]! ** 2;
    a += scale * dx * dx;
    b += scale * dx * dy;
    c += scale * dy * dy;
  });
  const determinant = a * c - b * b;
  // volume = area of the shadow times two thirds of the longest chord
  const chord = (2 * axes[0] * axes[1] * axes[2]) / Math.sqrt(determinant);
  return {
    x,
    y,
    xx: c / determinant,
    xy: (-2 * b) / determinant,
    yy: a / determinant,
    chord,
    reach: Math.sqrt((a + c) / 2 + Math.sqrt(((a - c) / 2) ** 2 + b * b)),
  };
}

function unit([n, y, z]: BreastPoint): [number, number, number] {
  const length = Math.sqrt(n * n + y * y + z * z) || 1;
  return [n / length, y / length, z / length];
}
