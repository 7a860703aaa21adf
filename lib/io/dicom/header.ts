import type { Laterality, PixelSpacing, View } from "../mammogram.ts";
import type { Keyword } from "./attributes.ts";
import { codeOf, type DataSet, numberOf, textsOf } from "./data_set.ts";
import { pseudonymsOf } from "./identity.ts";
import type { PixelLayout } from "./layout.ts";
import { magnificationOf, spacingOf } from "./spacing.ts";
import { type ViewFacts, viewFactsOf, type ViewModifier } from "./views.ts";
import * as words from "./words.ts";

/**
 * All that leaves a DICOM header: numbers, words from short lists, and salted hashes. There is no field for text, so no
 * name, date, institution or comment can pass, wherever a file hides it.
 */
export type DicomHeader = {
  /** Transfer syntax UID as the file says it; `""` where it says none, or none that DICOM defines. */
  readonly transferSyntax: string;
  /** The one that the pixels are really in, where the file is wrong. */
  readonly trueSyntax?: string;
  /** What kind of object the file is, in words; absent for kinds that hold no picture of this sort. */
  readonly object?: string;
  /** DICOM modality: `MG`, or `CR`, `CT` … */
  readonly modality?: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: "MONOCHROME1" | "MONOCHROME2";
  /** Whether a lossy coder was at work, as the file says or the transfer syntax implies. */
  readonly lossy: boolean;
  readonly presentationIntent?: "FOR PRESENTATION" | "FOR PROCESSING";
  /** Words of Image Type; those that DICOM does not define read `OTHER`. */
  readonly imageType: readonly string[];
  /** Maker of the device, where it is one of the known ones. */
  readonly vendor?: string;
  /** Salted hashes, 16 hex digits; absent without a salt. */
  readonly patient?: string;
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
  /** Years, at most 89. */
  readonly age?: number;
  readonly sex?: "F" | "M" | "O";
  readonly laterality?: Laterality;
  readonly view?: View;
  readonly viewModifiers: readonly ViewModifier[];
  /** Implant in the breast; absent where the file does not say. */
  readonly implant?: boolean;
  /** One of several pictures that together show a view. */
  readonly partialView: boolean;
  /** The picture shows no breast but a specimen. */
  readonly specimen: boolean;
  /** Where the rows and where the columns lead, in the letters of Patient Orientation: `["P", "FL"]`. */
  readonly orientation?: readonly [row: string, column: string];
  readonly spacing?: PixelSpacing;
  /** Breast at the detector to breast, 1 for contact. */
  readonly magnification?: number;
  /** How the exposure was made, each where the file says it. */
  readonly exposure: Exposure;
  /** Text may be burned into the pixels; absent where the file does not say. */
  readonly burnedInAnnotation?: boolean;
  /** A picture of a test object. */
  readonly qualityControl: boolean;
};

/** Technique of the exposure, in the units of the names. */
export type Exposure = {
  readonly kilovolts?: number;
  readonly microampereSeconds?: number;
  readonly anode?: string;
  readonly filter?: string;
  readonly thicknessMm?: number;
  readonly forceNewton?: number;
  readonly organDoseDecigray?: number;
  readonly angleDegrees?: number;
};

/** Picks the header out of a data set. */
export function headerOf(
  dataSet: DataSet,
  { layout, transferSyntax, trueSyntax, lossy, frame, salt }: {
    readonly layout: PixelLayout;
    readonly transferSyntax: string;
    readonly trueSyntax?: string | undefined;
    readonly lossy: boolean;
    readonly frame: number;
    readonly salt?: Uint8Array | undefined;
  },
): DicomHeader {
  const { bilateral: _, modifiers, ...view }: ViewFacts = viewFactsOf(dataSet, frame);
  const word = <T extends string>(keyword: Keyword, list: readonly T[]) => words.among(codeOf(dataSet, keyword), list);
  const intent = words.among(
    codeOf(dataSet, "PresentationIntentType"),
    ["FOR PRESENTATION", "FOR PROCESSING"] as const,
  );
  return {
    transferSyntax,
    ...some("trueSyntax", trueSyntax),
    ...some("object", words.objects.get(textsOf(dataSet, "SOPClassUID")[0] ?? "")),
    ...some("modality", word("Modality", words.modalities)),
    ...layout,
    lossy: lossy || codeOf(dataSet, "LossyImageCompression") === "01",
    ...some("presentationIntent", intent),
    imageType: textsOf(dataSet, "ImageType").slice(0, 8).map((text) =>
      words.among(text.toUpperCase(), words.imageTypes) ?? "OTHER"
    ),
    ...some("vendor", words.vendorOf(textsOf(dataSet, "Manufacturer")[0] ?? "")),
    ...pseudonymsOf(dataSet, salt),
    ...some("age", ageOf(dataSet)),
    ...some("sex", word("PatientSex", ["F", "M", "O"] as const)),
    ...view,
    viewModifiers: modifiers,
    ...some("implant", yesOrNo(codeOf(dataSet, "BreastImplantPresent"))),
    partialView: codeOf(dataSet, "PartialView") === "YES",
    ...some("orientation", orientationOf(dataSet)),
    ...some("spacing", spacingOf(dataSet, frame)),
    ...some("magnification", magnificationOf(dataSet)),
    exposure: exposureOf(dataSet),
    ...some("burnedInAnnotation", yesOrNo(codeOf(dataSet, "BurnedInAnnotation"))),
    qualityControl: codeOf(dataSet, "QualityControlImage") === "YES",
  };
}

function exposureOf(dataSet: DataSet): Exposure {
  const number = (keyword: Keyword, low: number, high: number) => {
    const value = numberOf(dataSet, keyword);
    return value !== undefined && value >= low && value <= high ? value : undefined;
  };
  const material = (keyword: Keyword) => words.among(codeOf(dataSet, keyword), words.materials);
  return {
    ...some("kilovolts", number("KVP", 5, 150)),
    ...some("microampereSeconds", number("ExposureInuAs", 1, 1e7)),
    ...some("anode", material("AnodeTargetMaterial")),
    ...some("filter", material("FilterMaterial")),
    ...some("thicknessMm", number("BodyPartThickness", 1, 300)),
    ...some("forceNewton", number("CompressionForce", 0, 1000)),
    ...some("organDoseDecigray", number("OrganDose", 0, 10)),
    ...some("angleDegrees", number("PositionerPrimaryAngle", -180, 180)),
  };
}

/**
 * Age in years (AS: three digits and D, W, M or Y). At most 89, as privacy rules want it; 0 is what anonymizers write.
 */
function ageOf(dataSet: DataSet): number | undefined {
  const found = /^(\d{1,3})([DWMY]?)$/.exec(codeOf(dataSet, "PatientAge"));
  if (!found) return undefined;
  const perYear = { D: 365.25, W: 52.18, M: 12 }[found[2] as string] ?? 1;
  const years = Math.floor(Number(found[1]) / perYear);
  return years > 0 && years <= 130 ? Math.min(89, years) : undefined;
}

function orientationOf(dataSet: DataSet): readonly [string, string] | undefined {
  const [row, column] = textsOf(dataSet, "PatientOrientation");
  const isDirection = (text: string | undefined): text is string => /^[AFHLPR]{1,3}$/.test(text ?? "");
  return isDirection(row) && isDirection(column) ? [row, column] : undefined;
}

const yesOrNo = (code: string): boolean | undefined => code === "YES" ? true : code === "NO" ? false : undefined;

/** A record with one field, or none where there is no value: absent fields are absent, not undefined. */
function some<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
