import type { Random } from "../../base/mod.ts";
import { addDot, canvasOf } from "./canvas.ts";
import type { Frame } from "./frame.ts";
import type { LesionShadow } from "./lesions.ts";
import type { BreastPoint, LesionPlan } from "./plan.ts";

/** A grain of calcium: offset from the centre and deviation in millimetres, brightness. */
type Grain = { readonly offset: BreastPoint; readonly sigma: number; readonly peak: number };

/** Grains of calcium, the same in both views. */
export function drawCalcifications(lesion: LesionPlan, frame: Frame, random: Random): LesionShadow {
  const grains = grainsOf(lesion, random);
  const profile = canvasOf(frame);
  const mask = new Uint8Array(profile.data.length);
  const [n, y, z] = lesion.center;
  for (const { offset, sigma, peak } of grains) {
    const [u, v] = frame.project([n + offset[0], y + offset[1], z + offset[2]]);
    addDot(profile, u, v, sigma, peak);
    fillDisc(mask, frame, u, v, lesion.kind === "coarse calcification" ? 1 + sigma : 2.5);
  }
  const [x, v] = frame.project(lesion.center);
  return { profile, body: new Float32Array(mask.length), mask, x, y: v };
}

function grainsOf({ kind, radius }: LesionPlan, random: Random): Grain[] {
  const scattered = (count: number, spread: number, sigma: () => number, peak: number): Grain[] =>
    Array.from({ length: count }, () => ({
      offset: [spread * random.normal(), spread * random.normal(), spread * random.normal()],
      sigma: sigma(),
      peak,
    }));
  if (kind === "coarse calcification") return scattered(9, 0.5 * radius, () => radius * random.between(0.25, 0.5), 1.2);
  if (kind === "round calcifications") {
    return scattered(5 + random.integer(18), 0.55 * radius, () => random.logBetween(0.22, 0.5), 0.9);
  }
  return branching(radius, random);
}

/** Fine linear branching: along two to four ducts, uneven, half of them drawn out into short lines (after Nappi et al. 2001, Comput Methods Programs Biomed 66:115). */
function branching(radius: number, random: Random): Grain[] {
  return Array.from({ length: 2 + random.integer(3) }, () => {
    const duct: BreastPoint = [1, 0.8 * random.normal(), 0.8 * random.normal()];
    const length = Math.hypot(...duct);
    const start = [random.normal(), random.normal(), random.normal()].map((t) => 0.25 * radius * t);
    return Array.from({ length: 3 + random.integer(6) }, () => {
      const t = random.between(-1, 1) * radius;
      const [n, y, z] = duct.map((d, k) => start[k]! + (d / length) * t + 0.4 * random.normal()) as [
        number,
        number,
        number,
      ];
      const sigma = random.logBetween(0.16, 0.34);
      const pieces = random.uniform() < 0.5 ? 2 + random.integer(3) : 1;
      const peak = random.logBetween(0.4, 1.3);
      return Array.from({ length: pieces }, (_, s): Grain => ({
        offset: [
          n + (duct[0] / length) * s * 0.45 + 0.06 * random.normal(),
          y + (duct[1] / length) * s * 0.45 + 0.06 * random.normal(),
          z + (duct[2] / length) * s * 0.45,
        ],
        sigma: sigma * random.between(0.7, 1.2),
        peak,
      }));
    }).flat();
  }).flat();
}

function fillDisc(mask: Uint8Array, { width, height, mm }: Frame, x: number, y: number, radius: number): void {
  const [cx, cy, r] = [x / mm, y / mm, radius / mm];
  for (let j = Math.max(0, Math.floor(cy - r)); j < Math.min(height, cy + r); j++) {
    for (let i = Math.max(0, Math.floor(cx - r)); i < Math.min(width, cx + r); i++) {
      if ((i + 0.5 - cx) ** 2 + (j + 0.5 - cy) ** 2 < r * r) mask[j * width + i] = 1;
    }
  }
}
