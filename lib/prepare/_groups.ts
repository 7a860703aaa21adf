import { MammolabError } from "../base/mod.ts";
import { type FilmRecord, isTrainingSide, labelOf, patientKey, recordKey, type TrainingSide } from "../datasets/mod.ts";

/** A group of training films with what it shall weigh. */
export type Group = {
  readonly name: string;
  /** The films of one patient each. */
  readonly patients: readonly (readonly FilmRecord[])[];
  readonly size: number;
  readonly weight: number;
};

/**
 * Groups in the order of their names.
 *
 * @throws MammolabError for anything but a training side, a film without a group, a ratio for other groups than there are
 */
export function groupsOf(
  side: TrainingSide,
  { by = labelOf, ratio }: {
    readonly by?: (record: FilmRecord) => string | undefined;
    readonly ratio?: Readonly<Record<string, number>>;
  },
): readonly Group[] {
  if (!isTrainingSide(side)) {
    throw new MammolabError(
      "Cannot balance what is no training side: balanced before the split, copies of a film would come to both sides; split first, and give its training side",
    );
  }
  const without = side.records.find((record) => by(record) === undefined);
  if (without) {
    throw new MammolabError(
      `Cannot balance: the film ${without.id} has no label; leave such films out of the records, or balance by another key`,
    );
  }
  const named = [...Map.groupBy(side.records, (record) => by(record)!)].sort(([a], [b]) => a < b ? -1 : 1);
  const names = named.map(([name]) => name);
  const strange = Object.keys(ratio ?? {}).find((name) => !names.includes(name));
  const missing = names.find((name) => ratio && !(ratio[name]! > 0 && Number.isFinite(ratio[name])));
  if (strange !== undefined || missing !== undefined) {
    throw new MammolabError(
      strange === undefined
        ? `Cannot balance: the ratio gives no number above 0 for "${missing}"; give one for each of ${names.join(", ")}`
        : `Cannot balance: the training side has no film of "${strange}", only of ${
          names.join(", ")
        }; correct the ratio, or split so that it has some`,
    );
  }
  return named.map(([name, films]) => ({
    name,
    patients: [...Map.groupBy(films, (film) => patientKey(film) ?? recordKey(film)).values()],
    size: films.length,
    weight: ratio?.[name] ?? 1,
  }));
}
