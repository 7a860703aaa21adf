// What a decoding process does with the bytes of a file; also done in this process, for files that we made ourselves.
import { createHash } from "node:crypto";
import { MammolabError } from "../base/mod.ts";
import { decodeJpeg } from "./decode_jpeg.ts";
import { decodePng } from "./decode_png.ts";
import { decodePnm } from "./decode_pnm.ts";
import { type DicomHeader, dicomStatistics, type Display, readDicomFrame, type VoiChoice } from "./dicom/mod.ts";
import type { Limits } from "./limits.ts";
import type { FileFormat } from "./mammogram.ts";
import type { GreyPicture } from "./picture.ts";

/** A file to load or to inspect. */
export type DecodeJob = {
  readonly kind: "load" | "inspect";
  readonly file: string;
  readonly format: FileFormat;
  readonly limits: Limits;
  readonly frame?: number;
  readonly voi?: VoiChoice;
  readonly salt?: Uint8Array;
  /** Also stored values on a grid, to compare with other readers. */
  readonly probes?: boolean;
};

/** One frame, ready to be shown: as it is stored, because half as many bytes then cross to the process that wants it. */
export type Loaded = {
  /** `[height, width]` */
  readonly stored: Uint8Array | Uint16Array | Int16Array;
  /** A table over the stored values; of pictures only the value that is white, because the rest is a straight line. */
  readonly display: Pick<Display, "table" | "lowest" | "method"> | { readonly white: number; readonly method: string };
  readonly height: number;
  readonly width: number;
  readonly frame: number;
  readonly header?: DicomHeader;
  readonly warnings: readonly string[];
};

/** Least, largest and mean value. */
export type Range = { readonly min: number; readonly max: number; readonly mean: number };

/** `[frame, row, column, stored value]` */
export type Probe = readonly [frame: number, row: number, column: number, value: number];

/** The stored values of all frames in figures. */
export type StoredFigures = Range & {
  /** Over the values, frame after frame, as little-endian int16, uint16, or uint8 where they are unsigned and have 8 bits. */
  readonly sha256: string;
  /** On a 5 × 5 grid of the first and the last frame, where they were asked for. */
  readonly probes?: readonly Probe[];
};

/** The display values of all frames, 0 to 1, in figures, and how they were made. */
export type DisplayFigures = Range & { readonly method: string };

/** A file in figures. */
export type Inspected = {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly header?: DicomHeader;
  readonly stored: StoredFigures;
  readonly display: DisplayFigures;
  readonly warnings: readonly string[];
};

/** Does one job with all bytes of its file. */
export async function work(job: DecodeJob, bytes: Uint8Array): Promise<Loaded | Inspected> {
  if (job.format === "dicom") return job.kind === "load" ? await loadDicom(job, bytes) : await inspectDicom(job, bytes);
  const { file, format, limits, frame = 0, voi } = job;
  if (frame !== 0) {
    throw new MammolabError(`Cannot read ${file}: it has no frame ${frame}, it holds one picture; leave the frame out`);
  }
  const picture = await naming(file, async () => await decoders[format](bytes, limits));
  const shown = shownOver(picture);
  const ignored = voi === undefined ? [] : ["The window was not used: only DICOM files have windows"];
  const warnings = [...picture.warnings, ...shown.warnings, ...ignored];
  return job.kind === "load"
    ? loadedPicture(picture, { ...shown, warnings })
    : inspectedPicture(picture, { ...shown, warnings, probes: job.probes ?? false });
}

/** The decoders of pictures are given bytes and no name. */
async function naming<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof MammolabError)) throw error;
    throw new MammolabError(error.message.replace(/^Cannot read the \w+: /, `Cannot read ${file}: `), { cause: error });
  }
}

const decoders = { png: decodePng, pnm: decodePnm, jpeg: decodeJpeg } as const;

type Shown = { readonly top: number; readonly method: string; readonly warnings: readonly string[] };

/**
 * The stored value that is shown as white. Many 16-bit exports of mammograms hold 12 bits: over 0..65535 they would be black
 * (mean 54 of 4095 instead of 858, measured on a public exam).
 */
function shownOver({ data, white }: GreyPicture): Shown {
  const narrow = white === 65535 && !reaches(data, 4096);
  const top = narrow ? 4095 : white;
  const warnings = narrow ? ["No value is above 4095: shown over 0..4095, not over all 16 bits"] : [];
  return { top, method: `0..${top}`, warnings };
}

function reaches(data: Uint8Array | Uint16Array, value: number): boolean {
  for (let i = 0; i < data.length; i++) if (data[i]! >= value) return true;
  return false;
}

function loadedPicture({ data, height, width }: GreyPicture, { top, method, warnings }: Shown): Loaded {
  return { stored: data, display: { white: top, method }, height, width, frame: 0, warnings };
}

function inspectedPicture(
  { data, height, width, bits }: GreyPicture,
  { top, method, warnings, probes }: Shown & { readonly probes: boolean },
): Inspected {
  const { min, max, mean } = rangeOf(data);
  const sha256 = createHash("sha256").update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest(
    "hex",
  );
  const grid = probes ? { probes: probesOf(data, { height, width, frame: 0 }) } : {};
  return {
    rows: height,
    columns: width,
    frames: 1,
    bitsStored: bits,
    signed: false,
    stored: { min, max, mean, sha256, ...grid },
    display: { min: min / top, max: max / top, mean: mean / top, method },
    warnings,
  };
}

async function loadDicom({ file, limits, frame, voi, salt }: DecodeJob, bytes: Uint8Array): Promise<Loaded> {
  const { stored, display, header, warnings } = await readDicomFrame(bytes, { file, limits, frame, voi, salt });
  const { table, lowest, method } = display;
  const { data, rows, columns } = stored;
  const shown = { table, lowest, method };
  return { stored: data, display: shown, height: rows, width: columns, frame: stored.frame, header, warnings };
}

async function inspectDicom({ file, limits, voi, probes }: DecodeJob, bytes: Uint8Array): Promise<Inspected> {
  const { header, stored, display, warnings } = await dicomStatistics(bytes, { file, limits, voi });
  const { rows, columns, frames, bitsStored, signed } = header;
  const found: Probe[] = [];
  for (const frame of probes ? new Set([0, frames - 1]) : []) {
    const { stored: { data } } = await readDicomFrame(bytes, { file, limits, frame });
    found.push(...probesOf(data, { height: rows, width: columns, frame }));
  }
  const grid = probes ? { probes: found } : {};
  return { rows, columns, frames, bitsStored, signed, header, stored: { ...stored, ...grid }, display, warnings };
}

function rangeOf(data: Uint8Array | Uint16Array): Range {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of data) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, max, mean: sum / data.length };
}

/** 5 × 5 points from corner to corner. */
function probesOf(
  data: ArrayLike<number>,
  { height, width, frame }: { readonly height: number; readonly width: number; readonly frame: number },
): readonly Probe[] {
  const along = (length: number) => [0, 1, 2, 3, 4].map((k) => Math.floor(((length - 1) * k) / 4));
  return along(height).flatMap((row) =>
    along(width).map((column): Probe => [frame, row, column, data[row * width + column] as number])
  );
}
