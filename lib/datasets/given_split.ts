import { checkWord, MammolabError, seededRandom } from "../base/mod.ts";
import { allocate } from "./_allocate.ts";
import { assemble, group, refuseTwice, sealed } from "./_grouped.ts";
import { type FilmRecord, patientKey, recordKey } from "./records.ts";
import type { SplitOptions } from "./split.ts";
import type { Split } from "./sides.ts";

/**
 * The publisher's own split, for figures that can be set beside published ones.
 *
 * @param options.leaks what to do where a patient is on several sides: `"refuse"` (default), or `"drop from training"`:
 *   a patient with films in the test side keeps those alone, another one those in the validation side, and the notes say how
 *   many films were left out
 * @param options.validation takes a validation side from the published training side, by patient and stratified as
 *   `split` does: `share` of its patients, in (0, 1); for publishers who name none
 * @throws MammolabError when a record has no published side, when a side is empty, on a leak, or when a validation side is
 *   asked for and the publisher has one
 */
export function splitAsPublished(
  records: readonly FilmRecord[],
  { leaks = "refuse", validation }: {
    readonly leaks?: "refuse" | "drop from training";
    readonly validation?: Omit<SplitOptions, "by"> & { readonly share: number };
  } = {},
): Split {
  checkWord("Cannot split as published: for leaks", leaks, ["refuse", "drop from training"]);
  const without = records.filter(({ split }) => split === undefined);
  if (without.length > 0 || records.length === 0) {
    throw new MammolabError(
      `Cannot split as published: ${without.length} of ${records.length} records have no published side; split them by patient`,
    );
  }
  refuseTwice(records);
  const grouped = Map.groupBy(records, (record) => patientKey(record) ?? recordKey(record));
  const torn = [...grouped.values()].filter((films) => new Set(films.map(({ split }) => split)).size > 1);
  if (torn.length > 0 && leaks === "refuse") {
    throw new MammolabError(
      `Cannot split as published: ${torn.length} patients are on several sides (${torn[0]![0]!.patient}${
        torn.length > 1 ? " and others" : ""
      }); drop them from training, or split anew by patient`,
    );
  }
  const dropped = new Set(torn.flatMap((films) => {
    const held = films.some(({ split }) => split === "test") ? "test" : "validation";
    return films.filter(({ split }) => split !== held);
  }));
  const kept = records.filter((record) => !dropped.has(record));
  const notes = dropped.size === 0 ? [] : [
    `${dropped.size} training and validation films of ${torn.length} patients were left out, because other films of these patients are held out`,
  ];
  const taken = validation === undefined ? undefined : takenFromTraining(kept, validation);
  return sealed(kept, (record) => taken?.records.has(record) ? "validation" : record.split!, {
    by: "publisher",
    ...(validation === undefined ? {} : { seed: validation.seed }),
    notes: [...notes, ...taken?.notes ?? []],
    asked: ["training", "test"],
  });
}

function takenFromTraining(
  records: readonly FilmRecord[],
  { share, ...options }: Omit<SplitOptions, "by"> & { readonly share: number },
) {
  const held = records.filter(({ split }) => split === "validation");
  if (held.length > 0) {
    throw new MammolabError(
      `Cannot take a validation side from the published training side: the publisher has one, of ${held.length} films; ask for none`,
    );
  }
  if (!(share > 0 && share < 1)) {
    throw new MammolabError(
      `Cannot split as published: the share ${share} for validation must be above 0 and below 1; change it`,
    );
  }
  const how = { ...options, by: "patient" } as const;
  const grouped = group(records.filter(({ split }) => split === "training"), how);
  const sides = ["training", "validation"] as const;
  const sideOf = allocate(grouped.units, [1 - share, share], seededRandom(how.seed, "validation"));
  const { validation, notes } = assemble(grouped, sideOf.map((side) => sides[side]!), { options: how, asked: sides });
  return { records: new Set(validation.records), notes };
}

/** A split as plain JSON: the keys of the films on each side. */
export type SavedSplit = Omit<Split, "training" | "validation" | "test"> & {
  readonly training: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
};

/** Makes a split ready for `JSON.stringify`. */
export function saveSplit({ training, validation, test, ...rest }: Split): SavedSplit {
  const keys = ({ records }: { readonly records: readonly FilmRecord[] }) => records.map(recordKey);
  return { ...rest, training: keys(training), validation: keys(validation), test: keys(test) };
}

/**
 * Makes a split from what {@linkcode saveSplit} gave and the records it was made of; others are left out.
 *
 * @throws MammolabError when a film of it is missing among the records, or when its hash does not fit its content
 */
export function restoreSplit(records: readonly FilmRecord[], saved: SavedSplit): Split {
  const sides = new Map(
    (["training", "validation", "test"] as const).flatMap((side) => saved[side].map((key) => [key, side] as const)),
  );
  const kept = records.filter((record) => sides.has(recordKey(record)));
  refuseTwice(kept);
  if (kept.length < sides.size) {
    const here = new Set(kept.map(recordKey));
    const missing = [...sides.keys()].find((key) => !here.has(key));
    throw new MammolabError(
      `Cannot restore split ${saved.hash}: ${
        sides.size - kept.length
      } of its films are not among the records (${missing}); give the dataset that was split`,
    );
  }
  const { training: _, validation: __, test: ___, hash, ...rest } = saved;
  const restored = sealed(kept, (record) => sides.get(recordKey(record))!, { ...rest, asked: [] });
  if (restored.hash !== hash) {
    throw new MammolabError(
      `Cannot restore split ${saved.hash}: its sides were changed since it was made; split again`,
    );
  }
  return restored;
}
