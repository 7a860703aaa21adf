import { MammolabError } from "../base/mod.ts";
import type { Numbers, Trainer } from "./trainer.ts";

/** What the finder saw, and what it proposes. */
export type LearningRateCurve = {
  /** Rates that were tried, rising. */
  readonly rates: readonly number[];
  /** The loss at each, smoothed. */
  readonly losses: readonly number[];
  /** Where the loss falls fastest per factor of the rate: a good peak. */
  readonly suggested: number;
};

/**
 * The learning-rate range test (Smith 2017, "Cyclical learning rates", section 3.3): one step at each of exponentially
 * rising rates, until the loss has risen to four times its best. The trainer's numbers are put back afterwards.
 *
 * @param batch gives the numbers of step i
 * @throws MammolabError when the loss never falls, and what `batch` throws
 */
export async function findLearningRate(
  trainer: Pick<Trainer, "step" | "read" | "write">,
  batch: (step: number) => Promise<Numbers> | Numbers,
  { low = 1e-6, high = 1, steps = 60 }: { readonly low?: number; readonly high?: number; readonly steps?: number } = {},
): Promise<LearningRateCurve> {
  if (!(low > 0 && high > low && steps >= 3)) {
    throw new MammolabError(
      `Cannot find a learning rate between ${low} and ${high} in ${steps} steps: give rates above 0, the second larger, and 3 steps or more`,
    );
  }
  const before = await trainer.read();
  const rates: number[] = [];
  const losses: number[] = [];
  let average = 0;
  try {
    for (let i = 0; i < steps; i++) {
      const rate = low * (high / low) ** (i / (steps - 1));
      const batches = [await batch(i)];
      const report = await trainer.step({ batches, learningRate: rate, step: i + 1 }).catch((error) => {
        if (losses.length < 3) throw error; // a loss that is no number ends the test, it does not spoil it
      });
      if (!report) break;
      const { loss } = report;
      average = 0.8 * average + 0.2 * loss; // corrected for its start at zero below
      rates.push(rate);
      losses.push(average / (1 - 0.8 ** (i + 1)));
      if (losses.at(-1)! > 4 * Math.min(...losses)) break;
    }
  } finally {
    await trainer.write(before);
  }
  const slopes = losses.slice(1).map((loss, i) => loss - losses[i]!);
  const steepest = slopes.indexOf(Math.min(...slopes));
  if (!(slopes[steepest]! < 0)) {
    throw new MammolabError("Cannot find a learning rate: the loss never falls; check the labels, or try higher rates");
  }
  return { rates, losses, suggested: rates[steepest]! };
}
