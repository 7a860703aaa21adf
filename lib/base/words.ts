import { MammolabError } from "./errors.ts";

/**
 * Refuses a word that an option does not know. Types say it too, but notebooks run without a type checker, and a misspelled word
 * must not pass for another one.
 *
 * @param what the beginning of the sentence, up to the option
 *
 * @example
 * ```ts
 * import { checkWord } from "mammolab/base";
 * import { assertThrows } from "@std/assert";
 * const check = () => checkWord<string>("Cannot resize: the filter", "nearest", ["area", "bilinear", "bicubic"]);
 * assertThrows(check, Error, 'the filter "nearest" is none of area, bilinear, bicubic; choose one of them');
 * ```
 */
export function checkWord<Word extends string>(what: string, word: Word, known: readonly Word[]): void {
  if (known.includes(word)) return;
  throw new MammolabError(`${what} ${JSON.stringify(word)} is none of ${known.join(", ")}; choose one of them`);
}
