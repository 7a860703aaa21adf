import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { evaluate } from "mammolab/graph";
import { buildNet } from "mammolab/nets";
import { fit, judge, logitsOf, type Numbers } from "mammolab/train";
import { smallFit, squares } from "./_fit_case.ts";

describe("logitsOf()", () => {
  it("gives what evaluating the expression in Float64 gives, also where the last batch is not full", async () => {
    const { spec, normalization, weights } = smallFit();
    const samples = squares("validation", 5);
    const found = await logitsOf(samples, { spec, normalization, weights, batchSize: 4, threads: 1 });
    const { logits, image, parameters } = buildNet(spec, { normalization });
    const pixels = await Promise.all(samples.ids.map((_, k) => samples.image(k, -1)));
    const { expected } = evaluate({ expected: logits }, {
      image: {
        shape: [5, ...image.shape.slice(1) as number[]],
        data: Float64Array.from(pixels.flatMap((p) => [...p])),
      },
      ...Object.fromEntries(
        [...parameters].map(([name, shape]) => [name, { shape, data: Float64Array.from(weights[name]!) }]),
      ),
    });
    assertEquals(found.length, 10);
    found.forEach((value, k) => assertAlmostEquals(value, expected!.data[k]!, 1e-5));
  });

  it("gives what a training's own validation saw", async () => {
    const setup = smallFit({ epochs: 1 });
    let weights: Numbers = {};
    let seen;
    for await (const event of fit(setup)) {
      if (event.kind === "epoch") seen = event.report.validation;
      if (event.kind === "done") weights = event.weights;
    }
    const { spec, normalization, validation } = setup;
    const logits = await logitsOf(validation!, { spec, normalization, weights, batchSize: 4, threads: 1 });
    assertEquals(judge(logits, validation!.targets), seen);
  });

  it("names the image that does not fit", async () => {
    const { spec, normalization, weights } = smallFit();
    const samples = { ids: ["one", "two"], image: (item: number) => new Float32Array(item === 0 ? 256 : 255) };
    await assertRejects(
      () => logitsOf(samples, { spec, normalization, weights }),
      Error,
      "Cannot predict two: it has 255 values, the network takes 256",
    );
  });
});
