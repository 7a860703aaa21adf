import { bytesOf, type DataSet, elementOf, wordsOf } from "./data_set.ts";

/** A look-up table of a Modality LUT or VOI LUT item (DICOM PS3.3 C.11.1.1 and C.11.2.1.1). */
export type Lut = {
  /** The input that the first entry belongs to; below it the first entry holds, above the last. */
  readonly first: number;
  /** Bits of an entry: the largest possible one is 2^bits − 1. */
  readonly bits: number;
  readonly entries: Uint8Array | Uint16Array;
};

/**
 * Reads the table of one item.
 *
 * @param signedInput the input may be negative; the words of the descriptor do not say it ("US or SS")
 * @returns undefined where the descriptor is missing or longer than the data: such a table is not usable. Half as many bytes as
 * 16-bit entries need are entries of one byte where 8 bits are said, and else a table that is cut
 */
export function readLut(item: DataSet, signedInput: boolean): Lut | undefined {
  const [count, word, bits] = wordsOf(item, "LUTDescriptor");
  const data = bytesOf(item, "LUTData");
  if (count === undefined || word === undefined || !bits || bits > 16 || !data) return undefined;
  const length = count === 0 ? 65536 : count;
  const first = signedInput ? (word << 16) >> 16 : word;
  const entries = data.length >= 2 * length
    ? readWords(data, length, item.littleEndian)
    : bits <= 8 && data.length >= length
    ? readBytes(data, length, item)
    : undefined;
  return entries && { first, bits, entries };
}

function readWords(data: Uint8Array, length: number, littleEndian: boolean): Uint16Array {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return new Uint16Array(length).map((_, i) => view.getUint16(2 * i, littleEndian));
}

/** Two entries of 8 bits in a word: bytes in order, but swapped in pairs where big endian words hold them. */
function readBytes(data: Uint8Array, length: number, item: DataSet): Uint8Array {
  const swapped = !item.littleEndian && elementOf(item, "LUTData")?.vr === "OW";
  return new Uint8Array(length).map((_, i) => data[swapped ? i ^ 1 : i] ?? 0);
}

/** The entry for each input, inputs rounded down. */
export function lookUp(values: Float64Array, { first, entries }: Lut): Float64Array {
  const last = entries.length - 1;
  return values.map((x) => entries[Math.max(0, Math.min(last, Math.floor(x) - first))] as number);
}
