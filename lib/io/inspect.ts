import type { DisplayFigures, Inspected, StoredFigures } from "./_decode.ts";
import { decode, type DecodeOptions } from "./decoding.ts";
import type { DicomHeader, VoiChoice } from "./dicom/mod.ts";
import { identityFromName } from "./identity.ts";
import { type Limits, limitsOf } from "./limits.ts";
import type { FileFormat, Laterality, PixelSpacing, View } from "./mammogram.ts";
import { formatIn } from "./sniff.ts";
import { openSource } from "./source.ts";

/** What is in a file, in figures; nothing of it identifies a person. What the file does not say is null. */
export type FileRecord = {
  readonly file: string;
  readonly format: FileFormat;
  /** DICOM transfer syntax UID as the file says it. */
  readonly transferSyntax: string | null;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly photometric: string | null;
  readonly view: View | null;
  readonly laterality: Laterality | null;
  readonly spacing: PixelSpacing | null;
  readonly stored: StoredFigures;
  readonly display: DisplayFigures;
  /** The allow-list of a DICOM header. */
  readonly dicom?: DicomHeader;
  readonly warnings: readonly string[];
};

/** How a file is inspected. */
export type InspectOptions = DecodeOptions & {
  /** Which display setting of a DICOM file. */
  readonly voi?: VoiChoice;
  readonly limits?: Partial<Limits>;
  /** Also stored values on a 5 × 5 grid of the first and the last frame, to compare with other readers. */
  readonly probes?: boolean;
};

/**
 * Sums a file up: what it is, and the figures of its stored and display values over all frames. All is computed in the
 * decoding process: only the figures come back.
 *
 * @param path the file
 * @throws MammolabError one sentence for anything that cannot be shown
 */
export async function inspectFile(path: string, options: InspectOptions = {}): Promise<FileRecord> {
  const limits = limitsOf(options.limits);
  const { voi, probes = false } = options;
  const { file, head, body } = await openSource(path, limits);
  const format = formatIn(head, file);
  const job = { kind: "inspect", file, format, limits, probes, ...(voi === undefined ? {} : { voi }) } as const;
  const { header, stored, display, warnings, rows, columns, frames, bitsStored, signed } = await decode<Inspected>(
    job,
    body,
    options,
  );
  const named = identityFromName(file);
  return {
    file,
    format,
    transferSyntax: header?.transferSyntax ?? null,
    rows,
    columns,
    frames,
    bitsStored,
    signed,
    photometric: header?.photometric ?? null,
    view: header?.view ?? named.view ?? null,
    laterality: header?.laterality ?? named.laterality ?? null,
    spacing: header?.spacing ?? null,
    stored,
    display,
    ...(header ? { dicom: header } : {}),
    warnings,
  };
}
