/** Writes DICOM files by hand for tests: every byte is wanted, also the wrong ones. Independent of the product's writer. */

/** An attribute: text, numbers of its representation, bytes as they are, or the items of a sequence. */
export type Attribute = readonly [tag: number, vr: string, value: string | readonly number[] | Uint8Array | Items];
export type Items = { readonly items: readonly (readonly Attribute[])[]; readonly delimited?: boolean };

export type Form = { readonly littleEndian?: boolean; readonly explicit?: boolean };

const sizes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, OW: 2 };
const longForm = new Set("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split(" "));

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (out.set(part, at), at + part.length), 0);
  return out;
}

function valueBytes(vr: string, value: Attribute[2], form: Form): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return bytes.length % 2 === 0 ? bytes : join([bytes, Uint8Array.of(vr === "UI" ? 0 : 0x20)]);
  }
  if ("items" in value) {
    const { items, delimited = false } = value;
    const parts = items.map((item) => {
      const body = encode(item, form);
      return delimited
        ? join([rawHeader(0xfffee000, 0xffffffff, form), body, rawHeader(0xfffee00d, 0, form)])
        : join([rawHeader(0xfffee000, body.length, form), body]);
    });
    return join(delimited ? [...parts, rawHeader(0xfffee0dd, 0, form)] : parts);
  }
  const size = sizes[vr] ?? 2;
  const bytes = new Uint8Array(value.length * size);
  const view = new DataView(bytes.buffer);
  const little = form.littleEndian ?? true;
  value.forEach((number, i) => {
    if (vr === "FL") view.setFloat32(4 * i, number, little);
    else if (vr === "FD") view.setFloat64(8 * i, number, little);
    else if (size === 4) view.setInt32(4 * i, number, little);
    else view.setInt16(2 * i, number, little);
  });
  return bytes;
}

/** Tag and 4-byte length, as items have them, and all attributes in implicit VR. */
export function rawHeader(tag: number, length: number, { littleEndian = true }: Form = {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, Math.floor(tag / 0x10000), littleEndian);
  view.setUint16(2, tag % 0x10000, littleEndian);
  view.setUint32(4, length, littleEndian);
  return new Uint8Array(view.buffer);
}

/** The attributes as bytes, in the order given. */
export function encode(attributes: readonly Attribute[], form: Form = {}): Uint8Array {
  const { littleEndian = true, explicit = true } = form;
  return join(attributes.map(([tag, vr, value]) => {
    const body = valueBytes(vr, value, form);
    const undefinedLength = typeof value === "object" && "delimited" in value && value.delimited;
    const length = undefinedLength ? 0xffffffff : body.length;
    if (!explicit) return join([rawHeader(tag, length, form), body]);
    const long = longForm.has(vr);
    const head = new DataView(new ArrayBuffer(long ? 12 : 8));
    head.setUint16(0, Math.floor(tag / 0x10000), littleEndian);
    head.setUint16(2, tag % 0x10000, littleEndian);
    head.setUint8(4, vr.charCodeAt(0));
    head.setUint8(5, vr.charCodeAt(1));
    if (long) head.setUint32(8, length, littleEndian);
    else head.setUint16(6, length, littleEndian);
    return join([new Uint8Array(head.buffer), body]);
  }));
}

export const syntaxes = {
  implicit: "1.2.840.10008.1.2",
  explicit: "1.2.840.10008.1.2.1",
  bigEndian: "1.2.840.10008.1.2.2",
  rle: "1.2.840.10008.1.2.5",
  jpegLossless: "1.2.840.10008.1.2.4.70",
  jpegLs: "1.2.840.10008.1.2.4.80",
} as const;

/** A whole file: preamble, DICM, file meta, the attributes. */
export function dicomFile(attributes: readonly Attribute[], { syntax = syntaxes.explicit, preamble, meta = [], tail }: {
  readonly syntax?: string;
  readonly preamble?: Uint8Array;
  readonly meta?: readonly Attribute[];
  readonly tail?: Uint8Array;
} = {}): Uint8Array {
  const head = new Uint8Array(132);
  if (preamble) head.set(preamble.subarray(0, 128));
  head.set([0x44, 0x49, 0x43, 0x4d], 128);
  const form = { littleEndian: syntax !== syntaxes.bigEndian, explicit: syntax !== syntaxes.implicit };
  return join([
    head,
    encode([[0x00020010, "UI", syntax], ...meta]),
    encode([...attributes].sort((a, b) => a[0] - b[0]), form),
    tail ?? new Uint8Array(),
  ]);
}

/** The Image Pixel Module of a grey picture and its cells, as attributes; `more` replaces equal tags. */
export function picture(
  cells: readonly number[],
  { rows = 1, bitsStored = 12, bitsAllocated = 16, highBit = bitsStored - 1, signed = false, more = [] }: {
    readonly rows?: number;
    readonly bitsStored?: number;
    readonly bitsAllocated?: number;
    readonly highBit?: number;
    readonly signed?: boolean;
    readonly more?: readonly Attribute[];
  } = {},
): readonly Attribute[] {
  const replaced = new Set(more.map(([tag]) => tag));
  const pixels: Attribute = bitsAllocated === 8
    ? [0x7fe00010, "OB", Uint8Array.from([...cells, ...(cells.length % 2 ? [0] : [])])]
    : [0x7fe00010, "OW", cells];
  const base: readonly Attribute[] = [
    [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.2"],
    [0x00080060, "CS", "MG"],
    [0x00185101, "CS", "CC"],
    [0x00200062, "CS", "L"],
    [0x00280002, "US", [1]],
    [0x00280004, "CS", "MONOCHROME2"],
    [0x00280010, "US", [rows]],
    [0x00280011, "US", [cells.length / rows]],
    [0x00280100, "US", [bitsAllocated]],
    [0x00280101, "US", [bitsStored]],
    [0x00280102, "US", [highBit]],
    [0x00280103, "US", [signed ? 1 : 0]],
    pixels,
  ];
  return [...base.filter(([tag]) => !replaced.has(tag)), ...more];
}

/** Code streams as encapsulated pixel data: one fragment each, an empty offset table before them. */
export function encapsulated(streams: readonly Uint8Array[]): Uint8Array {
  return join([
    join([rawHeader(0x7fe00010, 0).subarray(0, 4), new TextEncoder().encode("OB"), new Uint8Array(2)]),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
    rawHeader(0xfffee000, 0),
    ...streams.map((stream) => join([rawHeader(0xfffee000, stream.length), stream])),
    rawHeader(0xfffee0dd, 0),
  ]);
}
