import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { buildNet, type NetSpec, vitDefaults } from "mammolab/nets";
import { readSafetensors } from "mammolab/weights";
import { openTrainer, type TrainerSetup } from "mammolab/train";
import { partsOf } from "../../lib/train/_step_engine.ts";

// fixtures/training/make.py: five AdamW steps in PyTorch, Float64 and its own float32
const fixtures = new URL("../fixtures/", import.meta.url);
const json = async (path: string) => JSON.parse(await Deno.readTextFile(new URL(path, fixtures)));
const floats = (text: string) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const expected = await json("training/training.json");

async function setupOf(name: string): Promise<{ setup: TrainerSetup; image: Float32Array; targets: Float32Array }> {
  const { spec: own, image } = await json(`vit/${name}.json`);
  const spec: NetSpec = { ...vitDefaults, ...own };
  const weights = await readSafetensors(new URL(`vit/${name}.safetensors`, fixtures).pathname);
  const setup: TrainerSetup = {
    spec,
    normalization: { mean: [0], std: [1] },
    inputChannels: spec.channels,
    batchSize: 2,
    loss: { kind: "crossEntropy" },
    trained: [...weights.keys()],
    optimizer: { kind: "adamw", weightDecay: 0.05 },
    layerDecay: 1,
    provider: "cpu",
    threads: 1,
    values: Object.fromEntries([...weights].map(([key, { data }]) => [key, data.map((x) => x / 2)])),
  };
  const levels = Uint8Array.from(atob(image), (c) => c.charCodeAt(0)); // in 256ths
  return {
    setup,
    image: Float32Array.from(levels, (level) => level / 256),
    targets: Float32Array.from(expected.labels.flat()),
  };
}

describe("openTrainer()", () => {
  for (const name of ["class_token", "distilled"]) {
    it(`takes five AdamW steps as PyTorch ${expected.torch} does on ${name}: losses within 1e-5`, async () => {
      const { setup, image, targets } = await setupOf(name);
      await using trainer = await openTrainer(setup);
      const { parameters } = buildNet(setup.spec, { normalization: setup.normalization });
      assertEquals(
        trainer.counts.parameters,
        [...parameters.values()].reduce((sum, s) => sum + s.reduce((a, b) => a * b, 1), 0),
      );
      for (const [i, loss] of expected.nets[name].losses.entries()) {
        const report = await trainer.step({ batches: [{ image, targets }], learningRate: 1e-3, step: i + 1 });
        assertAlmostEquals(report.loss, loss, 1e-5);
      }
    });

    it(`has gradients no further from Float64 than three times PyTorch's own float32, on ${name}`, async () => {
      const { setup, image, targets } = await setupOf(name);
      // SGD without momentum and decay, learning rate 1: the step is the gradient.
      await using trainer = await openTrainer({ ...setup, optimizer: { kind: "sgd", momentum: 0 } });
      await trainer.step({ batches: [{ image, targets }], learningRate: 1, step: 1 });
      const { first } = await trainer.read();
      const { gradients, error32 } = expected.nets[name];
      const worst = Math.max(...Object.values(error32 as Record<string, number>).filter((e) => e < 1e-3));
      for (const [key, text] of Object.entries(gradients as Record<string, string>)) {
        const exact = floats(text);
        const own = first[key]!;
        let [difference, size] = [0, 0];
        exact.forEach((x, i) => [difference, size] = [difference + (own[i]! - x) ** 2, size + x * x]);
        const error = Math.sqrt(difference / Math.max(size, 1e-30));
        assert(error <= Math.max(3 * worst, 3 * error32[key]), `${key}: ${error}, PyTorch ${error32[key]}`);
      }
    });
  }

  it("averages the numbers from the first ones on, as timm's ModelEmaV2 does", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    await using trainer = await openTrainer(setup);
    let expected = setup.values["head.weight"]!;
    for (const step of [1, 2, 3]) {
      await trainer.step({ batches: [{ image, targets }], learningRate: 1e-2, step, average: 0.25 });
      const { values, average } = await trainer.read();
      const now = values["head.weight"]!;
      expected = expected.map((mean, i) => 0.75 * mean + 0.25 * now[i]!);
      average!["head.weight"]!.forEach((mean, i) => assertAlmostEquals(mean, expected[i]!, 1e-6));
    }
  });

  it("averages the gradients of accumulated batches: two halves are the whole", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    const half = (data: Float32Array, k: number) => {
      const part = data.subarray(k * data.length / 2, (k + 1) * data.length / 2);
      return Float32Array.from([...part, ...part]); // one image, twice: the batch is fixed at two
    };
    await using whole = await openTrainer(setup);
    await using halves = await openTrainer(setup);
    const one = await whole.step({ batches: [{ image, targets }], learningRate: 1e-3, step: 1 });
    const two = await halves.step({
      batches: [0, 1].map((k) => ({ image: half(image, k), targets: half(targets, k) })),
      learningRate: 1e-3,
      step: 1,
    });
    assertAlmostEquals(two.loss, one.loss, 1e-5);
    assertAlmostEquals(two.gradientNorm, one.gradientNorm, 1e-5 * one.gradientNorm);
  });

  it("takes a batch of many tokens in parts: loss, logits and step are those of the whole, with masks of dropout too", async () => {
    const { setup: small } = await setupOf("class_token");
    const spec: NetSpec = {
      ...small.spec,
      imageSize: { height: 16 * small.spec.patchSize, width: 16 * small.spec.patchSize },
    };
    const shapes = [...buildNet(spec, { normalization: small.normalization }).parameters];
    const { normal, uniform } = seededRandom("parts");
    const numbers = (length: number, draw: () => number) => new Float32Array(length).map(draw);
    const values = Object.fromEntries(
      shapes.map(([name, shape]) => [name, numbers(shape.reduce((a, b) => a * b, 1), () => normal() / 10)]),
    );
    const setup: TrainerSetup = {
      ...small,
      spec,
      values,
      optimizer: { kind: "sgd", momentum: 0 },
      dropout: 0.3,
      dropPath: 0.3,
    };
    const pairs = { ...setup, batchSize: 2 }; // 514 tokens: whole
    const fours = { ...setup, batchSize: 4 }; // 1,028 tokens: in two parts
    assertEquals([partsOf(pairs), partsOf(fours), partsOf({ ...fours, provider: "cuda" })], [1, 2, 1]);
    await using halves = await openTrainer(pairs);
    await using parts = await openTrainer(fours);
    const batch = Object.fromEntries(
      [...parts.inputs].map(([name, shape]) => [name, numbers(shape.reduce((a, b) => a * b, 1), uniform)]),
    );
    const half = (k: number) =>
      Object.fromEntries(
        Object.entries(batch).map(([name, data]) => [name, data.slice(k * data.length / 2, (k + 1) * data.length / 2)]),
      );
    for (const step of [1, 2]) {
      const one = await parts.step({ batches: [batch], learningRate: 0.1, step });
      const two = await halves.step({ batches: [half(0), half(1)], learningRate: 0.1, step });
      assertAlmostEquals(one.loss, two.loss, 1e-6);
      two.logits.forEach((x, i) => assertAlmostEquals(one.logits[two.logits.length + i]!, x, 1e-5));
    }
    const [whole, accumulated] = [await parts.read(), await halves.read()];
    for (const [name, own] of Object.entries(whole.values)) {
      own.forEach((x, i) => assertAlmostEquals(x, accumulated.values[name]![i]!, 1e-5, name));
      assert(own.some((x, i) => x !== values[name]![i]), `${name} did not move`);
    }
  });

  it("leaves frozen parameters bit by bit as they were", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    const trained = setup.trained.filter((name) => /^(blocks\.1|norm|head)/.test(name));
    await using trainer = await openTrainer({ ...setup, trained });
    await trainer.step({ batches: [{ image, targets }], learningRate: 1e-2, step: 1 });
    const { values } = await trainer.read();
    for (const [name, before] of Object.entries(setup.values)) {
      const same = values[name]!.every((x, i) => x === before[i]);
      assertEquals(same, !trained.includes(name), name);
    }
  });

  it("goes on from its own state in the same bits", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    const step = (n: number) => ({ batches: [{ image, targets }], learningRate: 1e-3, step: n, average: 0.1, clip: 1 });
    await using unbroken = await openTrainer(setup);
    for (let n = 1; n <= 4; n++) await unbroken.step(step(n));
    await using before = await openTrainer(setup);
    for (let n = 1; n <= 2; n++) await before.step(step(n));
    await using after = await openTrainer(setup);
    await after.write(await before.read());
    for (let n = 3; n <= 4; n++) await after.step(step(n));
    assertEquals(await after.read(), await unbroken.read());
  });

  it("predicts with the present numbers, whatever the number of images", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    await using trainer = await openTrainer(setup);
    const { logits } = await trainer.step({ batches: [{ image, targets }], learningRate: 1e-30, step: 1 });
    const three = await trainer.predict(Float32Array.from([...image, ...image.subarray(0, image.length / 2)]));
    assertEquals(three.length, 9);
    [...logits, ...logits.subarray(0, 3)].forEach((x, i) => assertAlmostEquals(three[i]!, x, 1e-5));
  });

  it("gives its memory back when it is closed: a notebook trains many times", async () => {
    const script = new URL("./_memory_process.ts", import.meta.url).pathname;
    const args = ["run", "-q", "--no-check", "--allow-read", "--allow-env", "--allow-sys", "--allow-ffi", script];
    const { stdout } = await new Deno.Command("deno", { args }).output();
    const resident: number[] = JSON.parse(new TextDecoder().decode(stdout));
    assertLess(resident[3]! - resident[0]!, 150, `${resident}`); // 400 where sessions outlive their Workers
  });

  it("names the layer when the loss is no number, and the weight that is missing", async () => {
    const { setup, image, targets } = await setupOf("class_token");
    await using trainer = await openTrainer({
      ...setup,
      values: { ...setup.values, "blocks.1.norm1.weight": new Float32Array(24).fill(NaN) },
    });
    await assertRejects(
      () => trainer.step({ batches: [{ image, targets }], learningRate: 1e-3, step: 7 }),
      MammolabError,
      "in step 7 the loss is NaN, first in blocks.1.norm1.weight",
    );
    const { "head.bias": _, ...rest } = setup.values;
    await assertRejects(() => openTrainer({ ...setup, values: rest }), MammolabError, "head.bias has no numbers");
  });
});
