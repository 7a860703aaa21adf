import { copyAgain, refuse } from "./refuse.ts";

/** A Huffman table of JPEG, ready for decoding. */
export type HuffmanTable = {
  /** For the next 16 bits: symbol × 32 + length of the code; 0 where no code begins so. */
  readonly bySixteen: Uint16Array;
};

/** The tables of a DHT segment, by class × 16 + destination (ITU-T T.81 section B.2.4.2). */
export function readHuffmanTables(bytes: Uint8Array, at: number, end: number): Map<number, HuffmanTable> {
  const tables = new Map<number, HuffmanTable>();
  while (at + 17 <= end) {
    const destination = bytes[at] as number;
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (at + 17 + total > end) refuse(`a Huffman table of its code stream is cut; ${copyAgain}`);
    tables.set(destination, huffmanTable(counts, bytes.subarray(at + 17, at + 17 + total)));
    at += 17 + total;
  }
  return tables;
}

/** The code of a table: lengths count upwards, and each code is the one before plus one (T.81 annex C). */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const bySixteen = new Uint16Array(65536);
  let code = 0;
  let next = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < (counts[length - 1] ?? 0); i++, code++) {
      const first = code << (16 - length);
      const past = (code + 1) << (16 - length);
      if (past > 65536) refuse(`a Huffman table of its code stream is impossible; ${copyAgain}`);
      bySixteen.fill((symbols[next++] as number) * 32 + length, first, past);
    }
    code <<= 1;
  }
  return { bySixteen };
}

/**
 * The entropy-coded bytes of a scan without their stuffing: each FF00 is the byte FF (T.81 section F.1.2.3), and each
 * restart marker ends an interval. Reading bits then needs no look at every byte.
 */
export type EntropyData = {
  /** Zero bytes follow the data, so that a look ahead needs no check. */
  readonly bytes: Uint8Array;
  /** Where each restart interval begins; one more, the end of the data. */
  readonly intervals: readonly number[];
  /** Where the marker that ended the scan stands in the stream; its length where there is none. */
  readonly end: number;
};

/** Collects the entropy-coded bytes that begin at `from`, and puts `padding` zero bytes after them. */
export function entropyData(stream: Uint8Array, from: number, padding: number): EntropyData {
  const bytes = new Uint8Array(stream.length - from + padding);
  const intervals = [0];
  let filled = 0;
  let at = from;
  for (;;) {
    let escape = stream.indexOf(0xff, at);
    if (escape < 0) escape = stream.length;
    bytes.set(stream.subarray(at, escape), filled);
    filled += escape - at;
    at = escape;
    if (at + 1 >= stream.length) break;
    const marker = stream[at + 1] as number;
    if (marker === 0) {
      bytes[filled++] = 0xff;
      at += 2;
    } else if (marker >= 0xd0 && marker <= 0xd7) {
      intervals.push(filled);
      at += 2;
    } else if (marker === 0xff) at++; // fill byte before a marker
    else break;
  }
  intervals.push(filled);
  return { bytes, intervals, end: at };
}
