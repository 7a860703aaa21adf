// Typed arrays inside of plain values: taken out of a message before it leaves, put back where it arrives.
import { MammolabError } from "./errors.ts";

/** The kinds of numbers that travel, 8 to 64 bits, by their names. */
export const arrayKinds = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
} as const;

/** One of the names in {@linkcode arrayKinds}. */
export type ArrayKind = keyof typeof arrayKinds;

/** An array of one of the {@linkcode arrayKinds}. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * The value with something else in place of each typed array in it. Only what holds one is copied: copies of everything are a
 * third of the garbage of a message.
 *
 * @throws MammolabError for a view that is none of these kinds
 */
export function takeArrays(value: unknown, replace: (array: TypedArray, kind: ArrayKind) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    for (const [kind, type] of Object.entries(arrayKinds)) {
      if (value instanceof type) return replace(value, kind as ArrayKind);
    }
    throw new MammolabError(`Cannot send ${value.constructor.name} elsewhere: arrays of 8 to 64-bit numbers can`);
  }
  const from = value as Record<string | number, unknown>;
  let copy: Record<string | number, unknown> | undefined;
  for (const key of keysOf(value)) {
    const plain = takeArrays(from[key], replace);
    if (plain === from[key]) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string | number, unknown>;
    copy[key] = plain;
  }
  return copy ?? value;
}

/** Puts back what {@linkcode takeArrays} took, into the value itself. @param restore gives the array that a record stands for */
export function putArrays(value: unknown, restore: (record: object) => TypedArray | undefined): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const array = restore(value);
  if (array) return array;
  const own = value as Record<string | number, unknown>;
  for (const key of keysOf(value)) own[key] = putArrays(own[key], restore);
  return value;
}

function keysOf(value: object): Iterable<string | number> {
  return Array.isArray(value) ? value.keys() : Object.keys(value);
}
