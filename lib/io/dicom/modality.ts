import { type DataSet, itemsOf, numberOf } from "./data_set.ts";
import { groupOf } from "./functional_groups.ts";
import { type PixelLayout, storedRangeOf } from "./layout.ts";
import { lookUp, readLut } from "./lut.ts";

/** Modality values of every possible stored value. */
export type ModalityValues = {
  /** One for each stored value, from the lowest on. */
  readonly values: Float64Array;
  /** Smallest and largest value that is possible, whatever the picture holds. */
  readonly range: readonly [low: number, high: number];
  /** The values may be negative, so that a VOI LUT's first input is a signed word. */
  readonly signed: boolean;
};

/**
 * Stored → modality values: the Modality LUT if there is one, else slope and intercept (DICOM PS3.3 C.11.1). A negative
 * slope inverts the picture by itself.
 */
export function modalityValues(
  dataSet: DataSet,
  layout: PixelLayout,
  frame: number,
): ModalityValues & { readonly warnings: readonly string[] } {
  const [low, high] = storedRangeOf(layout);
  const stored = new Float64Array(high - low + 1).map((_, i) => low + i);
  const item = itemsOf(dataSet, "ModalityLUTSequence")[0];
  const lut = item && readLut(item, layout.signed);
  if (lut) {
    return { values: lookUp(stored, lut), range: [0, 2 ** lut.bits - 1], signed: false, warnings: [] };
  }
  const warnings = item ? ["The Modality LUT is shorter than it says and was not used"] : [];
  const of = (keyword: "RescaleSlope" | "RescaleIntercept") =>
    numberOf(groupOf(dataSet, frame, "PixelValueTransformationSequence", keyword), keyword);
  const slope = of("RescaleSlope") || 1; // a slope of 0 would make every film one value
  const intercept = of("RescaleIntercept") ?? 0;
  const values = stored.map((x) => x * slope + intercept);
  const ends = [low * slope + intercept, high * slope + intercept];
  const range = [Math.min(...ends), Math.max(...ends)] as const;
  return { values, range, signed: layout.signed || range[0] < 0, warnings };
}
