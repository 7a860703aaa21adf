import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { pureTfjs } from "../_tfjs.ts";
import { fitted, fiveSteps, variants } from "./_tfjs_steps.ts";

const here = await pureTfjs() !== undefined;

function assertClose(found: readonly number[], expected: readonly number[], tolerance: number): void {
  assertEquals(found.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(found[i]!, value, tolerance));
}

describe("openTrainer() with the engine tfjs", () => {
  if (here) {
    for (const [name, variant] of Object.entries(variants)) {
      it(`has in five steps the losses of ONNX Runtime to 1e-4: ${name}`, async () => {
        const [own, onnx] = [await fiveSteps("tfjs", variant), await fiveSteps("onnx", variant)];
        assertMatch(own.ranBy, /^@tensorflow\/tfjs(-node(-gpu)?)? on (cpu|tensorflow)$/);
        assertEquals(onnx.ranBy, "onnxruntime-node on cpu");
        assert(Math.max(...onnx.losses) - Math.min(...onnx.losses) > 1e-3, "the steps change something");
        assertClose(own.losses, onnx.losses, 1e-4);
        onnx.norms.forEach((norm, i) => assertAlmostEquals(own.norms[i]!, norm, 1e-4 * norm));
        assertClose(own.logits, onnx.logits, 1e-3);
        for (const [leaf, values] of Object.entries(onnx.values)) {
          if (!(variant.trained ?? /./).test(leaf)) assertEquals(own.values[leaf], values, leaf);
        }
      });
    }

    it("serves fit() from the first step to the validation", async () => {
      assertClose(await fitted("tfjs"), await fitted("onnx"), 1e-4);
    });
  }

  it("is refused in one sentence where a provider is asked for: the build decides", async () => {
    await assertRejects(
      () => fiveSteps("tfjs", { batches: 1, setup: { provider: "cuda" } }),
      MammolabError,
      "Cannot train with TensorFlow.js on cuda: its build decides where it runs; leave the provider out",
    );
  });
});
