import { MammolabError, readSalt, release } from "../base/mod.ts";
import { imageOf } from "../image/mod.ts";
import type { Loaded } from "./_decode.ts";
import { divided } from "./_pixel_kernel.ts";
import { decode, type DecodeOptions } from "./decoding.ts";
import { type DicomHeader, show, type VoiChoice } from "./dicom/mod.ts";
import { identityFromName, type NamedIdentity, pseudonymOf } from "./identity.ts";
import { type Limits, limitsOf } from "./limits.ts";
import type { FileFormat, Mammogram, PixelSpacing } from "./mammogram.ts";
import { formatIn } from "./sniff.ts";
import { openSource } from "./source.ts";

/** How a film is loaded. */
export type LoadOptions = DecodeOptions & {
  /** Which frame of a file of many, from 0; default: the middle one, with a warning. */
  readonly frame?: number;
  /** Which display setting of a DICOM file: the n-th window, a name in the file, `"lut"`, or a window of one's own. */
  readonly voi?: VoiChoice;
  /** Millimetres between pixel centres, where the file does not say them or is wrong. */
  readonly spacing?: { readonly row: number; readonly column: number };
  /** What reading it may cost; what is left out is as {@linkcode limitsOf} says. */
  readonly limits?: Partial<Limits>;
  /** What bytes are called in sentences, and the name that side and view are read from; default `"the given bytes"`. */
  readonly name?: string;
  /** Where the values of the image are written if there is room for them: the image is then a view of it. Default: a new array. */
  readonly into?: Float32Array;
  /** The secret for hashes of patients' numbers; default: that of {@linkcode readSalt}. */
  readonly salt?: Uint8Array;
};

/**
 * Loads one film: DICOM, PNG, PGM or JPEG, told apart by their bytes. It is decoded in another process, which is stopped when it
 * is late, and nothing that identifies a person comes back from there.
 *
 * Side, view and patient are the header's; where the format has none, or the header is silent, they are read from the file's
 * name, and a warning says so.
 *
 * @param input a path, or the bytes of a file
 * @throws MammolabError one sentence for anything that cannot be shown: "Cannot read a.dcm: …; …"
 *
 * @example
 * ```ts
 * import { encodePng, loadMammogram } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * const png = encodePng(Uint16Array.of(0, 1024, 2048, 4095), { height: 2, width: 2 });
 * const mammogram = await loadMammogram(png, { name: "7_L-CC.png", trusted: true });
 * assertEquals([mammogram.laterality, mammogram.view, mammogram.display.method], ["L", "CC", "0..4095"]);
 * assertEquals(mammogram.image.data[3], 1);
 * ```
 */
export async function loadMammogram(input: string | Uint8Array, options: LoadOptions = {}): Promise<Mammogram> {
  const limits = limitsOf(options.limits);
  const spacing = checkedSpacing(options.spacing);
  const { name, frame, voi } = options;
  const { file, head, body } = await openSource(input, {
    maxFileBytes: limits.maxFileBytes,
    ...(name ? { name } : {}),
  });
  const format = formatIn(head, file);
  const salt = options.salt ? { bytes: options.salt, kept: true } : await readSalt();
  const job = {
    kind: "load",
    file,
    format,
    limits,
    salt: salt.bytes,
    ...(frame === undefined ? {} : { frame }),
    ...(voi === undefined ? {} : { voi }),
  } as const;
  const loaded = await decode<Loaded>(job, body, options);
  const named = identityFromName(file);
  const { patient, ...identity } = identityOf(loaded.header, named, salt.bytes);
  const { height, width } = loaded;
  const data = displayed(loaded, roomFor(height * width, options.into));
  if (format === "png") release(loaded.stored); // the decoder's own; other formats may show a part of the given bytes
  return {
    image: imageOf(data, { height, width }),
    ...identity,
    ...patient,
    ...(spacing ?? (loaded.header?.spacing ? { spacing: loaded.header.spacing } : {})),
    ...(loaded.header?.age === undefined ? {} : { age: loaded.header.age }),
    display: { method: loaded.display.method },
    warnings: [...loaded.warnings, ...warningsOf(loaded.header, named, patient.patient, salt.kept, format)],
    source: { file, format, frame: loaded.frame },
  };
}

function displayed({ stored, display }: Loaded, into: Float32Array): Float32Array {
  if ("table" in display) return show(stored, display, into);
  const { white } = display;
  if (stored instanceof Uint16Array) return divided(stored, white, into); // no table of 65,536 entries for a straight line
  for (let i = 0; i < into.length; i++) into[i] = stored[i]! / white;
  return into;
}

function roomFor(count: number, given: Float32Array | undefined): Float32Array {
  return given && given.length >= count ? given.subarray(0, count) : new Float32Array(count);
}

function identityOf(header: DicomHeader | undefined, named: NamedIdentity, salt: Uint8Array) {
  const laterality = header?.laterality ?? named.laterality;
  const view = header?.view ?? named.view;
  return {
    ...(laterality ? { laterality } : {}),
    ...(view ? { view } : {}),
    patient: patientOf(header, named, salt),
  };
}

function patientOf(
  header: DicomHeader | undefined,
  named: NamedIdentity,
  salt: Uint8Array,
): Pick<Mammogram, "patient" | "patientFrom"> {
  if (header?.patient) return { patient: header.patient, patientFrom: "PatientID" };
  if (named.patient) return { patient: pseudonymOf(named.patient, salt), patientFrom: "file name" };
  return { patientFrom: "unknown" };
}

function warningsOf(
  header: DicomHeader | undefined,
  named: NamedIdentity,
  patient: string | undefined,
  kept: boolean,
  format: FileFormat,
): readonly string[] {
  const fromName = [
    ...(named.laterality && !header?.laterality ? ["side"] : []),
    ...(named.view && !header?.view ? ["view"] : []),
  ];
  return [
    // A PNG has no header, so that its name is all there is; a DICOM file that leaves it to its name is odd.
    ...(format === "dicom" && fromName.length > 0 ? [`Read from the file's name: ${fromName.join(" and ")}`] : []),
    ...(patient && !kept ? ["The patient's code holds within this run only: .cache/salt could not be written"] : []),
  ];
}

function checkedSpacing(spacing: LoadOptions["spacing"]): { readonly spacing: PixelSpacing } | undefined {
  if (!spacing) return undefined;
  const { row, column } = spacing;
  if (!(row > 0 && column > 0 && row < 100 && column < 100)) {
    throw new MammolabError(
      `Cannot use a pixel spacing of ${row} × ${column} mm: both are above 0 and below 100; check the unit`,
    );
  }
  return { spacing: { row, column, basis: "user" } };
}
