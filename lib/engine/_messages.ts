// What the two sides of a session say to each other.
import { type ArrayKind, arrayKinds, putArrays, takeArrays } from "../base/mod.ts";
import type { BlockingSessionOptions, Provider } from "./native.ts";
import type { ProviderCheck } from "./provider.ts";
import type { EngineTensor, Port } from "./tensor.ts";

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
  readonly packed: ArrayKind;
  readonly buffer: ArrayBuffer;
  readonly offset: number;
  readonly length: number;
};

/**
 * A message without typed arrays. Deno 2.9.6 walks over every element of a typed array in a message of `node:worker_threads`
 * in search of ports: 10 ms for a film of 224 × 224, seconds for the attention of a large network; a buffer costs nothing.
 * An array that is only a part of its buffer, and does not move as a whole, is copied out of it. Shared memory stays as it is.
 *
 * @param moving buffers that are transferred
 */
export function packed(value: unknown, moving: readonly ArrayBuffer[] = []): unknown {
  return takeArrays(value, (array, kind) => {
    if (!(array.buffer instanceof ArrayBuffer)) return array;
    const whole = array.byteLength === array.buffer.byteLength || moving.includes(array.buffer);
    const { buffer, byteOffset, length } = whole ? array : array.slice();
    return { packed: kind, buffer: buffer as ArrayBuffer, offset: byteOffset, length } satisfies Packed;
  });
}

/** The message as it was before {@linkcode packed}. */
export function unpacked(message: unknown): unknown {
  return putArrays(message, (record) => {
    if (!("packed" in record)) return undefined;
    const { packed, buffer, offset, length } = record as Packed;
    return new arrayKinds[packed](buffer, offset, length);
  });
}
