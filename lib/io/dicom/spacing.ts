import type { PixelSpacing } from "../mammogram.ts";
import type { Keyword } from "./attributes.ts";
import { type DataSet, numberOf, numbersOf } from "./data_set.ts";
import { groupOf } from "./functional_groups.ts";

/**
 * The distance between pixel centres, in millimetres, with where it was said.
 *
 * Imager Pixel Spacing lies at the detector and is always there in mammography; in the breast it is smaller by the
 * magnification, which is told apart because some vendors divide already. Pixel Spacing is taken where there is nothing
 * else (tomosynthesis, slices stored as CT), the scanner's spacing for digitized film. Row spacing comes first in all.
 */
export function spacingOf(dataSet: DataSet, frame: number): PixelSpacing | undefined {
  const detector = pairOf(dataSet, "ImagerPixelSpacing") ?? pairOf(dataSet, "NominalScannedPixelSpacing");
  if (detector) return { ...detector, basis: "detector" };
  const calibrated = pairOf(groupOf(dataSet, frame, "PixelMeasuresSequence", "PixelSpacing"), "PixelSpacing");
  if (calibrated) return { ...calibrated, basis: "calibrated" };
  const film = plausible(numberOf(dataSet, "SpatialResolution"));
  return film === undefined ? undefined : { row: film, column: film, basis: "detector" };
}

/** How much larger the breast is at the detector than it is: a contact view has 1.0 to 1.1. */
export function magnificationOf(dataSet: DataSet): number | undefined {
  const said = numberOf(dataSet, "EstimatedRadiographicMagnificationFactor");
  const toDetector = numberOf(dataSet, "DistanceSourceToDetector");
  const toPatient = numberOf(dataSet, "DistanceSourceToPatient");
  const factor = said ?? (toDetector && toPatient ? toDetector / toPatient : undefined);
  return factor !== undefined && factor >= 1 && factor <= 4 ? factor : undefined;
}

function pairOf(dataSet: DataSet, keyword: Keyword): { readonly row: number; readonly column: number } | undefined {
  const [row, column = row] = numbersOf(dataSet, keyword).map(plausible);
  return row !== undefined && column !== undefined ? { row, column } : undefined;
}

/** Pixels of films and detectors are 0.02 to 0.2 mm; anything between a micrometre and a centimetre is let through. */
const plausible = (value: number | undefined): number | undefined =>
  value !== undefined && value >= 0.001 && value <= 10 ? value : undefined;
