/**
 * DICOM bytes → pixels and an allow-list of facts. Pure functions over bytes; files from outside are given to them in a
 * child process (lib/io), because a decoder may hang on a hostile one.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { MammolabError } from "../../base/mod.ts";
import { defaultLimits } from "../limits.ts";
import type { StoredPixels } from "../mammogram.ts";
import { type Display, displayOf, show } from "./display.ts";
import type { DicomHeader } from "./header.ts";
import type { DicomLimits } from "./layout.ts";
import { middleOf, openDicom } from "./open.ts";
import { refuse } from "./refuse.ts";
import type { Stored } from "./stored.ts";
import type { VoiChoice } from "./voi_choice.ts";

export { looksLikeDicom } from "./container.ts";
export { type Display, show } from "./display.ts";
export type { DicomHeader, Exposure } from "./header.ts";
export type { DicomLimits } from "./layout.ts";
export type { ViewModifier } from "./views.ts";
export type { VoiFunction, VoiWindow } from "./voi.ts";
export type { VoiChoice } from "./voi_choice.ts";

/** How to read a DICOM file. */
export type DicomOptions = {
  /** Which frame of a file of many, from 0; the middle one if left out, with a warning. */
  readonly frame?: number | undefined;
  /** Which display setting; if left out the first VOI LUT, else the first window, else all possible values. */
  readonly voi?: VoiChoice | undefined;
  /** What to spend at most; what {@linkcode defaultLimits} says if left out. */
  readonly limits?: DicomLimits | undefined;
  /** Secret bytes for the hashes of patient, study, series and instance; without them there are none. */
  readonly salt?: Uint8Array | undefined;
  /** How sentences name the file; `"the DICOM file"` if left out. */
  readonly file?: string | undefined;
};

/** One frame of a DICOM file. */
export type DicomFilm = {
  readonly stored: StoredPixels;
  /** `[rows, columns]`, 0 (black) to 1 (white); padding is 0. */
  readonly display: Float32Array;
  /** How the display values were made, in words: `"VOI LUT 1 (NORMAL)"`. */
  readonly displayMethod: string;
  readonly header: DicomHeader;
  /** One sentence each. */
  readonly warnings: readonly string[];
};

/** Figures over all frames of a file, for comparing a copy or another reader with it. */
export type DicomStatistics = {
  readonly header: DicomHeader;
  readonly warnings: readonly string[];
  readonly stored: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    /** Of all stored values, frame after frame, as little-endian int16, uint16, or uint8 for unsigned cells of 8 bits. */
    readonly sha256: string;
  };
  readonly display: { readonly min: number; readonly max: number; readonly mean: number; readonly method: string };
};

/** One frame of a DICOM file as it is stored, and the way from there to what is shown. */
export type DicomFrame = Omit<DicomFilm, "display" | "displayMethod"> & {
  /** A display value for each possible stored value: {@linkcode show} puts them in place. */
  readonly display: Display;
};

/**
 * Reads one frame: stored values exactly, and display values by the rules of DICOM PS3.3 C.11.
 *
 * @param bytes the whole file
 * @throws MammolabError "Cannot read FILE: …" for anything that is not a grey DICOM image, is damaged, promises more than
 * the limits allow, or has no such frame or display setting; never with a value of the header in it
 */
export async function readDicom(bytes: Uint8Array, options: DicomOptions = {}): Promise<DicomFilm> {
  const { display, ...film } = await readDicomFrame(bytes, options);
  return { ...film, display: show(film.stored.data, display), displayMethod: display.method };
}

/**
 * Reads one frame without showing it: half as many bytes as {@linkcode readDicom} gives, for sending to another process.
 *
 * @throws MammolabError as {@linkcode readDicom} does
 */
export function readDicomFrame(bytes: Uint8Array, options: DicomOptions = {}): Promise<DicomFrame> {
  return naming(options, async () => {
    const { dataSet, layout, header, warnings, readStored } = await open(bytes, options);
    const frame = options.frame ?? middleOf(layout);
    if (!Number.isInteger(frame) || frame < 0 || frame >= layout.frames) {
      refuse(`it has no frame ${frame}, its frames are 0 to ${layout.frames - 1}; choose one of them`);
    }
    const display = displayOf(dataSet, layout, { frame, voi: options.voi });
    const stored = await readStored(frame);
    const { rows, columns, frames, bitsStored, signed } = layout;
    return {
      stored: { data: stored.data, rows, columns, bitsStored, signed, frame, frames },
      display,
      header,
      warnings: [
        ...(options.frame === undefined && frames > 1 ? [`Frame ${frame} of ${frames} was taken, the middle one`] : []),
        ...warnings,
        ...display.warnings,
        ...clampWarning(stored.clamped),
      ],
    };
  });
}

/**
 * Reads all frames, one at a time, and sums them up.
 *
 * @throws MammolabError as {@linkcode readDicom} does
 */
export function dicomStatistics(
  bytes: Uint8Array,
  options: Omit<DicomOptions, "frame"> = {},
): Promise<DicomStatistics> {
  return naming(options, async () => {
    const { dataSet, layout, header, warnings, readStored } = await open(bytes, options);
    const hash = createHash("sha256");
    const stored = emptySummary();
    const shown = emptySummary();
    const said = new Set(warnings);
    let clamped = 0;
    let method = "";
    for (let frame = 0; frame < layout.frames; frame++) {
      const display = displayOf(dataSet, layout, { frame, voi: options.voi });
      const values = await readStored(frame);
      hash.update(new Uint8Array(values.data.buffer, values.data.byteOffset, values.data.byteLength));
      addUp(stored, shown, values, display);
      display.warnings.forEach((warning) => said.add(warning));
      clamped += values.clamped;
      if (frame === middleOf(layout)) method = display.method;
    }
    return {
      header,
      warnings: [...said, ...clampWarning(clamped)],
      stored: { ...meanOf(stored), sha256: hash.digest("hex") },
      display: { ...meanOf(shown), method },
    };
  });
}

function open(bytes: Uint8Array, { limits = defaultLimits, salt, frame }: DicomOptions) {
  return openDicom(bytes, { limits, salt, frame });
}

/** Puts the file's name before what went wrong; what no check foresaw becomes a sentence too. */
async function naming<T>({ file = "the DICOM file" }: DicomOptions, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const reason = error instanceof MammolabError
      ? error.message
      : "it is damaged in a way that the reader did not foresee; copy or export it again";
    throw new MammolabError(`Cannot read ${file}: ${reason}`, { cause: error });
  }
}

const clampWarning = (clamped: number): readonly string[] =>
  clamped > 0 ? [`The lossy coder left the range of the stored bits in ${clamped} pixels; they were clamped`] : [];

type Summary = { min: number; max: number; sum: number; count: number };

const emptySummary = (): Summary => ({ min: Infinity, max: -Infinity, sum: 0, count: 0 });
const meanOf = ({ min, max, sum, count }: Summary) => ({ min, max, mean: sum / count });

/** Counts how often each stored value occurs, so that both summaries need one pass over the pixels. */
function addUp(
  stored: Summary,
  shown: Summary,
  { data }: Stored,
  display: { table: Float32Array; lowest: number },
): void {
  const { table, lowest } = display;
  const counts = new Float64Array(table.length);
  for (let i = 0; i < data.length; i++) {
    const at = (data[i] as number) - lowest;
    counts[at] = (counts[at] as number) + 1;
  }
  for (let at = 0; at < counts.length; at++) {
    const count = counts[at] as number;
    if (count === 0) continue;
    add(stored, lowest + at, count);
    add(shown, table[at] as number, count);
  }
}

function add(summary: Summary, value: number, count: number): void {
  summary.min = Math.min(summary.min, value);
  summary.max = Math.max(summary.max, value);
  summary.sum += value * count;
  summary.count += count;
}
