import { joinBytes, MammolabError } from "../base/mod.ts";

// The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as ONNX needs it. A schema compiler would copy the
// bytes of the weights and hold whole messages in memory; this is two small functions.

/** A message while it is written: fields are appended in any order. */
export type MessageWriter = {
  readonly integer: (field: number, value: number | bigint) => MessageWriter;
  readonly float: (field: number, value: number) => MessageWriter;
  readonly text: (field: number, value: string) => MessageWriter;
  readonly bytes: (field: number, value: Uint8Array) => MessageWriter;
  readonly message: (field: number, value: MessageWriter) => MessageWriter;
  /** The length so far, in bytes. */
  readonly size: () => number;
  /** The pieces, in order; large byte arrays are not copied. */
  readonly parts: () => readonly Uint8Array[];
};

const encoder = new TextEncoder();

/** A new, empty message. */
export function message(): MessageWriter {
  const parts: Uint8Array[] = [];
  let size = 0;
  const push = (bytes: Uint8Array) => {
    parts.push(bytes);
    size += bytes.length;
  };
  const writer: MessageWriter = {
    integer(field, value) {
      push(varint(field << 3));
      push(varint(value));
      return writer;
    },
    float(field, value) {
      push(varint(field << 3 | 5));
      push(new Uint8Array(Float32Array.of(value).buffer)); // little-endian, as are all machines that Deno runs on
      return writer;
    },
    text: (field, value) => writer.bytes(field, encoder.encode(value)),
    bytes(field, value) {
      push(varint(field << 3 | 2));
      push(varint(value.length));
      push(value);
      return writer;
    },
    message(field, value) {
      push(varint(field << 3 | 2));
      push(varint(value.size()));
      for (const part of value.parts()) push(part);
      return writer;
    },
    size: () => size,
    parts: () => parts,
  };
  return writer;
}

/** All bytes of a message in one piece. */
export function bytesOf(writer: MessageWriter): Uint8Array<ArrayBuffer> {
  return joinBytes(writer.parts());
}

function varint(value: number | bigint): Uint8Array {
  const out: number[] = [];
  if (typeof value === "number" && value >= 0 && value < 2 ** 31) {
    do {
      const low = value & 127;
      value >>>= 7;
      out.push(value ? low | 128 : low);
    } while (value);
    return Uint8Array.from(out);
  }
  let rest = BigInt.asUintN(64, BigInt(value)); // negative numbers take ten bytes
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest ? low | 128 : low);
  } while (rest);
  return Uint8Array.from(out);
}

/** One field of a message: a number (kinds 0, 1, 5) or bytes that lie at `[start, end)` of what was read. */
export type Field = {
  readonly field: number;
  readonly value: bigint;
  readonly start: number;
  readonly end: number;
};

/**
 * The fields of a message in their order.
 *
 * @param what the message's name in errors
 *
 * @throws MammolabError when the bytes are no message: a length that leads outside, or a kind that does not exist
 */
export function* fieldsOf(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  what = "the ONNX model",
): Generator<Field> {
  let at = start;
  const broken = () => new MammolabError(`Cannot read ${what}: its bytes are damaged or cut; copy or export it again`);
  const read = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= end) throw broken();
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw broken();
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (at < end) {
    const key = Number(read());
    const [field, kind] = [key >>> 3, key & 7];
    if (kind === 0) {
      yield { field, value: read(), start: at, end: at };
    } else if (kind === 2) {
      const length = Number(read());
      if (!(length <= end - at)) throw broken();
      yield { field, value: BigInt(length), start: at, end: at + length };
      at += length;
    } else if (kind === 1 || kind === 5) {
      const width = kind === 1 ? 8 : 4;
      if (width > end - at) throw broken();
      yield {
        field,
        value: kind === 1 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)),
        start: at,
        end: at + width,
      };
      at += width;
    } else {
      throw broken();
    }
  }
}
