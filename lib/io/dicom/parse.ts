import { representationOf, tagText } from "./attributes.ts";
import type { DataSet, Element } from "./data_set.ts";
import { copyAgain, count, refuse } from "./refuse.ts";

/** How attributes are written: byte order, and whether each says its value representation. */
export type Form = { readonly littleEndian: boolean; readonly explicit: boolean };

/** Where the pixel data lies; `length` is -1 where the file leaves it undefined (encapsulated code streams). */
export type PixelElement = { readonly vr: string; readonly at: number; readonly length: number };

/** What was found in a data set. */
export type Parsed = {
  readonly dataSet: DataSet;
  /** The top-level (7FE0,0010); absent where the bytes end before it. */
  readonly pixels?: PixelElement;
  /** Floating point pixel data (7FE0,0008) or (7FE0,0009) was met instead. */
  readonly floatPixels: boolean;
};

/** What a hostile file may cost at most; real mammograms have less than a tenth of each. */
const maxDepth = 64;
const maxKept = 250_000;

/**
 * Reads a data set (DICOM PS3.5 section 7) up to its pixel data, keeping the attributes of attributes.ts only. Everything
 * else is stepped over by its length, so that a long or deep file costs time in proportion to its size and no memory.
 *
 * The parser is ours and not dicom-parser's, because that one keeps every value of the file, nests until the stack ends,
 * and needs nine corrections before it reads the files that are met; the tests hold ours against it.
 *
 * @param bytes the whole file, or so much of it as was inflated
 * @throws MammolabError when an attribute runs past the end, or sequences are nested deeper than 64
 */
export function parseDataSet(bytes: Uint8Array, at: number, form: Form): Parsed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const source: Source = { bytes, view, littleEndian: form.littleEndian, kept: 0 };
  const elements = new Map<number, Element>();
  let floatPixels = false;
  while (at + 8 <= bytes.length) {
    const header = elementHeaderAt(bytes, view, at, form);
    const { tag, vr, valueAt, length } = header;
    if (tag === pixelData) {
      const pixels = { vr, at: valueAt, length: length === undefinedLength ? -1 : length };
      return { dataSet: { bytes, littleEndian: form.littleEndian, elements }, pixels, floatPixels };
    }
    if (tag === floatPixelData || tag === doubleFloatPixelData) floatPixels = true;
    at = readValue(source, header, bytes.length, form, 0, elements);
  }
  if (at < bytes.length) refuse(`it ends inside an attribute; ${copyAgain}`);
  return { dataSet: { bytes, littleEndian: form.littleEndian, elements }, floatPixels };
}

/**
 * Steps over what follows the pixel data. Attributes there are not wanted, but one that is cut shows that the file is.
 *
 * @returns true where bytes follow that are no attributes: nobody reads them, and they may be anything
 */
export function bytesFollow(bytes: Uint8Array, at: number, form: Form): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const source: Source = { bytes, view, littleEndian: form.littleEndian, kept: 0 };
  let before = pixelData;
  while (at + 8 <= bytes.length) {
    const header = elementHeaderAt(bytes, view, at, form);
    if (header.tag <= before || (form.explicit && header.vr === "")) return true; // attributes come in rising order
    before = header.tag;
    at = readValue(source, header, bytes.length, form, 0, undefined);
  }
  return at < bytes.length;
}

type Header = { readonly tag: number; readonly vr: string; readonly valueAt: number; readonly length: number };

/** Tag, value representation and length of the attribute at `at` (PS3.5 section 7.1). At least 8 bytes must follow. */
export function elementHeaderAt(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  { littleEndian, explicit }: Form,
): Header {
  const group = view.getUint16(at, littleEndian);
  const tag = group * 0x10000 + view.getUint16(at + 2, littleEndian);
  const [first, second] = [bytes[at + 4] as number, bytes[at + 5] as number];
  // Items have no value representation in any form; nor have the attributes that some writers leave implicit.
  if (!explicit || group === 0xfffe || !isLetter(first) || !isLetter(second)) {
    return { tag, vr: "", valueAt: at + 8, length: view.getUint32(at + 4, littleEndian) };
  }
  const vr = String.fromCharCode(first, second);
  if (!longForm.has(vr)) return { tag, vr, valueAt: at + 8, length: view.getUint16(at + 6, littleEndian) };
  if (at + 12 > bytes.length) refuse(`it ends inside attribute ${tagText(tag)}; ${copyAgain}`);
  return { tag, vr, valueAt: at + 12, length: view.getUint32(at + 8, littleEndian) };
}

type Source = { readonly bytes: Uint8Array; readonly view: DataView; readonly littleEndian: boolean; kept: number };

/** Keeps or steps over the value of one attribute; returns where the next one begins. */
function readValue(
  source: Source,
  { tag, vr, valueAt, length }: Header,
  end: number,
  form: Form,
  depth: number,
  keep: Map<number, Element> | undefined,
): number {
  if (tag === itemDelimiter || tag === sequenceDelimiter) return valueAt; // a stray one, seen after private sequences
  const known = keep && representationOf.get(tag);
  const undefinedEnd = length === undefinedLength;
  if (!undefinedEnd && length > end - valueAt) refuse(`attribute ${tagText(tag)} runs past the end; ${copyAgain}`);

  if (known === "SQ" || undefinedEnd) {
    // PS3.5 section 6.2.2, note: the items of an UN of undefined length are implicit VR, whatever the file is.
    const inside = vr === "UN" ? { littleEndian: form.littleEndian, explicit: false } : form;
    const items: DataSet[] | undefined = known === "SQ" && !keep?.has(tag) ? [] : undefined;
    const next = readItems(
      source,
      valueAt,
      undefinedEnd ? end : valueAt + length,
      inside,
      depth + 1,
      items,
      undefinedEnd,
    );
    if (items) retain(source, keep, tag, { vr, at: valueAt, length: next - valueAt, items });
    return next;
  }
  // The first of two equal tags counts: a second one, appended, must not be able to replace what was checked.
  if (known && !keep?.has(tag)) retain(source, keep, tag, { vr, at: valueAt, length });
  return valueAt + length;
}

function retain(source: Source, keep: Map<number, Element> | undefined, tag: number, element: Element): void {
  if (++source.kept > maxKept) refuse(`it has more than ${count(maxKept)} attributes; leave it out`);
  keep?.set(tag, element);
}

/** Reads the items of a sequence, or the fragments of one that is not wanted; returns where the sequence ends. */
function readItems(
  source: Source,
  from: number,
  end: number,
  form: Form,
  depth: number,
  items: DataSet[] | undefined,
  delimited: boolean,
): number {
  if (depth > maxDepth) refuse(`its sequences are nested deeper than ${maxDepth}; leave it out`);
  let at = from;
  while (at + 8 <= end) {
    const { tag, valueAt, length } = elementHeaderAt(source.bytes, source.view, at, form);
    if (tag === sequenceDelimiter && delimited) return valueAt;
    if (tag !== item) refuse(`a sequence holds ${tagText(tag)} where an item was expected; ${copyAgain}`);
    if (length !== undefinedLength && length > end - valueAt) refuse(`an item runs past the end; ${copyAgain}`);
    const elements = items && new Map<number, Element>();
    if (elements && ++source.kept > maxKept) refuse(`it has more than ${count(maxKept)} items; leave it out`);
    at = length === undefinedLength
      ? readUntilDelimiter(source, valueAt, end, form, depth, elements)
      : elements
      ? readUntilEnd(source, valueAt, valueAt + length, form, depth, elements)
      : valueAt + length;
    if (elements) items.push({ bytes: source.bytes, littleEndian: source.littleEndian, elements });
  }
  if (delimited) refuse(`it ends inside a sequence; ${copyAgain}`);
  return end;
}

function readUntilDelimiter(
  source: Source,
  from: number,
  end: number,
  form: Form,
  depth: number,
  elements: Map<number, Element> | undefined,
): number {
  let at = from;
  while (at + 8 <= end) {
    const header = elementHeaderAt(source.bytes, source.view, at, form);
    if (header.tag === itemDelimiter) return header.valueAt;
    at = readValue(source, header, end, form, depth, elements);
  }
  return refuse(`it ends inside an item; ${copyAgain}`);
}

function readUntilEnd(
  source: Source,
  from: number,
  end: number,
  form: Form,
  depth: number,
  elements: Map<number, Element>,
): number {
  let at = from;
  while (at + 8 <= end) {
    const header = elementHeaderAt(source.bytes, source.view, at, form);
    at = readValue(source, header, end, form, depth, elements);
  }
  return end;
}

const isLetter = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

const item = 0xfffe_e000;
const itemDelimiter = 0xfffe_e00d;
const sequenceDelimiter = 0xfffe_e0dd;
const pixelData = 0x7fe0_0010;
const floatPixelData = 0x7fe0_0008;
const doubleFloatPixelData = 0x7fe0_0009;
const undefinedLength = 0xffff_ffff;

/** Representations whose length has four bytes, after two that are reserved (PS3.5 section 7.1.2). */
const longForm: ReadonlySet<string> = new Set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" "));
