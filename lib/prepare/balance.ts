import { checkWord, MammolabError, type Random, seededRandom, shuffled } from "../base/mod.ts";
import { type FilmRecord, recordKey, type TrainingSide } from "../datasets/mod.ts";
import { type Group, groupsOf } from "./_groups.ts";

/**
 * How groups of unequal size are made to weigh alike:
 *
 * - `none`: every film once, for comparison
 * - `oversample`: films of small groups are repeated
 * - `augment`: the same numbers, but each repeat is to be augmented (the image balancing of Ayana et al. 2023)
 * - `undersample`: patients of large groups are left out
 * - `sample`: each epoch draws from the groups by their shares, as many films as there are
 */
export type BalanceStrategy = "none" | "oversample" | "augment" | "undersample" | "sample";

/** One film to be shown to the network. */
export type PlannedItem = {
  /** The film, as {@linkcode recordKey} names it. */
  readonly record: string;
  readonly group: string;
  /** 0 is the film itself; 1, 2 … are repeats of it. */
  readonly copy: number;
  /** Whether this copy is to be augmented in any case. */
  readonly augment: boolean;
};

/** Which training films are taken how often: plain JSON that can be printed, replayed and tested. */
export type BalancePlan = {
  readonly strategy: BalanceStrategy;
  readonly seed: number;
  /** The split whose training side was balanced. */
  readonly splitHash: string;
  /** Ordered by film, then copy; {@linkcode epochOf} shuffles. */
  readonly items: readonly PlannedItem[];
  /** With `sample`: how many films of each group an epoch draws. */
  readonly draws?: Readonly<Record<string, number>>;
  /** Films of each group, as they are. */
  readonly before: Readonly<Record<string, number>>;
  /** Films of each group that an epoch shows. */
  readonly after: Readonly<Record<string, number>>;
};

/** What a balance is to reach. */
export type BalanceOptions = {
  readonly strategy: BalanceStrategy;
  readonly seed: number;
  /** The groups; default: the label. Also `(r) => labelOf(r) + " " + r.density`, or the dataset as source. */
  readonly by?: (record: FilmRecord) => string | undefined;
  /** How much each group shall weigh against the others; default: all alike. `{ malignant: 1, normal: 3 }` */
  readonly ratio?: Readonly<Record<string, number>>;
  /** Above so many copies of one film the plan is refused, since the network would learn the films by heart; default 50. */
  readonly mostCopies?: number;
};

/**
 * Plans how to balance a training side. Nothing else can be balanced: balancing before the split would put copies of a film
 * on both sides of it, and a validation or test side must stay as rare as life.
 *
 * Films of one patient in one group are taken, repeated or left out together, so that numbers come as near to the ratio as
 * whole patients allow, and never above it when leaving out, never below the present number when repeating.
 *
 * @throws MammolabError for anything but a training side, a record without a group, a ratio that names other groups than
 *   there are or that cannot be met
 *
 * @example
 * ```ts
 * import { split } from "mammolab/datasets";
 * import { balance } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const records = Array.from({ length: 40 }, (_, i) => ({
 *   id: `film ${i}`, patient: `${i}`, labels: { image: { value: i % 4 ? "normal" : "malignant", rule: "example" } },
 *   lesions: [], file: "", dataset: "example", oddities: [],
 * }));
 * const { training } = split(records, { by: "patient", seed: 1, holdOut: { test: 0.2 } });
 * const { before, after } = balance(training, { strategy: "augment", seed: 1 });
 * assertEquals([before, after], [{ malignant: 8, normal: 24 }, { malignant: 24, normal: 24 }]);
 * ```
 */
export function balance(side: TrainingSide, options: BalanceOptions): BalancePlan {
  const { strategy, seed } = options;
  checkWord("Cannot balance: the strategy", strategy, Object.keys(strategies) as BalanceStrategy[]);
  const groups = groupsOf(side, options);
  const before = Object.fromEntries(groups.map(({ name, size }) => [name, size]));
  const random = seededRandom(seed, "balance", strategy);
  const chosen = groups.flatMap((group) => strategies[strategy](group, { groups, random, options }));
  const items = chosen.sort((a, b) => a.record === b.record ? a.copy - b.copy : a.record < b.record ? -1 : 1);
  const draws = strategy === "sample" ? drawsOf(groups) : undefined;
  return {
    strategy,
    seed,
    splitHash: side.splitHash,
    items,
    ...(draws ? { draws } : {}),
    before,
    after: draws ??
      Object.fromEntries(groups.map(({ name }) => [name, items.filter(({ group }) => group === name).length])),
  };
}

/**
 * The films of an epoch, in the order in which they are to be shown: shuffled anew in each epoch and, with `sample`, drawn
 * anew. A film is drawn again only when all others of its group have been. The same plan and epoch give the same films.
 */
export function epochOf({ items, draws, seed }: BalancePlan, epoch: number): readonly PlannedItem[] {
  const random = seededRandom(seed, "epoch", epoch);
  if (!draws) return shuffled(items, random);
  const drawn = Object.entries(draws).flatMap(([name, count]) => {
    const group = items.filter((item) => item.group === name);
    const rounds = Array.from(
      { length: Math.ceil(count / group.length) },
      (_, copy) => shuffled(group, random).map((item) => ({ ...item, copy })),
    );
    return rounds.flat().slice(0, count);
  });
  return shuffled(drawn, random);
}

/**
 * The records of planned items.
 *
 * @throws MammolabError when the plan was made for another split, or takes films that the side does not hold
 */
export function recordsOfPlan(
  plan: BalancePlan,
  side: TrainingSide,
  items: readonly PlannedItem[] = plan.items,
): readonly (PlannedItem & { readonly film: FilmRecord })[] {
  const films = new Map(side.records.map((film) => [recordKey(film), film]));
  const missing = items.find(({ record }) => !films.has(record));
  if (plan.splitHash !== side.splitHash || missing) {
    const reason = plan.splitHash !== side.splitHash
      ? `it was made for split ${plan.splitHash}, but the training side is of split ${side.splitHash}`
      : `it takes the film ${missing!.record}, which this training side does not hold`;
    throw new MammolabError(`Cannot follow the balance plan: ${reason}; make a plan for this one`);
  }
  return items.map((item) => ({ ...item, film: films.get(item.record)! }));
}

type Choice = { readonly groups: readonly Group[]; readonly random: Random; readonly options: BalanceOptions };

const strategies: Readonly<Record<BalanceStrategy, (group: Group, choice: Choice) => PlannedItem[]>> = {
  none: (group) => once(group.patients, group),
  sample: (group) => once(group.patients, group),
  oversample: (group, choice) => repeated(group, choice, false),
  augment: (group, choice) => repeated(group, choice, true),
  undersample: reduced,
};

function once(patients: readonly (readonly FilmRecord[])[], { name }: Group, copy = 0, augment = false): PlannedItem[] {
  return patients.flatMap((films) => films.map((film) => ({ record: recordKey(film), group: name, copy, augment })));
}

/** Whole rounds of all patients, and of the last round as many as fit. */
function repeated(group: Group, { groups, random, options }: Choice, augment: boolean): PlannedItem[] {
  const scale = Math.max(...groups.map(({ size, weight }) => size / weight));
  const target = Math.round(group.weight * scale);
  const rounds = Math.floor(target / group.size);
  const { mostCopies = 50 } = options;
  if (rounds > mostCopies) {
    throw new MammolabError(
      `Cannot balance: ${rounds} copies of each of ${group.size} films of "${group.name}" would be needed, at most ${mostCopies} are allowed; ask for a milder ratio, or leave out films of the large groups`,
    );
  }
  const rest = fitting(shuffled(group.patients, random), target - rounds * group.size);
  return [
    ...Array.from({ length: rounds }, (_, copy) => once(group.patients, group, copy, augment && copy > 0)).flat(),
    ...once(rest, group, rounds, augment),
  ];
}

function reduced(group: Group, { groups, random }: Choice): PlannedItem[] {
  const scale = Math.min(...groups.map(({ size, weight }) => size / weight));
  const target = Math.floor(group.weight * scale + 1e-9);
  const kept = fitting(shuffled(group.patients, random), target);
  if (kept.length === 0) {
    throw new MammolabError(
      `Cannot balance by leaving films out: the ratio leaves no patient of "${group.name}" (${group.size} films); ask for a milder ratio, or repeat films of the small groups`,
    );
  }
  return once(kept, group);
}

/** Patients in their order, passing over those who would lead above `count` films. */
function fitting(patients: readonly (readonly FilmRecord[])[], count: number): readonly (readonly FilmRecord[])[] {
  let left = count;
  return patients.filter(({ length }) => length <= left && (left -= length, true));
}

/** Draws by share, as many in all as there are films; what rounding leaves goes to the groups that lost most by it. */
function drawsOf(groups: readonly Group[]): Readonly<Record<string, number>> {
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const weights = groups.reduce((sum, { weight }) => sum + weight, 0);
  const exact = groups.map(({ weight }) => total * weight / weights);
  const draws = exact.map(Math.floor);
  const left = total - draws.reduce((a, b) => a + b, 0);
  const order = [...exact.keys()].sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1) || a - b);
  for (const index of order.slice(0, left)) draws[index]!++;
  return Object.fromEntries(groups.map(({ name }, index) => [name, draws[index]!]));
}
