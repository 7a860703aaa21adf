// Stand-in for @std/assert where JSR cannot be reached: the same names and argument order over node:assert/strict.
// Differences that matter and are bridged: 0 equals -0, null-prototype objects equal plain ones (facts of @std/assert 1.0.19).
import strict from "node:assert/strict";

export const AssertionError = strict.AssertionError;

const fail_ = (message: string): never => {
  throw new strict.AssertionError({ message });
};
const show = (value: unknown): string => Deno.inspect(value, { depth: 4, iterableLimit: 20 });

/** Copies a value with -0 as 0 and null prototypes as plain ones, so that deepStrictEqual judges as @std/assert does. */
function plain(value: unknown, seen = new Map<unknown, unknown>()): unknown {
  if (typeof value === "number") return value === 0 ? 0 : value;
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (value instanceof Float32Array || value instanceof Float64Array) return value.map((x) => (x === 0 ? 0 : x));
  if (Array.isArray(value)) {
    const out: unknown[] = [];
    seen.set(value, out);
    for (const item of value) out.push(plain(item, seen));
    return out;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  const out: Record<string, unknown> = {};
  seen.set(value, out);
  for (const key of Object.keys(value)) out[key] = plain((value as Record<string, unknown>)[key], seen);
  return out;
}

function equalTo(actual: unknown, expected: unknown): boolean {
  try {
    strict.deepStrictEqual(plain(actual), plain(expected));
    return true;
  } catch {
    return false;
  }
}

export function assert(condition: unknown, message = "the condition is false"): asserts condition {
  if (!condition) fail_(message);
}
export function assertFalse(condition: unknown, message = "the condition is true"): void {
  if (condition) fail_(message);
}
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  if (!equalTo(actual, expected)) fail_(message ?? `values differ: ${show(actual)} is not ${show(expected)}`);
}
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (equalTo(actual, expected)) fail_(message ?? `values are equal: ${show(actual)}`);
}
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!Object.is(actual, expected)) fail_(message ?? `${show(actual)} is not the same as ${show(expected)}`);
}
export function assertNotStrictEquals(actual: unknown, expected: unknown, message?: string): void {
  if (Object.is(actual, expected)) fail_(message ?? `${show(actual)} is the same`);
}
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) fail_(message ?? "the value is missing");
}
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? Math.abs(expected) * 1e-7;
  if (!(Math.abs(actual - expected) <= allowed)) {
    fail_(message ?? `${actual} is not within ${allowed} of ${expected}`);
  }
}
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) fail_(message ?? `${show(actual)} is not above ${show(expected)}`);
}
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) fail_(message ?? `${show(actual)} is below ${show(expected)}`);
}
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) fail_(message ?? `${show(actual)} is not below ${show(expected)}`);
}
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) fail_(message ?? `${show(actual)} is above ${show(expected)}`);
}
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) fail_(message ?? `${show(actual)} does not match ${expected}`);
}
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) fail_(message ?? `${show(actual)} matches ${expected}`);
}
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) fail_(message ?? `${show(actual)} does not contain ${show(expected)}`);
}
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((e) => !items.some((a) => equalTo(a, e)));
  if (missing.length > 0) fail_(message ?? `missing: ${show(missing)}`);
}
// deno-lint-ignore no-explicit-any
export function assertInstanceOf<T extends abstract new (...args: any[]) => unknown>(
  actual: unknown,
  type: T,
  message?: string,
): asserts actual is InstanceType<T> {
  if (!(actual instanceof type)) fail_(message ?? `${show(actual)} is no ${type.name}`);
}
// deno-lint-ignore no-explicit-any
type ErrorType = abstract new (...args: any[]) => Error;
export function assertIsError(error: unknown, type?: ErrorType, includes?: string | RegExp, message?: string): void {
  if (!(error instanceof Error)) fail_(message ?? `${show(error)} is no error`);
  const text = (error as Error).message;
  if (type && !(error instanceof type)) {
    fail_(message ?? `expected ${type.name}, got ${(error as Error).name}: ${text}`);
  }
  if (includes instanceof RegExp ? !includes.test(text) : includes !== undefined && !text.includes(includes)) {
    fail_(message ?? `expected the message to contain ${show(includes)}, got ${show(text)}`);
  }
}
export function assertThrows(
  run: () => unknown,
  type?: ErrorType | string,
  includes?: string,
  message?: string,
): Error {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error ?? new Error("threw nothing");
  }
  if (thrown === undefined) fail_(message ?? "expected it to throw");
  if (typeof type === "function") assertIsError(thrown, type, includes, message);
  return thrown as Error;
}
export async function assertRejects(
  run: () => PromiseLike<unknown>,
  type?: ErrorType | string,
  includes?: string,
  message?: string,
): Promise<Error> {
  let thrown: unknown;
  try {
    await run();
  } catch (error) {
    thrown = error ?? new Error("threw nothing");
  }
  if (thrown === undefined) fail_(message ?? "expected it to reject");
  if (typeof type === "function") assertIsError(thrown, type, includes, message);
  return thrown as Error;
}
export function assertObjectMatch(actual: Record<PropertyKey, unknown>, expected: Record<PropertyKey, unknown>): void {
  for (const [key, value] of Object.entries(expected)) {
    const got = actual[key];
    if (
      typeof value === "object" && value !== null && typeof got === "object" && got !== null && !Array.isArray(value)
    ) {
      assertObjectMatch(got as Record<string, unknown>, value as Record<string, unknown>);
    } else if (!equalTo(got, value)) fail_(`${key}: ${show(got)} is not ${show(value)}`);
  }
}
export function fail(message?: string): never {
  return fail_(message ?? "failed");
}
export function unreachable(message?: string): never {
  return fail_(message ?? "unreachable");
}
