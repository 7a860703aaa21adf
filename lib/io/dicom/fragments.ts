import { concat } from "../_bytes.ts";
import type { PixelElement } from "./parse.ts";
import { copyAgain, refuse } from "./refuse.ts";
import { startsCodeStream } from "./code_stream.ts";

/** The items that hold code streams: for each fragment where its bytes lie. */
export type Fragments = {
  readonly at: readonly number[];
  readonly length: readonly number[];
  /** Basic Offset Table (PS3.5 section A.4): first byte of each frame's item, counted from the first item. */
  readonly offsets: readonly number[];
  /** False where the file ends without the delimiter that closes the fragments. */
  readonly closed: boolean;
  /** Where the next attribute would begin. */
  readonly end: number;
};

const maxFragments = 1_000_000;

/**
 * Walks the fragments of encapsulated pixel data by their lengths: a delimiter inside a code stream is data, so nothing is
 * searched for.
 *
 * @throws MammolabError when there are no items, or one runs past the end
 */
export function readFragments(bytes: Uint8Array, pixels: PixelElement): Fragments {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = pixels.length < 0 ? bytes.length : pixels.at + pixels.length;
  if (end > bytes.length) refuse(`it ends inside its pixel data; ${copyAgain}`);
  const starts: number[] = [];
  const lengths: number[] = [];
  let at = pixels.at;
  let closed = pixels.length >= 0;
  while (at + 8 <= end) {
    const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    if (tag === 0xfffe_e0dd) {
      closed = true;
      at += 8;
      break;
    }
    if (tag !== 0xfffe_e000) {
      refuse(
        starts.length === 0
          ? `its pixel data has no length and no fragments; ${copyAgain}`
          : `its pixel data holds something else than fragments; ${copyAgain}`,
      );
    }
    if (length > end - at - 8) refuse(`it ends inside its pixel data; ${copyAgain}`);
    if (starts.length > maxFragments) refuse(`it has more than ${maxFragments} fragments; leave it out`);
    starts.push(at + 8);
    lengths.push(length);
    at += 8 + length;
  }
  if (starts.length < 2) refuse(`its pixel data holds no code stream; ${copyAgain}`);
  const tableBytes = lengths[0] as number;
  const tableAt = starts[0] as number;
  const offsets = Array.from({ length: tableBytes >> 2 }, (_, i) => view.getUint32(tableAt + 4 * i, true));
  return { at: starts.slice(1), length: lengths.slice(1), offsets, closed, end: at };
}

/**
 * Finds which fragments make which frame. In this order: one frame takes all; as many fragments as frames; the Basic Offset
 * Table, where it points at fragments; where a code stream begins.
 *
 * @returns first fragment of each frame, and one past the last fragment of the last
 */
export function framesOfFragments(bytes: Uint8Array, fragments: Fragments, frames: number): readonly number[] {
  const count = fragments.at.length;
  if (frames === 1) return [0, count];
  if (count < frames) refuse(`it promises ${frames} frames, ${count} are there; ${copyAgain}`);
  if (count === frames) return Array.from({ length: frames + 1 }, (_, i) => i);
  const starts = framesByTable(fragments, frames) ?? framesByContent(bytes, fragments);
  if (starts.length !== frames) {
    refuse(`its ${count} fragments cannot be told apart into ${frames} frames; export it again with an offset table`);
  }
  return [...starts, count];
}

/** The bytes of fragments `from` to `to`, joined; a view where there is only one. */
export function joinFragments(bytes: Uint8Array, { at, length }: Fragments, from: number, to: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = from; i < to; i++) {
    const start = at[i] as number;
    parts.push(bytes.subarray(start, start + (length[i] as number)));
  }
  return concat(parts);
}

function framesByTable({ at, offsets }: Fragments, frames: number): readonly number[] | undefined {
  if (offsets.length !== frames) return undefined;
  const first = at[0] as number;
  const byOffset = new Map(at.map((start, i) => [start - first, i]));
  const starts = offsets.map((offset) => byOffset.get(offset));
  const rising = starts.every((start, i) =>
    start !== undefined && (i === 0 ? start === 0 : start > (starts[i - 1] ?? -1))
  );
  return rising ? starts as number[] : undefined;
}

function framesByContent(bytes: Uint8Array, { at, length }: Fragments): readonly number[] {
  return at.flatMap((start, i) => startsCodeStream(bytes.subarray(start, start + (length[i] as number))) ? [i] : []);
}
