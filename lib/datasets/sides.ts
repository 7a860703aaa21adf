import type { FilmRecord } from "./records.ts";

/** The seal of a training side. Only a split holds it, so that nothing else can make one. */
export const splitSeal: unique symbol = Symbol("made by a split");

/**
 * The records that may be learned from, counted, repeated, dropped and augmented.
 *
 * Only a split makes one: a whole dataset, or a validation side, given to something that balances or fits is an error of
 * types. At run time the seal does not survive copying, so that `{ ...side, records: all }` is refused as well.
 */
export type TrainingSide = {
  readonly side: "training";
  /** In the order of their keys. */
  readonly records: readonly FilmRecord[];
  /** The `hash` of the split it belongs to. */
  readonly splitHash: string;
  /** Holds `records` once more; not listed among the properties. */
  readonly [splitSeal]: readonly FilmRecord[];
};

/** The records that are kept from training. */
export type HeldOutSide = {
  readonly side: "validation" | "test";
  /** In the order of their keys; may be empty for validation where none was asked for. */
  readonly records: readonly FilmRecord[];
  /** The `hash` of the split it belongs to. */
  readonly splitHash: string;
};

/** A dataset in three parts that share no patient. */
export type Split = {
  readonly training: TrainingSide;
  /** Empty where none was asked for. */
  readonly validation: HeldOutSide;
  readonly test: HeldOutSide;
  /** 16 hexadecimal digits over the side of every film: the same division has the same hash, whatever made it. */
  readonly hash: string;
  /** What was kept whole. `"record"` keeps nothing whole: it is the leak, for showing what a leak does. */
  readonly by: "patient" | "record" | "publisher";
  /** Absent where chance had no part. */
  readonly seed?: number;
  /** Which of several this is; both count from 0. */
  readonly fold?: { readonly fold: number; readonly folds: number; readonly repeat: number };
  /** What a reader of figures from this split must know, one sentence each. */
  readonly notes: readonly string[];
};

/** Makes a training side; for the files of this folder that split. */
export function sealTraining(records: readonly FilmRecord[], splitHash: string): TrainingSide {
  const side = { side: "training" as const, records, splitHash };
  return Object.defineProperty(side, splitSeal, { value: records }) as TrainingSide;
}

/** True for what a split made, unchanged. For callers without a type checker, as in a notebook. */
export function isTrainingSide(value: unknown): value is TrainingSide {
  const side = value as Partial<TrainingSide> | null | undefined;
  return side?.records !== undefined && side[splitSeal] === side.records;
}
