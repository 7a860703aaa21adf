import { MammolabError } from "../base/mod.ts";
import type { Oddity } from "./oddities.ts";
import type { FilmRecord } from "./records.ts";

/** The patient in a file name: the group named `patient`, else the first group, else the whole match. */
export function patientOf(path: string, pattern: RegExp): string | undefined {
  const found = new RegExp(pattern).exec(path.replaceAll("\\", "/")); // a copy: one with the g flag would remember
  if (!found) return undefined;
  return found.groups?.patient ?? found[1] ?? found[0];
}

/**
 * What is to be told when patients were sought by a pattern or not at all.
 *
 * @throws MammolabError when a pattern matches no name at all: then it is wrong, and each file would count as unknown
 */
export function unknownPatients(
  records: readonly FilmRecord[],
  { pattern, source }: { readonly pattern: RegExp | undefined; readonly source: string },
): Oddity[] {
  const unknown = records.filter(({ patient }) => patient === undefined).length;
  if (pattern && records.length > 0 && unknown === records.length) {
    throw new MammolabError(
      `Cannot find patients in ${source}: the pattern ${pattern} matches none of ${records.length} file names; correct it, for example ^(\\w+?)_ for P12_L_CC.png`,
    );
  }
  const why = pattern ? `the pattern ${pattern} does not match their names` : "neither a column nor a pattern names it";
  return unknown > 0 ? [{ kind: "patients unknown", count: unknown, why }] : [];
}

/** The published side that a folder or a cell names: `train`, `val`, `dev`, `test` and their longer forms. */
export function sideNamed(word: string): FilmRecord["split"] {
  switch (word.trim().toLowerCase()) {
    case "train":
    case "training":
      return "training";
    case "val":
    case "valid":
    case "validation":
    case "dev":
      return "validation";
    case "test":
    case "testing":
      return "test";
  }
  return undefined;
}
