import { codeOf, type DataSet, wordsOf } from "./data_set.ts";
import { type PixelLayout, storedRangeOf } from "./layout.ts";
import { lookUp } from "./lut.ts";
import { modalityValues } from "./modality.ts";
import { voiFunctions } from "./voi.ts";
import { chooseVoi, type Voi, type VoiChoice, voiOffer } from "./voi_choice.ts";

/** How a frame is shown: a display value for each possible stored value. */
export type Display = {
  /** 0 (black) to 1 (white), from the lowest stored value on. */
  readonly table: Float32Array;
  /** The stored value that `table[0]` belongs to. */
  readonly lowest: number;
  /** In words: `"VOI LUT 1 (NORMAL)"`, `"window 1 (SIGMOID)"`, `"0..4095, inverted"`. */
  readonly method: string;
  readonly warnings: readonly string[];
};

/**
 * Makes the way from stored to display values, in the standard's order, which must not change: modality → VOI → one
 * inversion → padding to black (DICOM PS3.3 C.11, C.7.6.3.1.2, C.7.5.1.1.2). All steps depend on the stored value alone,
 * so they are done once for each possible value, and a film is then shown by one look a pixel.
 */
export function displayOf(
  dataSet: DataSet,
  layout: PixelLayout,
  { frame, voi }: { readonly frame: number; readonly voi?: VoiChoice | undefined },
): Display {
  const modality = modalityValues(dataSet, layout, frame);
  const offer = voiOffer(dataSet, frame, modality.signed);
  const chosen = chooseVoi(offer, voi);
  const polarity = polarityOf(dataSet, layout);
  const shown = applyVoi(modality.values, modality.range, chosen);
  const [lowest] = storedRangeOf(layout);
  const table = new Float32Array(polarity.inverted ? shown.values.map((y) => 1 - y) : shown.values);
  const padding = paddingOf(dataSet, layout);
  if (padding) table.fill(0, Math.max(0, padding.from - lowest), Math.max(0, padding.to - lowest + 1));
  return {
    table,
    lowest,
    method: polarity.inverted ? `${shown.method}, inverted` : shown.method,
    warnings: [...modality.warnings, ...offer.warnings, ...shown.warnings, ...polarity.warnings],
  };
}

/** Display values of stored ones. @param into for the result, as long as `stored` */
export function show(
  stored: Uint8Array | Uint16Array | Int16Array,
  { table, lowest }: Pick<Display, "table" | "lowest">,
  into: Float32Array = new Float32Array(stored.length),
): Float32Array {
  for (let i = 0; i < into.length; i++) into[i] = table[(stored[i] as number) - lowest] as number;
  return into;
}

function applyVoi(
  values: Float64Array,
  [low, high]: readonly [number, number],
  voi: Voi,
): { readonly values: Float64Array; readonly method: string; readonly warnings: readonly string[] } {
  switch (voi.kind) {
    case "lut": {
      const { lut, name } = voi.lut;
      const top = 2 ** lut.bits - 1; // not the largest entry: a LUT may end in grey on purpose
      const above = lut.entries.some((entry) => entry > top);
      return {
        values: lookUp(values, lut).map((entry) => Math.min(1, entry / top)),
        method: `VOI LUT ${voi.number}${name ? ` (${name})` : ""}`,
        warnings: above ? [`VOI LUT ${voi.number} holds entries above its ${lut.bits} bits; they were clamped`] : [],
      };
    }
    case "window": {
      const { window, number } = voi;
      const name = window.name ?? number ?? `${window.center}/${window.width}`;
      return {
        values: voiFunctions[window.function](values, window),
        method: `window ${name} (${window.function})`,
        warnings: [],
      };
    }
    case "range":
      return {
        values: values.map((x) => Math.min(1, (x - low) / (high - low))),
        method: `${low}..${high}`,
        warnings: [],
      };
  }
}

/**
 * MONOCHROME1 means that the smallest value is white, after the VOI. Presentation LUT Shape INVERSE is the same inversion
 * said again, never a second one.
 */
function polarityOf(dataSet: DataSet, { photometric }: PixelLayout) {
  const shape = codeOf(dataSet, "PresentationLUTShape");
  const inverse = photometric === "MONOCHROME1";
  if (shape === "INVERSE" && !inverse) {
    return { inverted: true, warnings: ["Presentation LUT Shape is INVERSE though MONOCHROME2; inverted"] };
  }
  const warnings = shape === "IDENTITY" && inverse
    ? ["Presentation LUT Shape is IDENTITY though MONOCHROME1; inverted, have a look whether the background is black"]
    : [];
  return { inverted: inverse, warnings };
}

/** The stored values that mean "no image here", both ends included, in either order in the file. */
function paddingOf(dataSet: DataSet, { signed }: PixelLayout) {
  const value = (keyword: "PixelPaddingValue" | "PixelPaddingRangeLimit") => {
    const word = wordsOf(dataSet, keyword)[0];
    return word !== undefined && signed ? (word << 16) >> 16 : word;
  };
  const one = value("PixelPaddingValue");
  if (one === undefined) return undefined;
  const other = value("PixelPaddingRangeLimit") ?? one;
  return { from: Math.min(one, other), to: Math.max(one, other) };
}
