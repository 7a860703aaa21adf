import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { findLearningRate, type StepReport, type TrainerState } from "mammolab/train";

/** A trainer over one number w with the loss w²: plain gradient descent, whose best rate is known. */
function parabola(start: number, sign = 1): Parameters<typeof findLearningRate>[0] & { readonly now: () => number } {
  let w = start;
  const state = (): TrainerState => ({ values: { w: Float32Array.of(w) }, first: {}, second: {} });
  return {
    step: ({ learningRate }): Promise<StepReport> => {
      const loss = w * w;
      w -= sign * learningRate * 2 * w;
      return Promise.resolve({
        loss,
        gradientNorm: Math.abs(2 * w),
        logits: new Float32Array(),
        seconds: 0,
        optimizerSeconds: 0,
      });
    },
    read: () => Promise.resolve(state()),
    write: ({ values }) => Promise.resolve(void (w = values.w![0]!)),
    now: () => w,
  };
}

describe("findLearningRate()", () => {
  it("proposes a rate at which a parabola is descended fast and surely, and puts the numbers back", async () => {
    const trainer = parabola(3);
    const { suggested, rates, losses } = await findLearningRate(trainer, () => ({}), { low: 1e-4, high: 10 });
    assert(suggested > 0.01 && suggested < 1, `${suggested}`); // above 1 descent on w² diverges
    assertEquals(rates.length, losses.length);
    assertEquals(trainer.now(), 3);
  });
  it("ends with an image that cannot be read, at any step, and puts the numbers back", async () => {
    const trainer = parabola(3);
    const broken = new MammolabError("Cannot read film 5");
    const batch = (step: number) => step === 5 ? Promise.reject(broken) : {};
    await assertRejects(() => findLearningRate(trainer, batch), MammolabError, "Cannot read film 5");
    assertEquals(trainer.now(), 3);
  });
  it("refuses a range in which there is nothing to find", async () => {
    for (const range of [{ steps: 1 }, { low: 0 }, { low: 1, high: 0.1 }]) {
      await assertRejects(() => findLearningRate(parabola(3), () => ({}), range), MammolabError, "give rates above 0");
    }
  });
  it("says so when the loss never falls", async () => {
    await assertRejects(() => findLearningRate(parabola(3, -1), () => ({})), MammolabError, "the loss never falls");
  });
});
