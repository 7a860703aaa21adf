import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { trainLinearHead } from "mammolab/train";

/** Two normal clouds at distance 2 in the first of `dim` directions: the best AUC is Φ(2/√2), the best direction is known. */
function clouds(images: number, dim: number) {
  const { normal } = seededRandom(1, "clouds");
  const features = new Float32Array(images * dim).map(() => normal());
  const targets = new Float32Array(images * 2);
  for (let i = 0; i < images; i++) {
    if (i % 2) features[i * dim]! += 2;
    targets[i * 2 + i % 2] = 1;
  }
  return { features, targets };
}

describe("trainLinearHead()", () => {
  it("finds the direction that separates two clouds, and its loss falls to the known optimum", async () => {
    const { features, targets } = clouds(2000, 8);
    const { weight, losses } = await trainLinearHead(features, targets, {
      dim: 8,
      classes: 2,
      seed: 1,
      weightDecay: 0,
    });
    const direction = Array.from({ length: 8 }, (_, d) => weight[8 + d]! - weight[d]!);
    const length = Math.hypot(...direction);
    assert(direction[0]! / length > 0.99, `${direction}`);
    assertAlmostEquals(direction[0]!, 2, 0.25); // the log likelihood ratio of the two clouds is 2 x - 2
    assertAlmostEquals(losses.at(-1)!, 0.3563, 0.02); // expected loss at the optimum, by numerical integration
  });
  it("gives the same bits for the same seed, and others for another seed", async () => {
    const { features, targets } = clouds(100, 4);
    const options = { dim: 4, classes: 2, seed: 5, epochs: 7 };
    const [a, b, c] = await Promise.all([
      trainLinearHead(features, targets, options),
      trainLinearHead(features, targets, options),
      trainLinearHead(features, targets, { ...options, seed: 6 }),
    ]);
    assertEquals(a.weight, b.weight);
    assert(a.weight.some((w, i) => w !== c.weight[i]));
  });
  it("moves the boundary towards the other class when a class weighs more", async () => {
    const { features, targets } = clouds(400, 4);
    const options = { dim: 4, classes: 2, seed: 1, weightDecay: 0 };
    const plain = await trainLinearHead(features, targets, options);
    const heavy = await trainLinearHead(features, targets, { ...options, classWeights: [1, 4] });
    const offset = ({ bias }: { bias: Float32Array }) => bias[1]! - bias[0]!;
    assertAlmostEquals(offset(heavy) - offset(plain), Math.log(4), 0.5);
  });
  it("clips the gradients where it is told to", async () => {
    const { features, targets } = clouds(100, 4);
    const options = { dim: 4, classes: 2, seed: 5, epochs: 3 };
    const [plain, clipped, loose] = await Promise.all(
      [{}, { clip: 0.05 }, { clip: 1e6 }].map((clip) => trainLinearHead(features, targets, { ...options, ...clip })),
    );
    assert(plain!.weight.some((w, i) => w !== clipped!.weight[i]));
    assertEquals(plain!.weight, loose!.weight);
  });
  it("refuses settings that cannot be, and features that are no numbers", async () => {
    const { features, targets } = clouds(10, 4);
    const refused = (change: object, sentence: string, of = features) =>
      assertRejects(
        () => trainLinearHead(of, targets, { dim: 4, classes: 2, seed: 1, ...change }),
        MammolabError,
        sentence,
      );
    await refused({ classWeights: [1] }, "Cannot weigh the classes by [1]: give 2 factors");
    await refused({ batchSize: 0 }, "batchSize is 0; give a whole number above 0"); // it went on for ever
    await refused({ epochs: 1.5 }, "epochs is 1.5");
    await refused({}, "in epoch 1 the loss is NaN", features.map((x, i) => i === 7 ? NaN : x));
  });
  it("ends when the loss is no number any more, in place of giving a head of NaN", async () => {
    const { features, targets } = clouds(40, 4);
    const options = { dim: 4, classes: 2, seed: 1, learningRate: 1e38 };
    await assertRejects(
      () => trainLinearHead(features, targets, options),
      MammolabError,
      "in epoch 1 the loss is NaN; check the",
    );
  });
  it("refuses a single class and sizes that do not fit", async () => {
    const { features } = clouds(10, 4);
    const oneClass = new Float32Array(20).map((_, i) => i % 2);
    await assertRejects(
      () => trainLinearHead(features, oneClass, { dim: 4, classes: 2, seed: 1 }),
      MammolabError,
      "one class only",
    );
    await assertRejects(
      () => trainLinearHead(features, new Float32Array(3), { dim: 4, classes: 2, seed: 1 }),
      MammolabError,
      "do not fit",
    );
  });
});
