import type { Image } from "../image/mod.ts";

/** The breast that a film shows: DICOM (0020,0062) Image Laterality. */
export type Laterality = "L" | "R";

/** View positions, DICOM PS3.16 CID 4014. `AT` and `CV` are met in older files' (0018,5101). */
export const viewNames = [
  "CC",
  "MLO",
  "ML",
  "LM",
  "LMO",
  "FB",
  "SIO",
  "ISO",
  "XCC",
  "XCCL",
  "XCCM",
  "AT",
  "CV",
] as const;

/** One of {@linkcode viewNames}. */
export type View = typeof viewNames[number];

/** File formats that can be read. */
export type FileFormat = "dicom" | "png" | "pnm" | "jpeg";

/** What the file holds, exactly: one frame of numbers before any display step. */
export type StoredPixels = {
  /** `[rows, columns]` of one frame, sign-extended and masked to `bitsStored`. */
  readonly data: Uint8Array | Uint16Array | Int16Array;
  readonly rows: number;
  readonly columns: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Which frame this is, from 0. */
  readonly frame: number;
  /** How many frames the file has. */
  readonly frames: number;
};

/** The distance between pixel centres on the film, in millimetres, and where the number comes from. */
export type PixelSpacing = {
  readonly row: number;
  readonly column: number;
  /** `detector`: Imager Pixel Spacing; `calibrated`: Pixel Spacing after calibration; `user`: said by the caller. */
  readonly basis: "detector" | "calibrated" | "user";
};

/** One film with its facts. Nothing in it identifies a person. */
export type Mammogram = {
  /** Display values in 0..1, one channel, white is dense; `toSource` is the identity. */
  readonly image: Image;
  readonly view?: View;
  readonly laterality?: Laterality;
  readonly spacing?: PixelSpacing;
  /** How 0..1 was made from the stored values, in words: `"VOI LUT 1"`, `"window NORMAL (SIGMOID)"`, `"0..4095"`. */
  readonly display: { readonly method: string };
  /** A salted hash of the patient's number, or a name from the file name; absent when unknown. */
  readonly patient?: string;
  readonly patientFrom: "PatientID" | "file name" | "unknown";
  /** Years, at most 89. */
  readonly age?: number;
  /** One sentence each. */
  readonly warnings: readonly string[];
  readonly source: { readonly file: string; readonly format: FileFormat; readonly frame: number };
};
