import { attributes } from "./attributes.ts";
import { copyAgain, refuse } from "./refuse.ts";
import { elementHeaderAt, type Form } from "./parse.ts";

/** The outside of a file: where its data set begins, and what the file meta says of it. */
export type Container = {
  /** Transfer syntax as the file meta says it; `""` where there is none. */
  readonly declaredSyntax: string;
  /** Where the data set begins (or, in a deflated file, the deflate stream). */
  readonly at: number;
  readonly warnings: readonly string[];
};

/** True where the bytes begin as a DICOM file does: with a preamble and DICM, or with an early group of attributes. */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  return hasPrefix(bytes) || beginsWithAttributes(bytes, 0);
}

/**
 * Reads the preamble and the file meta information (DICOM PS3.10 section 7.1); both may be missing, as in files from
 * before 1993 and from some exports.
 */
export function openContainer(bytes: Uint8Array): Container {
  if (bytes.length === 0) refuse(`it is empty; ${copyAgain}`);
  const prefixed = hasPrefix(bytes);
  const start = prefixed ? 132 : 0;
  if (!prefixed && !beginsWithAttributes(bytes, 0)) {
    refuse("it is not a DICOM file: neither the letters DICM nor a first attribute was found; check the file");
  }
  if (prefixed && bytes.length === 132) refuse(`it ends after the letters DICM; ${copyAgain}`);
  const { declaredSyntax, at } = readFileMeta(bytes, start);
  const warnings: string[] = [];
  if (!prefixed) warnings.push("The file has no preamble; it was read from its first attribute on");
  else if (bytes.subarray(0, 128).some((byte) => byte !== 0)) {
    warnings.push("The preamble is not empty: the file may be read as another kind of file too");
  }
  if (declaredSyntax === "") warnings.push("The file does not say its transfer syntax; it was told from the bytes");
  return { declaredSyntax, at, warnings };
}

/**
 * How the attributes at `at` are written, told from the first one instead of believed: files whose meta says implicit while
 * the data set is explicit parse to nonsense without an error.
 */
export function formAt(bytes: Uint8Array, at: number): Form {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (at + 8 > bytes.length) refuse(`it ends before its data set; ${copyAgain}`);
  // Groups at the front are small numbers (0008): read with the wrong byte order they are large ones (0800).
  const littleEndian = view.getUint16(at, true) <= view.getUint16(at, false);
  const explicit = knownRepresentations.has(String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5)));
  return { littleEndian, explicit };
}

function hasPrefix(bytes: Uint8Array): boolean {
  return bytes.length >= 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 &&
    bytes[131] === 0x4d;
}

/** True for groups 0002, 0004 and 0008 in either byte order with a plausible first element. */
function beginsWithAttributes(bytes: Uint8Array, at: number): boolean {
  if (bytes.length < at + 8) return false;
  const [a, b, c, d] = bytes.subarray(at, at + 4) as unknown as [number, number, number, number];
  const [group, element] = a !== 0 ? [a | (b << 8), c | (d << 8)] : [b, (c << 8) | d];
  if (group !== 2 && group !== 4 && group !== 8) return false;
  if (element > 0x3000) return false;
  const vr = String.fromCharCode(bytes[at + 4] as number, bytes[at + 5] as number);
  return knownRepresentations.has(vr) || (bytes[at + 6] === 0 && bytes[at + 7] === 0) ||
    (bytes[at + 4] === 0 && bytes[at + 5] === 0);
}

function readFileMeta(bytes: Uint8Array, start: number): { declaredSyntax: string; at: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let declaredSyntax = "";
  let at = start;
  while (at + 8 <= bytes.length && view.getUint16(at, true) === 0x0002) {
    const { tag, valueAt, length } = elementHeaderAt(bytes, view, at, { littleEndian: true, explicit: true });
    if (length > bytes.length - valueAt) refuse(`it ends inside the file meta information; ${copyAgain}`);
    if (tag === attributes.TransferSyntaxUID[0]) {
      const uid = String.fromCharCode(...bytes.subarray(valueAt, valueAt + Math.min(length, 64)));
      declaredSyntax = uid.replace(/[^0-9.]+$/, "");
    }
    at = valueAt + length;
  }
  if (at + 8 > bytes.length) refuse(`it ends before its data set; ${copyAgain}`);
  return { declaredSyntax, at };
}

/** PS3.5 table 6.2-1. */
const knownRepresentations: ReadonlySet<string> = new Set(
  "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split(" "),
);
