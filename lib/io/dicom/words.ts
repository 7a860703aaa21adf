/** The words that may leave a header. Anything that is not in one of these lists stays in the file. @module */

/** The word where the list has it. */
export function among<T extends string>(word: string, list: readonly T[]): T | undefined {
  return list.find((each) => each === word);
}

/** DICOM PS3.3 C.7.3.1.1.1, those of images. */
export const modalities: readonly string[] =
  ("BI BMD CR CT DG DX ECG EPS ES GM HD IO IVOCT IVUS LS MG MR NM OAM OCT OP OPM OPT OPV OT PT PX RF RG RTIMAGE SC SM " +
    "SMR TG US VA XA XC").split(" ");

/** Words of Image Type (PS3.3 C.7.6.1.1.2, C.8.11.7.1.4, C.8.21.3.1.1 and those of slices). */
export const imageTypes: readonly string[] = [
  "",
  ..."ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER NONE PROJECTION TOMO TOMOSYNTHESIS VOLUME GENERATED_2D".split(
    " ",
  ),
  ..."STEREO STEREO_SCOUT STEREO_MINUS STEREO_PLUS LEFT RIGHT SCOUT SPECIMEN POST_PROCESSED POST_CONTRAST".split(" "),
  ..."PRE_CONTRAST LOW_ENERGY HIGH_ENERGY SUBTRACTION RECOMBINED MIXED MAXIMUM MINIMUM MEAN OTHER".split(" "),
];

/** Anode and filter materials (CID 10016 and 10007 as words). */
export const materials: readonly string[] =
  "MOLYBDENUM RHODIUM TUNGSTEN SILVER ALUMINUM COPPER BERYLLIUM TITANIUM NIOBIUM NONE MIXED".split(" ");

/** SOP classes of pictures that are met beside mammograms (PS3.4 B.5). */
export const objects: ReadonlyMap<string, string> = new Map(
  ([
    ["1.2", "mammography for presentation"],
    ["1.2.1", "mammography for processing"],
    ["13.1.3", "breast tomosynthesis"],
    ["13.1.4", "breast projection for presentation"],
    ["13.1.5", "breast projection for processing"],
    ["1", "computed radiography"],
    ["1.1", "digital radiography for presentation"],
    ["1.1.1", "digital radiography for processing"],
    ["2", "computed tomography"],
    ["4", "magnetic resonance"],
    ["4.1", "magnetic resonance, enhanced"],
    ["6.1", "ultrasound"],
    ["7", "secondary capture"],
    ["7.1", "secondary capture, 1 bit"],
    ["7.2", "secondary capture, 8 bits"],
    ["7.3", "secondary capture, 16 bits"],
    ["7.4", "secondary capture, color"],
    ["12.1", "angiography"],
    ["12.2", "fluoroscopy"],
    ["20", "nuclear medicine"],
  ] as const).map(([end, name]) => [`1.2.840.10008.5.1.4.1.1.${end}`, name]),
);

/** Makers of mammography devices and film scanners, by the word that their Manufacturer text holds. */
export function vendorOf(manufacturer: string): string | undefined {
  return vendors.find(([, pattern]) => pattern.test(manufacturer))?.[0];
}

const vendors: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["mammolab", /^mammolab\b/i],
  ["GE", /^(GE\b|GEMS\b|general electric\b)/i],
  ["Siemens", /^siemens\b/i],
  ["Hologic", /^(hologic|lorad)\b/i],
  ["Fujifilm", /^fuji/i],
  ["Philips", /^(philips|sectra)\b/i],
  ["Planmed", /^planmed\b/i],
  ["IMS Giotto", /^(I\.?M\.?S\b|giotto\b)/i],
  ["Agfa", /^agfa\b/i],
  ["Konica Minolta", /^konica\b/i],
  ["Carestream", /^(carestream|kodak|eastman)\b/i],
  ["Metaltronica", /^metaltronica\b/i],
  ["Canon", /^(canon|toshiba)\b/i],
  ["Shimadzu", /^shimadzu\b/i],
  ["Fischer", /^fischer\b/i],
  ["Lumisys", /^lumisys\b/i],
  ["Howtek", /^howtek\b/i],
];
