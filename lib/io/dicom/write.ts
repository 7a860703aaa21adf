import { deflateRawSync } from "node:zlib";
import { joinBytes, MammolabError } from "../../base/mod.ts";

/**
 * One attribute to write: tag as `0xggggeeee`, value representation, value. Text may have several values; numbers are
 * written in the size of their representation; a sequence holds data sets.
 */
export type DicomElement = readonly [tag: number, vr: DicomVr, value: DicomValue];

/** The value representations that can be written (PS3.5 table 6.2-1). */
export type DicomVr = DicomTextVr | DicomNumberVr | "OB" | "OW" | "SQ";
/** Value representations of text. */
export type DicomTextVr =
  | "AE"
  | "AS"
  | "CS"
  | "DA"
  | "DS"
  | "IS"
  | "LO"
  | "LT"
  | "PN"
  | "SH"
  | "ST"
  | "TM"
  | "UI"
  | "UT";
/** Value representations of binary numbers. */
export type DicomNumberVr = "US" | "SS" | "UL" | "SL" | "FL" | "FD";

/** Text, several texts, numbers, bytes, or the items of a sequence. An empty text or list is an attribute without a value. */
export type DicomValue =
  | string
  | number
  | readonly string[]
  | readonly number[]
  | Uint8Array
  | Uint16Array
  | readonly DicomDataSet[];

/** Attributes in any order; they are written by rising tag. */
export type DicomDataSet = readonly DicomElement[];

/** How the file is coded: both little-endian with explicit VR, the second deflated as a whole (a third of the size). */
export type WriteSyntax = "explicit" | "deflated";

const syntaxUids: Readonly<Record<WriteSyntax, string>> = {
  explicit: "1.2.840.10008.1.2.1",
  deflated: "1.2.840.10008.1.2.1.99",
};

/** Tells which program wrote a file (PS3.10 section 7.1): a fixed UUID of mammolab's. */
const implementationUid = "2.25.209871836571642917384401235697713526011";

/**
 * Writes a DICOM file (PS3.10): preamble, meta information, data set. The same data set gives the same bytes.
 *
 * @param dataSet has SOP Class UID (0008,0016) and SOP Instance UID (0008,0018), no attribute twice, none of group 0002
 * @param options.syntax default `"explicit"`
 * @throws MammolabError naming tag and rule, when a value does not fit its representation
 *
 * @example
 * ```ts
 * import { writeDicom } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * const file = writeDicom([[0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"], [0x00080018, "UI", "2.25.1"]]);
 * assertEquals(new TextDecoder().decode(file.subarray(128, 132)), "DICM");
 * ```
 */
export function writeDicom(
  dataSet: DicomDataSet,
  { syntax = "explicit" }: { readonly syntax?: WriteSyntax } = {},
): Uint8Array<ArrayBuffer> {
  const body = joinBytes(encodeDataSet(dataSet));
  const meta = joinBytes(encodeDataSet([
    [0x0002_0001, "OB", Uint8Array.of(0, 1)],
    [0x0002_0002, "UI", uidOf(dataSet, 0x0008_0016)],
    [0x0002_0003, "UI", uidOf(dataSet, 0x0008_0018)],
    [0x0002_0010, "UI", syntaxUids[syntax]],
    [0x0002_0012, "UI", implementationUid],
    [0x0002_0013, "SH", "MAMMOLAB"],
  ]));
  return joinBytes([
    new Uint8Array(128),
    latin("DICM"),
    ...encodeElement([0x0002_0000, "UL", meta.length]),
    meta,
    syntax === "deflated" ? evenLength(deflateRawSync(body, { level: 6 }), 0) : body,
  ]);
}

function uidOf(dataSet: DicomDataSet, tag: number): string {
  const value = dataSet.find(([at]) => at === tag)?.[2];
  if (typeof value === "string" && value) return value;
  throw refusal(tag, "is missing, a file needs it; add it");
}

function encodeDataSet(dataSet: DicomDataSet): Uint8Array[] {
  const sorted = dataSet.toSorted(([a], [b]) => a - b);
  sorted.forEach(([tag], i) => {
    if (i > 0 && tag === sorted[i - 1]![0]) throw refusal(tag, "stands there twice; leave one out");
  });
  return sorted.flatMap(encodeElement);
}

function encodeElement([tag, vr, value]: DicomElement): Uint8Array[] {
  const content = encodeValue(tag, vr, value);
  const long = vr === "OB" || vr === "OW" || vr === "SQ" || vr === "UT";
  if (!long && content.length > 0xfffe) throw refusal(tag, "is longer than 65,534 bytes; shorten it");
  const header = new Uint8Array(long ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  header.set(latin(vr), 4);
  if (long) view.setUint32(8, content.length, true);
  else view.setUint16(6, content.length, true);
  return [header, content];
}

function encodeValue(tag: number, vr: DicomVr, value: DicomValue): Uint8Array {
  if (vr === "SQ") {
    if (!isSequence(value)) throw refusal(tag, "is a sequence, so its value is a list of data sets; give one");
    return joinBytes(value.flatMap((item) => encodeItem(joinBytes(encodeDataSet(item)))));
  }
  if (vr === "OB" || vr === "OW") {
    if (value instanceof Uint16Array && vr === "OW") return littleEndian(value);
    if (value instanceof Uint8Array) return evenLength(value, 0);
    throw refusal(tag, `is ${vr}, so its value is bytes; give them`);
  }
  const values = typeof value === "string" || typeof value === "number" ? [value] : Array.from<unknown>(value);
  if (vr in numberSizes) return encodeNumbers(tag, vr as DicomNumberVr, values);
  return encodeText(tag, vr as DicomTextVr, values);
}

function isSequence(value: DicomValue): value is readonly DicomDataSet[] {
  return Array.isArray(value) && value.every((item) => Array.isArray(item));
}

function encodeItem(content: Uint8Array): Uint8Array[] {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, 0xe000, true);
  view.setUint32(4, content.length, true);
  return [header, content];
}

const numberSizes: Readonly<Record<DicomNumberVr, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8 };

function encodeNumbers(tag: number, vr: DicomNumberVr, values: readonly unknown[]): Uint8Array {
  const size = numberSizes[vr];
  const out = new Uint8Array(size * values.length);
  const view = new DataView(out.buffer);
  const limits = { US: [0, 0xffff], SS: [-0x8000, 0x7fff], UL: [0, 0xffff_ffff], SL: [-0x8000_0000, 0x7fff_ffff] };
  const write: Record<DicomNumberVr, (at: number, value: number) => void> = {
    US: (at, value) => view.setUint16(at, value, true),
    SS: (at, value) => view.setInt16(at, value, true),
    UL: (at, value) => view.setUint32(at, value, true),
    SL: (at, value) => view.setInt32(at, value, true),
    FL: (at, value) => view.setFloat32(at, value, true),
    FD: (at, value) => view.setFloat64(at, value, true),
  };
  values.forEach((value, i) => {
    const [low, high] = vr === "FL" || vr === "FD" ? [-Infinity, Infinity] : limits[vr] as [number, number];
    const whole = vr === "FL" || vr === "FD" || Number.isInteger(value);
    if (typeof value !== "number" || !whole || value < low || value > high) {
      throw refusal(tag, `holds a value that ${vr} cannot; check it`);
    }
    write[vr](i * size, value);
  });
  return out;
}

/** Most characters of one value (PS3.5 table 6.2-1). */
const longest: Readonly<Record<DicomTextVr, number>> = {
  AE: 16,
  AS: 4,
  CS: 16,
  DA: 8,
  DS: 16,
  IS: 12,
  LO: 64,
  LT: 10240,
  PN: 64,
  SH: 16,
  ST: 1024,
  TM: 14,
  UI: 64,
  UT: Infinity,
};

/** What a value may look like, where the standard says so. */
const forms: Partial<Record<DicomTextVr, RegExp>> = {
  AS: /^\d{3}[DWMY]$/,
  CS: /^[A-Z0-9 _]*$/,
  DA: /^\d{8}$/,
  DS: /^[+-]?(\d+\.?\d*|\.\d+)(E[+-]?\d+)?$/i,
  IS: /^[+-]?\d+$/,
  UI: /^[0-9.]+$/,
};

function encodeText(tag: number, vr: DicomTextVr, values: readonly unknown[]): Uint8Array {
  const texts = values.map((value) => typeof value === "number" ? decimal(vr, value) : String(value));
  const single = vr === "LT" || vr === "ST" || vr === "UT";
  if (single && texts.length > 1) throw refusal(tag, `is ${vr}, which holds one value; join them`);
  for (const text of texts) {
    if (text.length > longest[vr]) {
      throw refusal(tag, `is longer than the ${longest[vr]} characters of ${vr}; shorten it`);
    }
    if (text !== "" && forms[vr]?.test(text) === false) throw refusal(tag, `holds a value that ${vr} cannot; check it`);
    // deno-lint-ignore no-control-regex
    if (/[\u0000-\u0008\u000b\u000e-\u001f]/.test(text) || (!single && text.includes("\\"))) {
      throw refusal(tag, "holds a control character or a backslash, which separates values; remove it");
    }
  }
  return evenLength(new TextEncoder().encode(texts.join("\\")), vr === "UI" ? 0 : 0x20);
}

/** A number as text of at most 16 characters. */
function decimal(vr: DicomTextVr, value: number): string {
  const exact = String(value);
  return vr !== "DS" || exact.length <= 16 ? exact : value.toPrecision(9).slice(0, 16);
}

function littleEndian(values: Uint16Array): Uint8Array {
  const out = new Uint8Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    out[2 * i] = values[i]!;
    out[2 * i + 1] = values[i]! >> 8;
  }
  return out;
}

function evenLength(bytes: Uint8Array, pad: number): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const out = new Uint8Array(bytes.length + 1).fill(pad);
  out.set(bytes);
  return out;
}

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** Values do not appear: they may be a person's. */
function refusal(tag: number, why: string): MammolabError {
  const hex = tag.toString(16).padStart(8, "0").toUpperCase();
  return new MammolabError(`Cannot write a DICOM file: (${hex.slice(0, 4)},${hex.slice(4)}) ${why}`);
}
