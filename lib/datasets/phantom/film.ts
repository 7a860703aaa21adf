import type { Canvas } from "./canvas.ts";
import { counted, normalOf } from "./draws.ts";
import { clamp, smoothstep } from "./curves.ts";
import { forEachInside, type Frame } from "./frame.ts";
import type { ExamPlan } from "./plan.ts";
import { thicknessAt } from "./tissue.ts";

/** Attenuation near 20 keV, per millimetre: fat, and gland above fat (after Johns & Yaffe 1987, Phys Med Biol 32:675). */
const fat = 0.0456;
const glandAboveFat = 0.0346;

/** Largest value of the 12 bits. */
export const white = 4095;

/**
 * Exposes and develops a view: tissue → log exposure with quantum noise → display values, 0 to 4095, white is dense.
 *
 * @param noiseKey key of the quantum noise, which alone is drawn by pixel
 */
export function develop(plan: ExamPlan, frame: Frame, tissue: Canvas, noiseKey: number): Uint16Array {
  const exposure = expose(plan, frame, tissue.data, noiseKey);
  return plan.technique.kind === "film"
    ? scannedFilm(frame, exposure, noiseKey)
    : digitalDisplay(plan.technique, frame, exposure);
}

/** Absorbance above that of fat of full thickness. */
function expose({ technique, shape }: ExamPlan, frame: Frame, tissue: Float32Array, noiseKey: number): Float32Array {
  const quantum = 0.0042 / Math.sqrt(technique.dose) / frame.mm; // deviation of one pixel behind average tissue
  const out = new Float32Array(tissue.length);
  forEachInside(frame, (at) => {
    const d = frame.skin[at]!;
    const lack = fat * (shape.thickness - thicknessAt(shape.thickness, d));
    const gland = glandAboveFat * tissue[at]!;
    const loss = technique.kind === "film"
      ? 0.75 * lack + 0.8 * Math.exp(-d / 2)
      : lack * (1 - technique.equalization) + 0.6 * Math.exp(-d / 0.5);
    const noise = quantum * normalOf(counted(noiseKey, at)) * Math.exp(0.5 * clamp(gland - lack, -2, 2));
    out[at] = gland - loss + noise;
  });
  return out;
}

/** A maker's processing in its simplest form: an unsharp mask and one curve. */
function digitalDisplay(
  { sharpening, gamma }: ExamPlan["technique"],
  frame: Frame,
  exposure: Float32Array,
): Uint16Array {
  const { skin, mm } = frame;
  sharpen(exposure, frame, sharpening);
  const at = quantiles(exposure, frame);
  const low = at(0.05);
  // a lower bound of the range, else a fatty breast is stretched until it looks dense
  const range = Math.max(at(0.97) - low, 0.7);
  const out = new Uint16Array(exposure.length);
  forEachInside(frame, (i) => {
    const t = 0.1 + (0.56 * (exposure[i]! - low)) / range;
    const toe = t < 0.08 ? 0.08 * Math.exp((t - 0.08) / 0.08) : t;
    const shoulder = toe > 0.7 ? 0.7 + 0.3 * (1 - Math.exp(-(toe - 0.7) / 0.3)) : toe;
    out[i] = Math.round(white * shoulder ** gamma * cover(skin[i]!, mm));
  });
  return out;
}

/** The S curve of film; its margin is dark, its background not quite black. */
function scannedFilm(frame: Frame, exposure: Float32Array, noiseKey: number): Uint16Array {
  const { skin, mm } = frame;
  const middle = quantiles(exposure, frame)(0.5) - 0.15;
  const out = new Uint16Array(exposure.length);
  for (let i = 0; i < out.length; i++) out[i] = 60 + (counted(noiseKey, i) & 15);
  forEachInside(frame, (i) => {
    const v = 0.03 + 0.9 / (1 + Math.exp(-(exposure[i]! - middle) / 0.62 - 0.25));
    const covered = cover(skin[i]!, mm);
    out[i] = Math.round(white * v * covered + out[i]! * (1 - covered));
  });
  return out;
}

/** How much of a pixel the breast covers. */
function cover(skin: number, mm: number): number {
  return Math.min(1, 0.5 + skin / mm);
}

/** Quantiles of every seventh pixel more than 12 mm from the skin. */
function quantiles(exposure: Float32Array, { skin }: Frame): (q: number) => number {
  const some: number[] = [];
  for (let i = 0; i < exposure.length; i += 7) if (skin[i]! > 12) some.push(exposure[i]!);
  const sorted = Float32Array.from(some).sort();
  return (q) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0;
}

/** A + amount (A - mean of 3.2 mm around), the mean taken inside the breast; none at the skin, where it would draw an outline. */
function sharpen(exposure: Float32Array, frame: Frame, amount: number): void {
  const { inside, skin, mm, width, height, ends } = frame;
  const half = Math.max(1, Math.round(1.6 / mm));
  const columns = Math.min(width, Math.max(...ends) + half + 1);
  const sum = exposure.slice();
  const count = new Float32Array(inside);
  for (const data of [sum, count]) {
    for (let y = 0; y < height; y++) if (ends[y]! > 0) boxSum(data, y * width, 1, columns, half);
    for (let x = 0; x < columns; x++) boxSum(data, x, width, height, half);
  }
  forEachInside(frame, (i) => {
    exposure[i]! += amount * smoothstep(skin[i]!, 0, 6) * (exposure[i]! - sum[i]! / count[i]!);
  });
}

const line = new Float32Array(8192);

/** Replaces each value of a row or column by the sum from `half` before to `half` after it. */
function boxSum(data: Float32Array, start: number, step: number, count: number, half: number): void {
  for (let k = 0; k < count; k++) line[k] = data[start + k * step]!;
  let sum = 0;
  for (let k = 0; k < Math.min(half, count); k++) sum += line[k]!;
  for (let k = 0; k < count; k++) {
    if (k + half < count) sum += line[k + half]!;
    if (k - half - 1 >= 0) sum -= line[k - half - 1]!;
    data[start + k * step] = sum;
  }
}
