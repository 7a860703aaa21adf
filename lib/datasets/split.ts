import { MammolabError, seededRandom } from "../base/mod.ts";
import { allocate } from "./_allocate.ts";
import { assemble, group } from "./_grouped.ts";
import { type FilmRecord, labelOf, type SideName } from "./records.ts";
import { sealTraining, type Split, type TrainingSide } from "./sides.ts";

/** What all ways to split have in common. */
export type SplitOptions = {
  /** `"patient"`: all films of a patient on one side. `"record"`: each film for itself, which leaks; for controls. */
  readonly by: "patient" | "record";
  readonly seed: number;
  /** The classes that each side gets its share of; default {@linkcode labelOf}. Also `(r) => labelOf(r) + r.density`. */
  readonly stratify?: (record: FilmRecord) => string | undefined;
  /** Says that files whose patient is unknown are patients of their own, which nobody can check; it is noted. */
  readonly eachFileIsAPatient?: boolean;
};

/** Shares of the patients, in (0, 1). */
export type HoldOut = { readonly test: number; readonly validation?: number };

/**
 * Splits once, grouped and stratified: every patient is on one side, and every side has nearly its share of the records of
 * each class, of the patients who have the class, and of the patients.
 *
 * The order of the records does not matter; the same seed gives the same split. A patient with two labels counts in both
 * classes. Where whole patients cannot fill a share, the split is the nearest one, and `notes` name classes that a side lacks.
 *
 * @throws MammolabError when a patient is unknown (unless `eachFileIsAPatient`), a record occurs twice, shares do not leave
 *   a training side, or a side would be empty
 *
 * @example
 * ```ts
 * import { split } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * const records = Array.from({ length: 40 }, (_, i) => ({
 *   id: `film ${i}`, patient: `${i >> 1}`, labels: { image: { value: i % 8 ? "normal" : "malignant", rule: "example" } },
 *   lesions: [], file: "", dataset: "example", oddities: [],
 * }));
 * const { training, validation, test } = split(records, { by: "patient", seed: 1, holdOut: { test: 0.2, validation: 0.2 } });
 * assertEquals([training, validation, test].map((side) => side.records.length), [24, 8, 8]);
 * ```
 */
export function split(
  records: readonly FilmRecord[],
  options: SplitOptions & { readonly holdOut: HoldOut },
): Split {
  const { test, validation = 0 } = options.holdOut;
  if (!(test > 0 && validation >= 0 && test + validation < 1)) {
    throw new MammolabError(
      `Cannot split: the shares ${test} for test and ${validation} for validation must be above 0 (validation may be 0) and together below 1; change them`,
    );
  }
  const grouped = group(records, options);
  const sides: SideName[] = validation > 0 ? ["training", "validation", "test"] : ["training", "test"];
  const shares = validation > 0 ? [1 - test - validation, validation, test] : [1 - test, test];
  const random = seededRandom(options.seed, "hold out");
  const sideOf = allocate(grouped.units, shares, random).map((side) => sides[side]!);
  return assemble(grouped, sideOf, { options, asked: sides });
}

/**
 * k-fold splits, grouped and stratified as {@linkcode split}: each film is in the test side of one fold, of each repeat.
 *
 * @param options.folds how many; at most as many as patients
 * @param options.repeats how often, each time divided anew; default 1
 * @param options.validation share of all patients that each fold takes from its training patients for validation; default 0
 * @returns `folds · repeats` splits, repeat by repeat
 */
export function splitFolds(
  records: readonly FilmRecord[],
  options: SplitOptions & { readonly folds: number; readonly repeats?: number; readonly validation?: number },
): Split[] {
  const { folds, repeats = 1, validation = 0, seed } = options;
  if (!(Number.isInteger(folds) && folds >= 2 && Number.isInteger(repeats) && repeats >= 1)) {
    throw new MammolabError(
      `Cannot split into ${folds} folds ${repeats} times: at least 2 folds and 1 repeat are needed`,
    );
  }
  const rest = 1 - 1 / folds;
  if (!(validation >= 0 && validation < rest)) {
    throw new MammolabError(
      `Cannot split: a validation share of ${validation} leaves nothing to train on in ${folds} folds; it must be below ${
        rest.toFixed(2)
      }`,
    );
  }
  const grouped = group(records, options);
  if (grouped.units.length < folds) {
    throw new MammolabError(
      `Cannot split ${grouped.units.length} patients into ${folds} folds: each fold needs one; ask for fewer folds`,
    );
  }
  const asked: SideName[] = validation > 0 ? ["training", "validation", "test"] : ["training", "test"];
  return Array.from({ length: repeats }, (_, repeat) => {
    const random = seededRandom(seed, "folds", repeat);
    const foldOf = allocate(grouped.units, Array.from({ length: folds }, () => 1 / folds), random);
    return Array.from({ length: folds }, (_, fold) => {
      const sideOf = foldOf.map((at): SideName => at === fold ? "test" : "training");
      if (validation > 0) {
        const learning = [...foldOf.keys()].filter((unit) => foldOf[unit] !== fold);
        const share = validation / rest;
        const random = seededRandom(seed, "validation", repeat, fold);
        const held = allocate(learning.map((unit) => grouped.units[unit]!), [1 - share, share], random);
        learning.forEach((unit, i) => {
          if (held[i] === 1) sideOf[unit] = "validation";
        });
      }
      return assemble(grouped, sideOf, { options, asked, fold: { fold, folds, repeat } });
    });
  }).flat();
}

/**
 * A smaller training side, stratified, to learn how much the number of patients matters.
 *
 * @param options.patients how many to keep; the smaller sides of one seed do not contain each other
 */
export function fewerPatients(
  side: TrainingSide,
  { patients, seed, stratify = labelOf }: {
    readonly patients: number;
    readonly seed: number;
    readonly stratify?: (record: FilmRecord) => string | undefined;
  },
): TrainingSide {
  const { units, films } = group(side.records, { by: "patient", seed, stratify, eachFileIsAPatient: true });
  if (!(Number.isInteger(patients) && patients >= 1 && patients <= units.length)) {
    throw new MammolabError(
      `Cannot keep ${patients} of ${units.length} training patients; ask for 1 to ${units.length}`,
    );
  }
  if (patients === units.length) return side;
  const share = patients / units.length;
  const kept = allocate(units, [share, 1 - share], seededRandom(seed, "fewer patients"));
  const taken = new Set(films.flatMap((same, unit) => kept[unit] === 0 ? same : []));
  return sealTraining(side.records.filter((record) => taken.has(record)), side.splitHash);
}
