import { hashKey } from "../../base/mod.ts";
import type { DicomDataSet, DicomElement } from "../../io/mod.ts";
import { white } from "./film.ts";
import type { PhantomExam } from "./phantom.ts";
import type { PhantomView } from "./render.ts";

/** What every file says of itself. */
export const notAPatient = "Synthetic phantom made by a program, not a patient. Not for diagnosis. " +
  "What is learned from it says nothing about patients.";

/** A date that nobody takes for a real one; files of a seed are the same whenever they are made. */
const date = "20000101";
const time = "000000";

/**
 * A film as a data set of Digital Mammography X-Ray Image Storage, For Presentation (PS3.3 A.27). Sequences, codes and the
 * attributes that may be empty are those without which dciodvfy reports an error.
 */
export function phantomDataSet(exam: PhantomExam, film: PhantomView): DicomDataSet {
  return [
    ...identification(exam, film),
    ...acquisition(exam, film),
    ...pixelDescription(film),
    [0x7fe0_0010, "OW", film.pixels],
  ];
}

function identification({ id, plan }: PhantomExam, { laterality, view, mm }: PhantomView): DicomElement[] {
  const uid = (kind: string) => uidOf(JSON.stringify(plan), mm, kind); // other pixels, other numbers
  const film = `${laterality} ${view}`;
  const number = { "L CC": 1, "L MLO": 2, "R CC": 3, "R MLO": 4 }[film]!;
  return [
    [0x0008_0005, "CS", "ISO_IR 192"],
    [0x0008_0008, "CS", ["DERIVED", "PRIMARY"]],
    [0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.1.2"],
    [0x0008_0018, "UI", uid(film)],
    [0x0008_0020, "DA", date],
    [0x0008_0023, "DA", date],
    [0x0008_0030, "TM", time],
    [0x0008_0033, "TM", time],
    [0x0008_0050, "SH", ""],
    [0x0008_0060, "CS", "MG"],
    [0x0008_0068, "CS", "FOR PRESENTATION"],
    [0x0008_0070, "LO", "mammolab"],
    [0x0008_0090, "PN", ""],
    [0x0008_103e, "LO", `Synthetic phantom ${film}`],
    [0x0008_1090, "LO", "phantom"],
    [0x0008_2111, "ST", notAPatient],
    [0x0008_2218, "SQ", [code("76752008", "Breast")]], // Anatomic Region Sequence
    [0x0010_0010, "PN", `PHANTOM^${id}`],
    [0x0010_0020, "LO", `PHANTOM ${id}`],
    [0x0010_0030, "DA", ""],
    [0x0010_0040, "CS", "F"],
    [0x0010_1010, "AS", `${String(plan.age).padStart(3, "0")}Y`],
    [0x0012_0062, "CS", "YES"], // Patient Identity Removed, which asks for the method
    [0x0012_0063, "LO", "never was a person"],
    [0x0020_000d, "UI", uid("study")],
    [0x0020_000e, "UI", uid("series")],
    [0x0020_0010, "SH", id],
    [0x0020_0011, "IS", "1"],
    [0x0020_0013, "IS", String(number)],
  ];
}

function acquisition({ plan }: PhantomExam, { laterality, view, mm }: PhantomView): DicomElement[] {
  const spacing = [String(mm), String(mm)];
  // row direction, column direction: towards the nipple is A in a left breast drawn with the chest wall on the left
  const orientation = { L: { CC: ["A", "R"], MLO: ["A", "FR"] }, R: { CC: ["P", "L"], MLO: ["P", "FL"] } };
  const views = { CC: code("399162004", "cranio-caudal"), MLO: code("399368009", "medio-lateral oblique") };
  return [
    [0x0018_0015, "CS", "BREAST"],
    [0x0018_1114, "DS", "1"], // Estimated Radiographic Magnification Factor
    [0x0018_1164, "DS", spacing],
    [0x0018_11a0, "DS", plan.shape.thickness.toFixed(1)], // Body Part Thickness
    [0x0018_1508, "CS", "MAMMOGRAPHIC"],
    [0x0018_1510, "DS", view === "CC" ? "0" : plan.shape.obliqueDegrees.toFixed(1)],
    [0x0018_5101, "CS", view],
    [0x0018_7004, "CS", plan.technique.kind === "film" ? "FILM" : "DIRECT"],
    [0x0018_7030, "DS", ["0", "0"]], // Field of View Origin … Rotation, Horizontal Flip
    [0x0018_7032, "DS", "0"],
    [0x0018_7034, "CS", "NO"],
    [0x0020_0020, "CS", orientation[laterality][view]],
    [0x0020_0062, "CS", laterality], // Image Laterality; Laterality beside it would be an error
    [0x0040_0318, "CS", "BREAST"], // Organ Exposed
    [0x0040_0555, "SQ", []], // Acquisition Context Sequence
    [0x0054_0220, "SQ", [[...views[view], [0x0054_0222, "SQ", []]]]], // View Code Sequence with no modifier
  ];
}

function pixelDescription({ width, height, mm }: PhantomView): DicomElement[] {
  return [
    [0x0028_0002, "US", 1],
    [0x0028_0004, "CS", "MONOCHROME2"],
    [0x0028_0010, "US", height],
    [0x0028_0011, "US", width],
    [0x0028_0030, "DS", [String(mm), String(mm)]],
    [0x0028_0100, "US", 16],
    [0x0028_0101, "US", 12],
    [0x0028_0102, "US", 11],
    [0x0028_0103, "US", 0],
    [0x0028_0300, "CS", "NO"], // Quality Control Image: it stands for a patient's film
    [0x0028_0301, "CS", "NO"],
    [0x0028_0a02, "CS", "GEOMETRY"], // Pixel Spacing Calibration Type
    [0x0028_0a04, "LO", "drawn at this size"],
    [0x0028_1040, "CS", "LOG"],
    [0x0028_1041, "SS", -1],
    [0x0028_1050, "DS", String((white + 1) / 2)],
    [0x0028_1051, "DS", String(white + 1)],
    [0x0028_1052, "DS", "0"],
    [0x0028_1053, "DS", "1"],
    [0x0028_1054, "LO", "US"],
    [0x0028_1056, "CS", "LINEAR"],
    [0x0028_1300, "CS", "NO"], // Breast Implant Present
    [0x0028_1350, "CS", "NO"], // Partial View
    [0x0028_2110, "CS", "00"],
    [0x2050_0020, "CS", "IDENTITY"],
  ];
}

/** A code of SNOMED CT with its meaning. */
function code(value: string, meaning: string): DicomDataSet {
  return [[0x0008_0100, "SH", value], [0x0008_0102, "SH", "SCT"], [0x0008_0104, "LO", meaning]];
}

/** `2.25.` and a number of 128 bits (PS3.5 B.2), here a hash instead of a random UUID, so that the bytes are the same each time. */
function uidOf(...key: readonly (number | string)[]): string {
  const bits = hashKey(["phantom uid", ...key]).reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
  return `2.25.${bits}`;
}
