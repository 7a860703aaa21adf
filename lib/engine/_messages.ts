// What the two sides of a session say to each other.
import type { BlockingSessionOptions, Provider } from "./native.ts";
import type { ProviderCheck } from "./provider.ts";
import type { EngineTensor, Port, TensorData } from "./tensor.ts";

export type Request =
  | { readonly kind: "open"; readonly options: BlockingSessionOptions; readonly mustBeFaster: boolean }
  | { readonly kind: "check"; readonly provider: Provider }
  | {
    readonly kind: "run";
    readonly feeds: Readonly<Record<string, EngineTensor>>;
    readonly fetch?: readonly string[];
    readonly into?: Readonly<Record<string, EngineTensor>>;
    /** Set to 1 by the caller's side: a call that still waits is dropped. Shared memory, for a busy Worker hears no message. */
    readonly cancelled?: Int32Array;
  }
  | { readonly kind: "close" };

/** What each request is answered with. */
export type Results = {
  readonly open:
    | { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
    | ProviderCheck & { works: false };
  readonly check: ProviderCheck;
  readonly run: { readonly outputs: Readonly<Record<string, EngineTensor>>; readonly seconds: number } | "cancelled";
  readonly close: undefined;
};

export type Call = Request & { readonly id: number };

export type Answer =
  | { readonly id: number; readonly result: Results[Request["kind"]] }
  | { readonly id: number; readonly error: { readonly sentence: string; readonly cause?: string } };

/** A typed array on its way: its memory, and how to look at it. */
type Packed = {
  readonly packed: string;
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly length: number;
};

/**
 * A message without typed arrays. Deno 2.9.6 walks over every element of a typed array in a message of `node:worker_threads`
 * in search of ports: 10 ms for a film of 224 × 224, seconds for the attention of a large network; a buffer costs nothing.
 * An array that is only a part of its buffer, and does not move as a whole, is copied out of it.
 *
 * @param moving buffers that are transferred
 */
export function packed(value: unknown, moving: readonly ArrayBuffer[] = []): unknown {
  if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) {
    const view = value as TensorData & { readonly buffer: ArrayBuffer };
    const whole = view.byteLength === view.buffer.byteLength || moving.includes(view.buffer);
    const sent = whole ? view : view.slice() as TensorData & { readonly buffer: ArrayBuffer };
    return {
      packed: view.constructor.name,
      buffer: sent.buffer,
      offset: sent.byteOffset,
      length: sent.length,
    } satisfies Packed;
  }
  if (Array.isArray(value)) return value.map((one) => packed(one, moving));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, packed(one, moving)]));
}

/** The message as it was before {@linkcode packed}. */
export function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if ("packed" in value) {
    const { packed, buffer, offset, length } = value as Packed;
    return new kinds[packed]!(buffer, offset, length);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpacked(one)]));
}

const kinds: Readonly<Record<string, new (buffer: ArrayBuffer, offset: number, length: number) => TensorData>> = Object
  .fromEntries(
    [
      Float32Array,
      Float64Array,
      Int8Array,
      Uint8Array,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
    ].map((kind) => [kind.name, kind]),
  );
