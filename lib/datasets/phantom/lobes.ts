import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { type CoarseMap, coarseMapOf } from "./coarse_map.ts";
import type { Frame } from "./frame.ts";
import type { BreastPoint, ExamPlan } from "./plan.ts";

/** A part of the gland, or a gap in it. */
export type Lobe = { readonly center: BreastPoint; readonly sigma: number; readonly amount: number };

/**
 * The lobes of the gland: 3-D Gaussians, whose projection is again a Gaussian, so that both views agree about where the gland
 * lies. Left and right share the draws up to 5 mm: they look like sisters, not twins.
 */
export function drawLobes({ seed, shape }: ExamPlan, laterality: Laterality): readonly Lobe[] {
  const random = drawsOf(seed, "lobes");
  const own = drawsOf(seed, "lobes", laterality);
  const jitter = () => 5 * own.normal();
  return Array.from({ length: 46 }, () => {
    const n = random.between(8, 0.95 * shape.depth);
    const spread = 0.4 * Math.min(1, n / (0.5 * shape.depth)) * shape.halfHeight;
    const center: BreastPoint = [
      n + jitter(),
      spread * random.normal() + 0.06 * shape.halfHeight + jitter(),
      spread * random.normal() + 0.04 * shape.halfHeight + jitter(),
    ];
    const sigma = random.logBetween(5, 15);
    const sign = random.uniform() < 0.72 ? 1 : -0.9;
    return { center, sigma, amount: (sign * random.between(0.5, 1.2) * sigma) / 14 };
  });
}

/** Lobes and the envelope of the gland disc, projected into one view. */
export function projectLobes(
  lobes: readonly Lobe[],
  frame: Frame,
  { envelope, depth, halfHeight }: { readonly envelope: number; readonly depth: number; readonly halfHeight: number },
): CoarseMap {
  const map = coarseMapOf(frame, 2);
  const { data, width: columns, rows, step } = map;
  const { project } = frame;
  for (const { center, sigma, amount } of lobes) {
    const [x, y] = project(center);
    const reach = Math.ceil((2.5 * sigma) / step);
    const [ci, cj] = [Math.round(x / step), Math.round(y / step)];
    for (let j = Math.max(0, cj - reach); j <= Math.min(rows - 1, cj + reach); j++) {
      for (let i = Math.max(0, ci - reach); i <= Math.min(columns - 1, ci + reach); i++) {
        const d = (i * step - x) ** 2 + (j * step - y) ** 2;
        data[j * columns + i]! += amount * Math.exp(-d / (2 * sigma * sigma));
      }
    }
  }
  const [x, y] = project([0.44 * depth, 0.06 * halfHeight, 0.04 * halfHeight]);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const q = ((i * step - x) / (0.56 * depth)) ** 2 + ((j * step - y) / (0.66 * halfHeight)) ** 2;
      data[j * columns + i] = 1.15 * data[j * columns + i]! + envelope * (1 - Math.min(q, 3.2)) - 0.35;
    }
  }
  return map;
}
