// Ratios that survive a busy machine: both sides in turns, the median of the ratios, and a control that says whether the
// machine was quiet enough to tell.

/** One side of a comparison: does its work once and says how long that took. */
export type Side = () => Promise<number>;

export type PairedRatio = {
  /** Median over the rounds of peer's time ÷ our time: above 1 we are faster. */
  readonly ratio: number;
  /** Smallest and largest of the rounds. */
  readonly range: readonly [number, number];
  /** Median of our first ÷ our second run in the same round: 1 on a quiet machine. */
  readonly control: number;
  /** Medians, in the unit of the sides. */
  readonly ours: number;
  readonly peer: number;
  readonly rounds: number;
};

/**
 * Runs ours, peer, ours, once to warm up and then `rounds` times. The two runs of our own are the control: where their
 * median ratio is off by more than 5 %, no verdict is possible.
 */
export async function pairedRatio(
  ours: Side,
  peer: Side,
  { rounds = 7, pauseMs = 250 }: { readonly rounds?: number; readonly pauseMs?: number } = {},
): Promise<PairedRatio> {
  const measure = async (side: Side) => {
    // Threads of the other side wait busily for a moment after their work: let them fall asleep.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return await side();
  };
  const rows: { readonly first: number; readonly peer: number; readonly second: number }[] = [];
  for (let round = -1; round < rounds; round++) {
    const row = { first: await measure(ours), peer: await measure(peer), second: await measure(ours) };
    if (round >= 0) rows.push(row);
  }
  const ratios = rows.map(({ first, peer, second }) => peer / ((first + second) / 2));
  return {
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
    control: median(rows.map(({ first, second }) => first / second)),
    ours: median(rows.flatMap(({ first, second }) => [first, second])),
    peer: median(rows.map(({ peer }) => peer)),
    rounds,
  };
}

/** Whether a ratio meets its goal: `unclear` when the control is off by more than 5 %. */
export function verdict({ ratio, control }: Pick<PairedRatio, "ratio" | "control">, goal: number): boolean | "unclear" {
  return Math.abs(control - 1) > 0.05 ? "unclear" : ratio >= goal;
}

/** The middle value; the mean of the two middle ones of an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? NaN) + (sorted[Math.ceil(half)] ?? NaN)) / 2;
}
