import { MammolabError } from "../base/mod.ts";
import { type Field, fieldsOf } from "./protobuf.ts";

/** A weight in an ONNX model. */
export type OnnxInitializer = {
  readonly name: string;
  readonly shape: readonly number[];
  /** ONNX element type: 1 float32, 10 float16, 16 bfloat16, 7 int64 … */
  readonly type: number;
  /** The numbers, little-endian: a view into the model's bytes. Absent when they lie in another file. */
  readonly bytes?: Uint8Array;
  /** Where they lie instead. */
  readonly external?: { readonly location: string; readonly offset: number; readonly length: number };
};

/** What can be read of an ONNX model without running it. */
export type OnnxModel = {
  /** Who wrote it: `mammolab`, `pytorch`, … */
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly opset: number;
  readonly initializers: readonly OnnxInitializer[];
  /** Operator names of the nodes, in order. */
  readonly operators: readonly string[];
};

/**
 * Reads the frame of an ONNX model (onnx.proto): producer, metadata, weights, operator names.
 *
 * @param what the model's name in errors
 * @throws MammolabError when the bytes are no ONNX model
 */
export function readOnnx(bytes: Uint8Array, what = "the ONNX model"): OnnxModel {
  const fields = (start?: number, end?: number) => fieldsOf(bytes, start, end, what);
  const text = ({ start, end }: Field) => new TextDecoder().decode(bytes.subarray(start, end));
  const metadata = new Map<string, string>();
  const initializers: OnnxInitializer[] = [];
  const operators: string[] = [];
  let producer = "";
  let opset = 0;
  let graphs = 0;

  for (const part of fields()) {
    if (part.field === 2) producer = text(part);
    if (part.field === 8) {
      for (const one of fields(part.start, part.end)) {
        if (one.field === 2) opset = Math.max(opset, Number(one.value));
      }
    }
    if (part.field === 14) {
      const [key, value] = entry(part);
      metadata.set(key, value);
    }
    if (part.field !== 7) continue;
    graphs++;
    for (const inner of fields(part.start, part.end)) {
      if (inner.field === 5) initializers.push(initializer(inner));
      if (inner.field !== 1) continue;
      for (const one of fields(inner.start, inner.end)) if (one.field === 4) operators.push(text(one));
    }
  }
  if (graphs !== 1) {
    throw new MammolabError(`Cannot read ${what}: it holds no graph; check that it is an ONNX file`);
  }
  return { producer, metadata, opset, initializers, operators };

  function entry({ start, end }: Field): [string, string] {
    const pair = ["", ""] as [string, string];
    for (const one of fields(start, end)) {
      if (one.field === 1 || one.field === 2) pair[one.field - 1] = text(one);
    }
    return pair;
  }

  function initializer({ start, end }: Field): OnnxInitializer {
    const shape: number[] = [];
    const external = new Map<string, string>();
    let [name, type] = ["", 0];
    let raw: Uint8Array | undefined;
    for (const one of fields(start, end)) {
      if (one.field === 1) shape.push(...(one.start === one.end ? [Number(one.value)] : packed(one)));
      if (one.field === 2) type = Number(one.value);
      if (one.field === 8) name = text(one);
      if (one.field === 9) raw = bytes.subarray(one.start, one.end);
      if (one.field === 13) external.set(...entry(one));
    }
    const location = external.get("location");
    return {
      name,
      shape,
      type,
      ...(raw ? { bytes: raw } : {}),
      ...(location === undefined ? {} : {
        external: {
          location,
          offset: Number(external.get("offset") ?? 0),
          length: Number(external.get("length") ?? 0),
        },
      }),
    };
  }

  /** Repeated integers may come in one piece (proto3 packs them). */
  function packed({ start, end }: Field): number[] {
    const out: number[] = [];
    let [value, shift] = [0, 0];
    for (let at = start; at < end; at++) {
      value += (bytes[at]! & 127) * 2 ** shift;
      shift += 7;
      if (bytes[at]! < 128) {
        out.push(value);
        [value, shift] = [0, 0];
      }
    }
    return out;
  }
}
