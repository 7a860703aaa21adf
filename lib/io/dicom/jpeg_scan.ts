import { cut, jpegSegments } from "./code_stream.ts";
import { entropyData, type HuffmanTable, readHuffmanTables } from "./huffman.ts";
import { copyAgain, refuse } from "./refuse.ts";

/**
 * Checks that a grey sequential JPEG stream (baseline or extended, ITU-T T.81 annex F) codes each of its blocks, by stepping
 * over their Huffman codes. The decoder that makes the pixels (libjpeg) fills a cut stream up without an error, also
 * where an end marker follows the cut.
 *
 * @throws MammolabError when the data ends before the last block
 */
export function checkJpegScan(
  stream: Uint8Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  const { dc, ac, restartInterval, at } = readScan(stream);
  const blocks = Math.ceil(rows / 8) * Math.ceil(columns / 8);
  const perInterval = restartInterval || blocks;
  const data = entropyData(stream, at, 64 * 4 + 8); // a block of zeros: 64 codes of at most 32 bits
  for (let interval = 0; interval * perInterval < blocks; interval++) {
    const from = data.intervals[interval];
    const to = data.intervals[interval + 1];
    if (from === undefined || to === undefined) refuse(cut);
    stepOver(data.bytes, from, to, Math.min(perInterval, blocks - interval * perInterval), dc.bySixteen, ac.bySixteen);
  }
}

function readScan(stream: Uint8Array) {
  const tables = new Map<number, HuffmanTable>();
  let restartInterval = 0;
  for (const { marker, at, end } of jpegSegments(stream)) {
    if (marker === 0xc4) { for (const [place, table] of readHuffmanTables(stream, at, end)) tables.set(place, table); }
    if (marker === 0xdd) restartInterval = ((stream[at] as number) << 8) | (stream[at + 1] as number);
    if (marker !== 0xda) continue;
    const places = stream[at + 2] as number;
    const dc = tables.get(places >> 4);
    const ac = tables.get(0x10 | (places & 15));
    if (stream[at] !== 1 || !dc || !ac) refuse(`its JPEG stream has no usable Huffman table; ${copyAgain}`);
    return { dc, ac, restartInterval, at: end };
  }
  return refuse(cut);
}

function stepOver(bytes: Uint8Array, from: number, to: number, blocks: number, dc: Uint16Array, ac: Uint16Array): void {
  let at = from;
  let buffer = 0;
  let held = 0;
  for (let block = 0; block < blocks; block++) {
    let table = dc;
    for (let k = 0; k < 64;) {
      if (held < 16) {
        buffer = (buffer << 16) | ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
        at += 2;
        held += 16;
      }
      const entry = table[(buffer >>> (held - 16)) & 0xffff] as number;
      if (entry === 0) refuse(`its JPEG stream holds a code that does not exist; ${copyAgain}`);
      held -= entry & 31;
      const symbol = entry >> 5;
      const size = k === 0 ? symbol : symbol & 15;
      if (k > 0 && size === 0 && symbol !== 0xf0) break; // end of block
      if (size > held) {
        buffer = (buffer << 16) | ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
        at += 2;
        held += 16;
      }
      held -= size;
      k += k === 0 ? 1 : (symbol >> 4) + 1;
      table = ac;
    }
    if ((at - from) * 8 - held > (to - from) * 8) refuse(cut);
  }
}
