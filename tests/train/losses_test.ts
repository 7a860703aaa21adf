import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { openBlockingSession } from "mammolab/engine";
import { evaluate, gradients, input, toOnnx } from "mammolab/graph";
import { lossOf, type LossOptions } from "mammolab/train";

const fixture: {
  torch: string;
  logits: number[];
  targets: number[];
  cases: { name: string; options: LossOptions; loss: number; gradient: number[] }[];
} = JSON.parse(await Deno.readTextFile(new URL("../fixtures/losses/losses.json", import.meta.url)));

describe("lossOf()", () => {
  const shape = [fixture.logits.length / 3, 3];
  for (const { name, options, loss: expected, gradient } of fixture.cases) {
    it(`and its gradient agree with PyTorch ${fixture.torch}, in float32 too where a network is sure: ${name}`, async () => {
      const [z, y] = [input("z", shape), input("y", shape)];
      const loss = lossOf(z, y, options);
      const outputs = { loss, dz: gradients(loss, [z]).get(z)! };
      const exact = evaluate(outputs, {
        z: { shape, data: Float64Array.from(fixture.logits) },
        y: { shape, data: Float64Array.from(fixture.targets) },
      });
      // The focal loss adds 1e-7 to 1 - p.
      const tolerance = options.kind === "focal" ? 1e-6 : 1e-12;
      assertAlmostEquals(exact.loss!.data[0]! / expected, 1, tolerance);
      gradient.forEach((value, i) => assertAlmostEquals(exact.dz!.data[i]!, value, tolerance));

      await using session = await openBlockingSession({ model: toOnnx(outputs, { weights: "inputs" }) });
      const found = await session.run<"loss" | "dz">({
        z: { shape, data: Float32Array.from(fixture.logits) },
        y: { shape, data: Float32Array.from(fixture.targets) },
      });
      assertAlmostEquals(Number(found.loss.data[0]), expected, 1e-5 * Math.abs(expected));
      gradient.forEach((value, i) => assertAlmostEquals(Number(found.dz.data[i]), value, 1e-5));
    });
  }

  it("refuses weights of another number of classes, and a focus below 0", () => {
    const [z, y] = [input("z", [2, 3]), input("y", [2, 3])];
    const refused = (options: LossOptions, sentence: string) =>
      assertThrows(() => lossOf(z, y, options), MammolabError, sentence);
    refused({ kind: "crossEntropy", classWeights: [1, 2] }, "give 3 factors");
    refused({ kind: "focal", gamma: -1 }, "give 0 or more");
    assert(lossOf(z, y, { kind: "focal", gamma: 0 }).shape.length === 0);
  });
});
