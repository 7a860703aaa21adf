import { MammolabError } from "../base/mod.ts";

/** What reading one file may cost at most; `Infinity` for no limit. */
export type Limits = {
  /** Pixels of one frame; real mammograms have at most 30 million. */
  readonly maxPixels: number;
  /** Bytes of a file, also after inflating it. */
  readonly maxFileBytes: number;
  /** Milliseconds from the first byte to the last pixel; then the work is stopped. */
  readonly deadlineMs: number;
};

/** 100 million pixels, 2 gigabytes, 30 seconds. */
export const defaultLimits: Limits = { maxPixels: 100e6, maxFileBytes: 2e9, deadlineMs: 30_000 };

/**
 * Limits, with the defaults for those that are left out.
 *
 * @throws MammolabError when one is no number above 0
 *
 * @example
 * ```ts
 * import { limitsOf } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * assertEquals(limitsOf({ deadlineMs: 500 }), { maxPixels: 100e6, maxFileBytes: 2e9, deadlineMs: 500 });
 * ```
 */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  const limit = (name: keyof Limits): number => {
    const value = given[name] ?? defaultLimits[name];
    if (!(value > 0)) {
      throw new MammolabError(
        `Cannot read with the limit ${name} of ${value}: it is no number above 0; correct it, or leave it out`,
      );
    }
    return Math.min(value, Number.MAX_SAFE_INTEGER); // the JSON of a job has no Infinity: it would arrive as nothing
  };
  return { maxPixels: limit("maxPixels"), maxFileBytes: limit("maxFileBytes"), deadlineMs: limit("deadlineMs") };
}
