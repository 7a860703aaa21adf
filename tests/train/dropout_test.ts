import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import * as g from "mammolab/graph";
import { buildNet } from "mammolab/nets";
import { fit, type FitEvent, type FitOptions, openTrainer } from "mammolab/train";
import { drawMask, masksOf } from "../../lib/train/masks.ts";
import { smallFit } from "./_fit_case.ts";

const { spec, normalization, weights } = smallFit();
const draw = { seed: 1, step: 4, run: 0 };

/** Logits and their derivative, with the masks of a step, or with other ones. */
function netWith(dropout: number, maskOf?: (name: string, size: number) => Float64Array) {
  const net = buildNet(spec, { normalization, batchSize: 2, dropout });
  const masks = masksOf(spec, { batchSize: 2, dropout });
  const feeds: Record<string, g.Value> = {
    image: {
      shape: [2, 1, 16, 16],
      data: new Float64Array(512).map(() => random.uniform()),
    },
    ...Object.fromEntries(
      Object.entries(weights).map((
        [name, data],
      ) => [name, { shape: net.parameters.get(name)!, data: Float64Array.from(data) }]),
    ),
    ...Object.fromEntries(masks.map((mask) => {
      const data = maskOf?.(mask.name, mask.shape.reduce((a, b) => a * b)) ?? Float64Array.from(drawMask(mask, draw));
      return [mask.name, { shape: mask.shape, data }];
    })),
  };
  return { net, feeds };
}
let random = seededRandom(1, "pixels");
const same = <R>(body: () => R): R => {
  random = seededRandom(1, "pixels");
  return body();
};

describe("dropout in a step", () => {
  it("has masks after the embedding and after each branch, zero as often as asked, with a mean of 1", () => {
    const masks = masksOf(spec, { batchSize: 64, dropout: 0.3 });
    const names = ["embedding", "0.attn", "0.mlp", "1.attn", "1.mlp"].map((name) => `dropout.${name}`);
    assertEquals(masks.map(({ name }) => name).sort(), names.sort());
    for (const mask of masks) {
      const values = drawMask(mask, draw);
      const zeros = values.filter((x) => x === 0).length / values.length;
      const tolerance = 5 * Math.sqrt(0.21 / values.length); // five deviations of a share
      assertAlmostEquals(zeros, 0.3, tolerance, mask.name);
      assert(values.every((x) => x === 0 || Math.abs(x - 1 / 0.7) < 1e-6));
      assertAlmostEquals(values.reduce((sum, x) => sum + x, 0) / values.length, 1, tolerance / 0.7);
    }
    const [first] = masks;
    assert(drawMask(first!, draw).some((x, i) => x !== drawMask(first!, { ...draw, step: 5 })[i]));
    assert(drawMask(first!, draw).some((x, i) => x !== drawMask(first!, { ...draw, run: 1 })[i]));
  });

  it("changes nothing where no value is dropped, and the logits where some are", () => {
    const plain = same(() => netWith(0));
    const whole = same(() => netWith(0.3, (_, size) => new Float64Array(size).fill(1)));
    const some = same(() => netWith(0.3));
    const [a, b, c] = [plain, whole, some].map(({ net, feeds }) => [
      ...g.evaluate({ logits: net.logits }, feeds).logits!.data,
    ]);
    assertEquals(b, a);
    assert(c!.some((x, i) => Math.abs(x - a![i]!) > 1e-3));
  });

  it("has the gradients of finite differences", () => {
    const { net, feeds } = same(() => netWith(0.3));
    const loss = g.sum(g.multiply(net.logits, net.logits));
    const leaves = g.nodesOf([loss]).filter(({ op }) => op === "parameter");
    const form = g.trainingForm({ loss }).loss!;
    const gradients = g.evaluate(
      Object.fromEntries([...g.gradients(form, leaves)].map(([leaf, dy]) => [leaf.name, dy])),
      feeds,
    );
    const direction = Object.fromEntries(leaves.map(({ name }) => {
      const { normal } = seededRandom(1, name);
      return [name, feeds[name]!.data.map(normal)];
    }));
    const slope = Object.entries(gradients).reduce(
      (sum, [name, { data }]) => data.reduce((part, x, i) => part + x * direction[name]![i]!, sum),
      0,
    );
    const at = (step: number) => {
      const moved = leaves.map(({ name }) => {
        const { shape, data } = feeds[name]!;
        return [name, { shape, data: data.map((x, i) => x + step * direction[name]![i]!) }];
      });
      return g.evaluate({ loss }, { ...feeds, ...Object.fromEntries(moved) }).loss!.data[0]!;
    };
    const measured = (at(1e-5) - at(-1e-5)) / 2e-5;
    assertAlmostEquals(slope, measured, 1e-6 * (1 + Math.abs(measured)));
  });

  it("is off in a prediction", async () => {
    const setup = {
      spec,
      normalization,
      inputChannels: 1,
      batchSize: 4,
      loss: { kind: "crossEntropy" },
      trained: Object.keys(weights),
      optimizer: { kind: "adamw" },
      layerDecay: 1,
      provider: "cpu",
      threads: 1,
      values: weights,
    } as const;
    await using without = await openTrainer(setup);
    await using dropping = await openTrainer({ ...setup, dropout: 0.9 });
    const images = new Float32Array(4 * 256).map((_, i) => (i % 7) / 7);
    assertEquals(await dropping.predict(images), await without.predict(images));
    assertEquals([...dropping.inputs.keys()].filter((name) => name.startsWith("dropout.")).length, 5);
  });
});

describe("fit() with dropout", () => {
  const recipe = { dropout: 0.2, dropPath: 0.2, accumulate: 2 };
  const run = async (options: FitOptions, stopAt?: number) => {
    const abort = new AbortController();
    const events: FitEvent[] = [];
    for await (const event of fit({ ...options, signal: abort.signal })) {
      events.push(event);
      if (event.kind === "step" && event.step === stopAt) abort.abort();
    }
    return events.at(-1) as Extract<FitEvent, { kind: "done" | "stopped" }>;
  };

  it("ends in the same bits after a stop, and in others without dropout", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    try {
      const unbroken = await run(smallFit(recipe));
      assertEquals((await run({ ...smallFit(recipe), folder }, 4)).kind, "stopped");
      const continued = await run({ ...smallFit(recipe), folder });
      assertEquals([continued.kind, continued.weights], ["done", unbroken.weights]);
      const { weights } = await run(smallFit({ ...recipe, dropout: 0 }));
      assert(weights["head.weight"]!.some((x, i) => x !== unbroken.weights["head.weight"]![i]));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  it("refuses a share that cannot be", async () => {
    await assertRejects(() => run(smallFit({ dropout: 1 })), MammolabError, "dropout is 1; give a share from 0");
  });
});
