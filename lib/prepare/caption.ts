import type { DrawnStep, Step } from "./pipeline.ts";

/**
 * What was drawn, in a few words: below a picture of a contact sheet.
 *
 * @example
 * ```ts
 * import { captionOf } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const drawn = [
 *   { name: "affine", parameters: { degrees: -11.62, factor: 1.0513 } },
 *   { name: "gamma", parameters: { gamma: 0.953 } },
 * ] as const;
 * assertEquals(captionOf(drawn), "affine degrees -12, factor 1.1; gamma 0.95");
 * ```
 */
export function captionOf(drawn: readonly DrawnStep[]): string {
  if (drawn.length === 0) return "as prepared";
  return drawn.map(({ name, parameters }) => `${name} ${wordsOf(parameters)}`).join("; ");
}

/** Numbers with two digits; what is 0 changes nothing, and the only number needs no name. */
function wordsOf(parameters: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(parameters).filter(([key, value]) => key !== "seed" && value !== 0);
  const short = (value: unknown) =>
    typeof value === "number" ? Number(value.toPrecision(2)) : Array.isArray(value) ? value.length : String(value);
  const numbers = told.filter(([, value]) => typeof value === "number").length;
  return told.map(([key, value]) => typeof value === "number" && numbers > 1 ? `${key} ${short(value)}` : short(value))
    .join(", ");
}

/**
 * What may be done to a film for training without making another finding of it: it is turned, shifted and scaled a little, its
 * brightness and contrast vary as between machines, and a little noise is added. No flip upside down, no hue: there are no
 * such films.
 */
export const mildAugmentations: readonly Step[] = [
  {
    name: "affine",
    options: {
      rotation: { degrees: 10 },
      translation: { x: 0.04, y: 0.04 },
      scale: { low: 0.92, high: 1.08 },
      shear: { x: 4 },
    },
  },
  { name: "brightness", options: { strength: 0.1 }, probability: 0.5 },
  { name: "contrast", options: { strength: 0.15 }, probability: 0.5 },
  { name: "gamma", options: { low: 0.85, high: 1.18 }, probability: 0.5 },
  { name: "noise", options: { kind: "gaussian", low: 0.002, high: 0.02 }, probability: 0.5 },
];
