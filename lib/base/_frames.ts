// Messages between a process and its child: plain JSON with typed arrays in it, and a body of bytes behind it.
//
//   magic u32 · length of the header u32 · header (JSON: value, arrays, body) · the arrays' bytes · the body's bytes
//
// Arrays travel as they lie in memory (both ends are on one machine), so nothing is turned into text.
import { type ArrayKind, arrayKinds, putArrays, takeArrays, type TypedArray } from "./arrays.ts";
import type { Body } from "./body.ts";
import { MammolabError } from "./errors.ts";

/** One message. */
export type Frame = { readonly value: unknown; readonly body?: Uint8Array };

/** Reads some bytes into the array; null at the end. `Deno.stdin.read` is one. */
export type ReadInto = (into: Uint8Array) => Promise<number | null> | number | null;

type Header = {
  readonly value: unknown;
  readonly arrays: readonly (readonly [kind: ArrayKind, length: number])[];
  readonly body?: number;
};

const magic = 0x6d6d6c31; // "mml1": what a decoder prints by mistake is not taken for a message
const maxHeader = 64e6;
const placeholder = "#array";
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]; // one for each message is a third of its garbage

/** The pieces of a message in the order of writing; the body, where it is a stream, follows from the caller. */
export function encodeFrame(value: unknown, body?: Body): Uint8Array[] {
  const arrays: TypedArray[] = [];
  const shapes: [ArrayKind, number][] = [];
  const plain = takeArrays(value, (array, kind) => {
    arrays.push(array);
    shapes.push([kind, array.length]);
    return { [placeholder]: arrays.length - 1 };
  });
  const size = body instanceof Uint8Array ? body.length : body?.size;
  const header: Header = { value: plain, arrays: shapes, ...(size === undefined ? {} : { body: size }) };
  const text = encoder.encode(" ".repeat(8) + JSON.stringify(header)); // with room for the two numbers before it
  const view = new DataView(text.buffer, text.byteOffset);
  view.setUint32(0, magic);
  view.setUint32(4, text.length - 8);
  const pieces = [text, ...arrays.map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength))];
  return body instanceof Uint8Array ? [...pieces, body] : pieces;
}

/**
 * Reads one message; undefined where the stream ends before it.
 *
 * @param first reads the beginning of the message, `read` what follows
 * @throws MammolabError when it is no message of ours
 */
export async function readFrame(read: ReadInto, first: ReadInto = read): Promise<Frame | undefined> {
  const prefix = new Uint8Array(8);
  if (!await fill(first, prefix)) return undefined;
  const view = new DataView(prefix.buffer);
  const length = view.getUint32(4);
  if (view.getUint32(0) !== magic || length > maxHeader) throw broken();
  const text = new Uint8Array(length);
  if (!await fill(read, text)) throw broken();
  const header = JSON.parse(decoder.decode(text)) as Header;
  const arrays: TypedArray[] = [];
  for (const [kind, count] of header.arrays) {
    const array = new arrayKinds[kind](count);
    if (!await fill(read, new Uint8Array(array.buffer))) throw broken();
    arrays.push(array);
  }
  const value = arrays.length === 0
    ? header.value
    : putArrays(header.value, (record) => placeholder in record ? arrays[Number(record[placeholder])] : undefined);
  if (header.body === undefined) return { value };
  const body = new Uint8Array(header.body);
  if (!await fill(read, body)) throw broken();
  return { value, body };
}

/** The buffers of a result that may be handed over instead of copied: each array that fills a buffer of its own. */
export function transferable(value: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  takeArrays(value, (array) => {
    if (array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength) found.add(array.buffer);
    return array;
  });
  return [...found];
}

function broken(): MammolabError {
  return new MammolabError("Cannot read the answer of a child process: it is no message of ours; try again");
}

async function fill(read: ReadInto, into: Uint8Array): Promise<boolean> {
  for (let at = 0; at < into.length;) {
    const count = await read(into.subarray(at));
    if (count === null) return false;
    at += count;
  }
  return true;
}
