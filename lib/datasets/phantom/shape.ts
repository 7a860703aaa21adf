import type { Random } from "../../base/mod.ts";
import type { BreastPoint } from "./plan.ts";

/** The form of both breasts of a patient, compressed; lengths in millimetres. */
export type BreastShape = {
  /** Nipple to chest wall. */
  readonly depth: number;
  /** Half the height at the chest wall. */
  readonly halfHeight: number;
  /** Compressed thickness. */
  readonly thickness: number;
  /** 0: as pointed as the digital views we measured; 1: nearly an ellipse, as many films. */
  readonly roundness: number;
  /** Width of the top of an MLO view (the axilla) as a share of the depth. */
  readonly top: number;
  /** Angle of the MLO view from the horizontal. */
  readonly obliqueDegrees: number;
  /** Where the edge of the pectoral muscle meets the top of an MLO view, as a share of the depth. */
  readonly pectoralTop: number;
  /** How far down the chest wall the muscle reaches, as a share of the nipple's height. */
  readonly pectoralLength: number;
  readonly skin: number;
  /** Mean depth of the fat between skin and gland. */
  readonly fatLayer: number;
};

/** @param density 0 fatty … 3 dense: dense breasts are thinner under compression (VICTRE: 60 mm fatty … 35 mm dense) */
export function drawShape(random: Random, density: number): BreastShape {
  const depth = Math.min(Math.max(95 - 2.5 * density + 16 * random.normal(), 60), 132);
  const halfHeight = Math.min(Math.max(depth * random.between(0.98, 1.18), 60), 112);
  return {
    depth,
    halfHeight,
    thickness: Math.min(Math.max(0.45 * depth + 24 - 4 * density + 5 * random.normal(), 32), 78),
    roundness: random.uniform(),
    top: random.between(0.42, 0.85),
    obliqueDegrees: random.between(42, 58),
    pectoralTop: random.between(0.35, 0.62),
    pectoralLength: random.between(0.75, 1.15),
    skin: random.between(1.5, 2.1),
    fatLayer: random.between(6, 12) * (1.25 - 0.15 * density),
  };
}

/** The outline that a CC view has: half height at depth `n` behind the nipple (measured on digital views: see `profile`). */
export function halfHeightAt(shape: BreastShape, n: number): number {
  const { p, q } = exponents(shape);
  const x = Math.min(Math.max(n / shape.depth, 0), 1);
  return shape.halfHeight * (1 - (1 - x) ** q) ** (1 / p);
}

/**
 * Distance of the skin from the chest wall as a share of the depth, at a share `t` of the half height from the nipple:
 * (1 - t^p)^(1/q). Four digital views gave p 1.6, q 1.2, more pointed than an ellipse (p = q = 2).
 */
export function profile(shape: BreastShape, t: number): number {
  if (t >= 1) return 0;
  const { p, q } = exponents(shape);
  // blunt at the nipple: t^p has infinite curvature there while p < 2
  const blunt = (Math.sqrt(t * t + 0.01) - 0.1) / (Math.sqrt(1.01) - 0.1);
  return (1 - blunt ** p) ** (1 / q);
}

function exponents({ roundness }: BreastShape): { p: number; q: number } {
  return { p: 1.65 + 0.6 * roundness, q: 1.25 + 0.6 * roundness };
}

/** A point of the breast, evenly over its volume between two depths. */
export function insideBreast(shape: BreastShape, [low, high]: readonly [number, number], random: Random): BreastPoint {
  for (;;) {
    const n = random.between(low, high);
    const radius = 0.96 * halfHeightAt(shape, n);
    const y = random.between(-1, 1) * shape.halfHeight;
    const z = random.between(-1, 1) * shape.halfHeight;
    if (y * y + z * z < radius * radius) return [n, y, z];
  }
}
