/**
 * The one error of mammolab.
 *
 * Its message is one sentence: **Cannot** *action* *thing* **:** *what was found, what was expected* **;** *what to do*.
 * It never contains a header value of a DICOM file, because those may identify a person.
 *
 * @example
 * ```ts
 * import { MammolabError, sentenceOf } from "mammolab/base";
 * import { assertEquals } from "@std/assert";
 * const error = new MammolabError("Cannot read a.pgm: the file is empty; copy it again");
 * assertEquals(sentenceOf(error), "Cannot read a.pgm: the file is empty; copy it again");
 * ```
 */
export class MammolabError extends Error {
  /** Always `"MammolabError"`. */
  override readonly name = "MammolabError";
}

/** The sentence to show for anything that was thrown: first line only, control characters removed, never a stack. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // deno-lint-ignore no-control-regex
  return (text.split("\n")[0] ?? "").replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim() || "unknown error";
}
