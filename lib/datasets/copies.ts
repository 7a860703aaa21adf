import { basename, extname } from "node:path";

/**
 * Marks that tools leave at the end of a file name when they write another version of a picture. ` (37)` counts only after a
 * name with a digit: `20587612 (37)` is copy 37 of film 20587612 (as in the Mendeley set), but `benign (37)` is picture 37.
 */
const marks = [
  /^(.*\d.*?)( ?\(\d+\))$/,
  /^(.+?)([ _-]+(?:aug(?:mented)?|rot(?:ate|ated|ation)?|[hv]?flip(?:ped)?(?:lr|ud)?|mirror(?:ed)?|copy|dup(?:licate)?)(?:[ _-]*(?:\d+|[hvlr]|lr|ud))?)$/i,
];

/**
 * What a file name says about copies.
 *
 * @returns the name of the film without its ending and marks, and the marks in the order in which they stand
 *
 * @example
 * ```ts
 * import { copyMarks } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * assertEquals(copyMarks("masses/20587612 (37).png"), { original: "20587612", marks: [" (37)"] });
 * assertEquals(copyMarks("mdb001_rot90.pgm"), { original: "mdb001", marks: ["_rot90"] });
 * assertEquals(copyMarks("benign (37).png").marks, []);
 * ```
 */
export function copyMarks(file: string): { readonly original: string; readonly marks: readonly string[] } {
  const name = basename(file.replaceAll("\\", "/"));
  let original = name.slice(0, name.length - extname(name).length) || name;
  const found: string[] = [];
  for (let at = 0; at < marks.length;) {
    const [, before, mark] = marks[at]!.exec(original) ?? [];
    if (before === undefined || mark === undefined) at++;
    else {
      original = before;
      found.unshift(mark);
      at = 0;
    }
  }
  return { original, marks: found };
}
