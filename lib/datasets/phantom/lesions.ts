import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { drawCalcifications } from "./calcifications.ts";
import type { Canvas } from "./canvas.ts";
import type { Frame } from "./frame.ts";
import { drawMass } from "./masses.ts";
import type { LesionPlan } from "./plan.ts";

/** A lesion as one view sees it. */
export type LesionShadow = {
  /** Brightness, 1 at the core. */
  readonly profile: Canvas;
  /** How far a mass has displaced the tissue, 0..1; all 0 for calcifications. */
  readonly body: Float32Array;
  /** `[height, width]`, 1 inside. A mass without its spicules; calcifications with 2.5 mm around each. */
  readonly mask: Uint8Array;
  /** Millimetres. */
  readonly x: number;
  /** Millimetres. */
  readonly y: number;
};

/** Casts a lesion's shadow into a view. */
export function lesionShadow(seed: number, laterality: Laterality, lesion: LesionPlan, frame: Frame): LesionShadow {
  const random = (part: string) => drawsOf(seed, part, laterality, lesion.index);
  return lesion.kind.endsWith("mass")
    ? drawMass(lesion, frame, random("mass"))
    : drawCalcifications(lesion, frame, random("calcifications"));
}

/** Brightness inside a lesion and around it: disc of 0.6 R, ring from 1.1 R to 1.6 R, inside the breast. */
export type Contrast = { readonly disc: number; readonly ring: number; readonly deviation: number };

/** Measures {@linkcode Contrast}; centre and radius in pixels. Its quotient (disc - ring) / deviation is the ring CNR. */
export function discAndRing(
  data: Float32Array | Uint16Array,
  { width, height, inside }: Pick<Frame, "width" | "height" | "inside">,
  { x, y, radius }: { readonly x: number; readonly y: number; readonly radius: number },
): Contrast {
  let [disc, discCount, ring, ringSquares, ringCount] = [0, 0, 0, 0, 0];
  const reach = Math.ceil(1.7 * radius);
  for (let j = Math.max(0, Math.floor(y - reach)); j < Math.min(height, y + reach); j++) {
    for (let i = Math.max(0, Math.floor(x - reach)); i < Math.min(width, x + reach); i++) {
      const at = j * width + i;
      if (!inside[at]) continue;
      const q = Math.hypot(i + 0.5 - x, j + 0.5 - y) / radius;
      const value = data[at]!;
      if (q < 0.6) {
        disc += value;
        discCount++;
      } else if (q > 1.1 && q < 1.6) {
        ring += value;
        ringSquares += value * value;
        ringCount++;
      }
    }
  }
  const mean = ring / Math.max(1, ringCount);
  return {
    disc: disc / Math.max(1, discCount),
    ring: mean,
    deviation: Math.sqrt(Math.max(0, ringSquares / Math.max(1, ringCount) - mean * mean)),
  };
}

/** A view whose tissue is about to receive its lesions. */
export type ViewTissue = { readonly frame: Frame; readonly tissue: Canvas; readonly shadows: readonly LesionShadow[] };

/**
 * Adds one lesion to all views of its breast with one amplitude, since it is one body.
 *
 * The amplitude of a mass is its contrast in deviations of the tissue around it, averaged over the views: in absolute units
 * most lesions would be either invisible or glaring. It is capped at what a body of its size could hold.
 */
export function addLesion(lesion: LesionPlan, index: number, views: readonly ViewTissue[]): void {
  const radius = Math.max(lesion.radius, 4);
  const around = views.map(({ frame, tissue, shadows }) => {
    const { x, y } = shadows[index]!;
    return discAndRing(tissue.data, frame, { x: x / frame.mm, y: y / frame.mm, radius: radius / frame.mm });
  });
  const local = Math.max(1, around.reduce((sum, { deviation }) => sum + deviation, 0) / views.length);
  const mass = lesion.kind.endsWith("mass");
  const amplitude = mass ? Math.min(1.25 * lesion.contrast * local, 2.4 * lesion.radius) : 6 + 4 * lesion.contrast;
  const calm = lesion.pathology === "malignant" ? 0.6 : 0.5; // a mass displaces the tissue that it grows in
  views.forEach(({ frame, tissue, shadows }, k) => {
    const { profile, body } = shadows[index]!;
    const { disc, ring } = around[k]!;
    const level = 0.7 * ring + 0.3 * disc;
    for (let i = 0; i < body.length; i++) {
      if (frame.inside[i] && (profile.data[i] || body[i])) {
        tissue.data[i] = tissue.data[i]! + calm * body[i]! * (level - tissue.data[i]!) + amplitude * profile.data[i]!;
      }
    }
  });
}
