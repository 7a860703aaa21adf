import { type Random, shuffled } from "../base/mod.ts";

/**
 * What must stay on one side, a patient, as the numbers that should be shared out evenly: records of each class, whether it
 * has the class at all, and 1 for itself.
 */
export type Unit = { readonly key: string; readonly amounts: readonly number[] };

/**
 * Shares units among sides so that each side gets its share of every amount, as nearly as whole units allow.
 *
 * Units with the same amounts are interchangeable, so a table (kind of unit × side) is decided first: whole shares are
 * dealt, what is left goes where it costs least, biggest units first, and single moves and exchanges follow for as long as
 * one helps. Then chance says which units of a kind fill the table. Cost: Σ over sides and amounts of
 * (got − wanted)² / wanted, Pearson's chi-square.
 *
 * @param units in an order that does not depend on the input, since `random` shuffles it
 * @param shares of the sides, above 0, sum 1
 * @returns the side of each unit
 */
export function allocate(units: readonly Unit[], shares: readonly number[], random: Random): number[] {
  const indices = shuffled([...units.keys()], random);
  const kinds = [...Map.groupBy(indices, (index) => units[index]!.amounts.join(" ")).entries()]
    .map(([name, members]): Kind => ({ name, members, amounts: units[members[0]!]!.amounts }))
    .sort((a, b) => size(b) - size(a) || (a.name < b.name ? -1 : 1));
  const totals = (units[0]?.amounts ?? []).map((_, c) => units.reduce((sum, unit) => sum + unit.amounts[c]!, 0));

  // Few kinds leave few moves, which end in a local optimum now and then: other orders of dealing find others.
  const starts = kinds.length <= 40 ? 12 : kinds.length <= kindsToExchange ? 3 : 1;
  const tables = Array.from({ length: starts }, (_, start) => {
    const order = start === 0 ? [...kinds.keys()] : shuffled([...kinds.keys()], random);
    return dealt(kinds, order, { shares, totals, random });
  });
  const { table } = tables.reduce((best, other) => other.cost < best.cost - 1e-9 ? other : best);

  const sideOf = new Array<number>(units.length);
  kinds.forEach(({ members }, kind) => {
    let next = 0;
    table[kind]!.forEach((count, side) => {
      for (let i = 0; i < count; i++) sideOf[members[next++]!] = side;
    });
  });
  return sideOf;
}

/** Units of the same amounts. */
type Kind = { readonly name: string; readonly members: readonly number[]; readonly amounts: readonly number[] };

/** One table `[kind][side]`, with what is left after whole shares dealt in this order of kinds. */
function dealt(
  kinds: readonly Kind[],
  order: readonly number[],
  { shares, totals, random }: {
    readonly shares: readonly number[];
    readonly totals: readonly number[];
    readonly random: Random;
  },
): { readonly table: readonly (readonly number[])[]; readonly cost: number } {
  const state: State = {
    used: totals.flatMap((total, c) => total > 0 ? [c] : []),
    wanted: shares.map((share) => totals.map((total) => share * total)),
    excess: shares.map((share) => totals.map((total) => -share * total)),
  };
  const table = kinds.map(({ members, amounts }) => {
    const row = shares.map((share) => Math.floor(share * members.length + 1e-9));
    row.forEach((count, side) => add(state, side, amounts, count));
    return row;
  });
  for (const kind of order) {
    const { members, amounts } = kinds[kind]!;
    const row = table[kind]!;
    for (let left = members.length - row.reduce((a, b) => a + b, 0); left > 0; left--) {
      const sides = shuffled([...shares.keys()], random); // chance breaks ties
      const side = sides.reduce((best, side) =>
        costOfAdding(state, side, amounts) < costOfAdding(state, best, amounts) - 1e-9 ? side : best
      );
      add(state, side, amounts, 1);
      row[side]!++;
    }
  }
  improve(table, kinds.map(({ amounts }) => amounts), state);
  const cost = state.excess.flatMap((row, side) => state.used.map((c) => row[c]! ** 2 / state.wanted[side]![c]!))
    .reduce((a, b) => a + b, 0);
  return { table, cost };
}

type State = {
  /** Amounts that occur at all. */
  readonly used: readonly number[];
  readonly wanted: readonly (readonly number[])[];
  /** `[side][amount]`, got less wanted. */
  readonly excess: readonly number[][];
};

const size = ({ amounts }: { readonly amounts: readonly number[] }) => amounts.reduce((a, b) => a + b, 0);

function add({ excess }: State, side: number, amounts: readonly number[], times: number): void {
  amounts.forEach((amount, c) => excess[side]![c]! += times * amount);
}

function costOfAdding({ used, wanted, excess }: State, side: number, amounts: readonly number[], sign = 1): number {
  let cost = 0;
  for (const c of used) {
    const step = sign * amounts[c]!;
    cost += step * (2 * excess[side]![c]! + step) / wanted[side]![c]!;
  }
  return cost;
}

/** Above so many kinds of units only single moves are tried: so many different units fill any gap, and pairs take long. */
const kindsToExchange = 120;

function improve(table: readonly number[][], kinds: readonly (readonly number[])[], state: State): void {
  const zero = kinds[0]?.map(() => 0) ?? [];
  const sides = [...state.wanted.keys()];
  const partners = kinds.length <= kindsToExchange ? [-1, ...kinds.keys()] : [-1];
  for (let round = 0; round < 10_000; round++) {
    let best = { cost: -1e-9, from: 0, to: 0, give: 0, take: -1 };
    for (const from of sides) {
      for (const to of sides) {
        if (from === to) continue;
        for (const [give, amounts] of kinds.entries()) {
          if (table[give]![from] === 0) continue;
          for (const take of partners) {
            if (take === give || (take >= 0 && table[take]![to] === 0)) continue;
            const back = take < 0 ? zero : kinds[take]!;
            const step = amounts.map((amount, c) => amount - back[c]!);
            const cost = costOfAdding(state, from, step, -1) + costOfAdding(state, to, step);
            if (cost < best.cost) best = { cost, from, to, give, take };
          }
        }
      }
    }
    if (best.cost >= -1e-9) return;
    const move = (kind: number, from: number, to: number) => {
      table[kind]![from]!--;
      table[kind]![to]!++;
      add(state, from, kinds[kind]!, -1);
      add(state, to, kinds[kind]!, 1);
    };
    move(best.give, best.from, best.to);
    if (best.take >= 0) move(best.take, best.to, best.from);
  }
}
