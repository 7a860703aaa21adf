import { MammolabError } from "../../base/mod.ts";
import type { Limits } from "../limits.ts";

/**
 * Stops reading. The reason holds what was found, what was expected, and after the semicolon what to do; the public door
 * (mod.ts) puts "Cannot read FILE: " before it. It never holds a value from the file's header, only tags, sizes and limits.
 */
export function refuse(reason: string, cause?: unknown): never {
  throw new MammolabError(reason, cause === undefined ? undefined : { cause });
}

/** A number for a sentence: `100,000,000`. */
export const count = (value: number): string => value.toLocaleString("en-US");

/** The remedy for files above a limit. */
export const loadLarger = (limit: keyof Limits): string =>
  `leave it out, or read it in a script of your own with larger limits.${limit} if it is trusted`;

/** The remedy for files that end too early or were damaged on the way. */
export const copyAgain = "copy or export it again";
