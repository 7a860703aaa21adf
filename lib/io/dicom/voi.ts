/** DICOM (0028,1050) Window Center and (0028,1051) Window Width, in units of the modality values. */
export type VoiWindow = { readonly center: number; readonly width: number };

/** DICOM (0028,1056) VOI LUT Function. */
export type VoiFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

/** What each function makes of modality values: 0 is black, 1 is white. */
export const voiFunctions: Readonly<Record<VoiFunction, (values: Float64Array, window: VoiWindow) => Float64Array>> = {
  LINEAR: voiLinear,
  LINEAR_EXACT: voiLinearExact,
  SIGMOID: voiSigmoid,
};

/**
 * VOI LUT function LINEAR: modality values → [0, 1].
 *
 * DICOM PS3.3 C.11.2.1.2.1. The half and the one are the standard's: `width` counts integer values, so a window of width 1
 * is a threshold.
 *
 * @example The 12-bit window shows 0 as black, 4095 as white
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const shown = voiLinear(Float64Array.of(-5, 0, 2047.5, 4095), { center: 2048, width: 4096 });
 * assertEquals([...shown], [0, 0, 0.5, 1]);
 * ```
 */
export function voiLinear(values: Float64Array, { center, width }: VoiWindow): Float64Array {
  const low = center - 0.5 - (width - 1) / 2;
  const high = center - 0.5 + (width - 1) / 2;
  return values.map((x) => x <= low ? 0 : x > high ? 1 : (x - (center - 0.5)) / (width - 1) + 0.5);
}

/**
 * VOI LUT function LINEAR_EXACT: modality values → [0, 1], `width` being a length and not a count.
 *
 * DICOM PS3.3 C.11.2.1.3.2.
 */
export function voiLinearExact(values: Float64Array, { center, width }: VoiWindow): Float64Array {
  return values.map((x) => x <= center - width / 2 ? 0 : x > center + width / 2 ? 1 : (x - center) / width + 0.5);
}

/**
 * VOI LUT function SIGMOID: modality values → (0, 1).
 *
 * DICOM PS3.3 C.11.2.1.3.1. The 4 is the standard's; copies of the formula without it, or with a 2, are wrong.
 */
export function voiSigmoid(values: Float64Array, { center, width }: VoiWindow): Float64Array {
  return values.map((x) => 1 / (1 + Math.exp((-4 * (x - center)) / width)));
}

/** True where a window can be used: LINEAR counts whole values, so its width begins at 1. */
export function isUsable({ center, width }: VoiWindow, voiFunction: VoiFunction): boolean {
  return Number.isFinite(center) && Number.isFinite(width) && (voiFunction === "LINEAR" ? width >= 1 : width > 0);
}
