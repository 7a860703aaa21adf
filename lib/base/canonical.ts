/**
 * A plain value as JSON that does not depend on the order in which its keys stand: equal values have equal texts.
 *
 * @example
 * ```ts
 * import { canonicalJson } from "mammolab/base";
 * import { assertEquals } from "@std/assert";
 * assertEquals(canonicalJson({ b: 1, a: { d: [2, 1], c: 3 } }), '{"a":{"c":3,"d":[2,1]},"b":1}');
 * ```
 */
export function canonicalJson(value: object): string {
  return JSON.stringify(
    value,
    (_, item) =>
      item && typeof item === "object" && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
        : item,
  );
}
