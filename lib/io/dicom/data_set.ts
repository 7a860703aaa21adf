import { attributes, type Keyword, representationOf } from "./attributes.ts";

/** One attribute: where its value lies in the bytes, or the items of a sequence. */
export type Element = {
  /** Value representation as the file says it; `""` in implicit VR. */
  readonly vr: string;
  readonly at: number;
  readonly length: number;
  readonly items?: readonly DataSet[];
};

/** The attributes of a file or of an item of a sequence, by tag; only those of attributes.ts. */
export type DataSet = {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly elements: ReadonlyMap<number, Element>;
};

/** The element of a keyword, or undefined where the file has none or an empty one. */
export function elementOf(dataSet: DataSet, keyword: Keyword): Element | undefined {
  const element = dataSet.elements.get(attributes[keyword][0]);
  return element && (element.length > 0 || element.items) ? element : undefined;
}

/** The bytes of a value. */
export function bytesOf(dataSet: DataSet, keyword: Keyword): Uint8Array | undefined {
  const element = elementOf(dataSet, keyword);
  return element && dataSet.bytes.subarray(element.at, element.at + element.length);
}

/** The values of a text attribute, trimmed of the spaces and zeros that pad it to an even length; at most 64 are read. */
export function textsOf(dataSet: DataSet, keyword: Keyword): readonly string[] {
  const bytes = bytesOf(dataSet, keyword);
  if (!bytes) return [];
  // Latin-1 keeps every byte apart; what leaves the parser is compared with lists of ASCII words or hashed.
  const text = String.fromCharCode(...bytes.subarray(0, 4096));
  // deno-lint-ignore no-control-regex
  return text.split("\\", 64).map((part) => part.replace(/^[\s\u0000]+|[\s\u0000]+$/g, ""));
}

/** The first value of a text attribute, upper case: code strings are met in lower case too. */
export function codeOf(dataSet: DataSet, keyword: Keyword): string {
  return (textsOf(dataSet, keyword)[0] ?? "").toUpperCase();
}

/** The items of a sequence. */
export function itemsOf(dataSet: DataSet, keyword: Keyword): readonly DataSet[] {
  return elementOf(dataSet, keyword)?.items ?? [];
}

/** The values of a numeric attribute, text (DS, IS) or binary; NaN where a text is no number. */
export function numbersOf(dataSet: DataSet, keyword: Keyword): readonly number[] {
  const element = elementOf(dataSet, keyword);
  if (!element || element.items) return [];
  const vr = element.vr === "" || element.vr === "UN" ? representationOf.get(attributes[keyword][0]) : element.vr;
  const read = binaryReaders[vr ?? ""];
  if (!read) return textsOf(dataSet, keyword).map((text) => decimal.test(text) ? Number(text) : NaN);
  const { bytes, littleEndian } = dataSet;
  const view = new DataView(bytes.buffer, bytes.byteOffset + element.at, element.length);
  const count = Math.min(64, Math.floor(element.length / read.size));
  return Array.from({ length: count }, (_, i) => read.value(view, i * read.size, littleEndian));
}

/** The first value of a numeric attribute where it is a finite number. */
export function numberOf(dataSet: DataSet, keyword: Keyword): number | undefined {
  const value = numbersOf(dataSet, keyword)[0];
  return Number.isFinite(value) ? value : undefined;
}

/** A value as a 16-bit word, whatever the file calls its type: what "US or SS" means is decided by the pixels. */
export function wordsOf(dataSet: DataSet, keyword: Keyword): readonly number[] {
  const element = elementOf(dataSet, keyword);
  if (!element || element.length < 2) return [];
  const { bytes, littleEndian } = dataSet;
  const view = new DataView(bytes.buffer, bytes.byteOffset + element.at, element.length);
  return Array.from({ length: Math.min(8, element.length >> 1) }, (_, i) => view.getUint16(2 * i, littleEndian));
}

/** DS and IS (PS3.5 section 6.2); `Number` alone would also take "", "0x10" and "Infinity". */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

type BinaryReader = { readonly size: number; readonly value: (v: DataView, at: number, little: boolean) => number };

const binaryReaders: Readonly<Record<string, BinaryReader>> = Object.assign(
  Object.create(null),
  {
    US: { size: 2, value: (v, at, little) => v.getUint16(at, little) },
    SS: { size: 2, value: (v, at, little) => v.getInt16(at, little) },
    UL: { size: 4, value: (v, at, little) => v.getUint32(at, little) },
    SL: { size: 4, value: (v, at, little) => v.getInt32(at, little) },
    FL: { size: 4, value: (v, at, little) => v.getFloat32(at, little) },
    FD: { size: 8, value: (v, at, little) => v.getFloat64(at, little) },
  } satisfies Record<string, BinaryReader>,
);
