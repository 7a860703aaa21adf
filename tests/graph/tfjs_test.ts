import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as g from "mammolab/graph";
import { withTfjs } from "../_tfjs.ts";
import { randomInputs, weighed } from "./_random.ts";
import { dilated, type FoundCases, tfjsCases } from "./_tfjs_cases.ts";

const tfjs = await withTfjs<FoundCases>(new URL("_tfjs_cases.ts", import.meta.url));

function assertClose(found: readonly number[], exact: Float64Array, tolerance: number, what: string): void {
  assertEquals(found.length, exact.length, what);
  exact.forEach((value, i) =>
    assert(Math.abs(found[i]! - value) <= tolerance * (1 + Math.abs(value)), `${what}[${i}]: ${found[i]}, ${value}`)
  );
}

if (tfjs) {
  describe("evaluateTfjs()", () => {
    for (const [name, { shapes, build }] of Object.entries(tfjsCases)) {
      it(`${name}: TensorFlow.js has the value of Float64, and by its own differentiation the gradients of ours`, () => {
        const { tensors, feeds } = randomInputs(3, shapes);
        const [y, found] = [build(tensors), tfjs.found[name]!];
        const loss = weighed(y);
        const own = g.gradients(loss, Object.values(tensors));
        const outputs = Object.fromEntries([...own].map(([leaf, dx]) => [leaf.name, dx]));
        const { y: value, ...gradients } = g.evaluate({ y, ...outputs }, feeds);
        assertEquals(found.shape, value!.shape);
        assertClose(found.value, value!.data, 1e-5, "value");
        Object.keys(shapes).forEach((leaf, i) => {
          const exact = gradients[leaf]?.data ?? new Float64Array(found.gradients[i]!.length);
          assertClose(found.gradients[i]!, exact, 1e-4, `gradient of ${leaf}`);
        });
      });
    }

    it("has a value for every operation of the vocabulary", () => {
      const leaves = ["input", "parameter", "buffer"];
      assertEquals(g.opNames.filter((op) => !leaves.includes(op) && !(op in tfjs.found)), []);
    });

    it("takes inputs, parameters and buffers, and the batch from what is fed", () => {
      assertEquals(tfjs.batches.map(({ shape }) => shape), [[1, 2, 2], [3, 2, 2]]);
      assertEquals(tfjs.batches[0]!.value, [0.5, 100.25, 0.5, 100.25]);
      assertEquals(tfjs.batches[1]!.value.slice(8), [40.5, 500.25, 40.5, 500.25]);
    });

    it("dilates kernels", () => {
      const { tensors, feeds } = randomInputs(3, dilated.shapes);
      assertClose(tfjs.dilated.value, g.evaluate({ y: dilated.build(tensors) }, feeds).y!.data, 1e-5, "dilated");
    });

    it("refuses in one sentence what TensorFlow.js cannot do, and what is fed wrongly", () => {
      const expected = [
        /^Cannot conv2d with TensorFlow.js: it has no convolution with both a stride and a dilation; use the engine onnx$/,
        /^Cannot run with TensorFlow.js: x has no value; feed it as float32 \[1, 1, 9, 9\]$/,
        /^Cannot run with TensorFlow.js: x is float32 \[1, 1, 9, 9\], but float32 \[1, 1, 8, 9\] is needed/,
        /^Cannot constant with TensorFlow.js: its integers have 32 bits, and this constant needs more/,
        /^Cannot gather \(blocks\.3\) with TensorFlow.js: it says ".*12.*"; use the engine onnx$/,
      ];
      expected.forEach((pattern, i) => assertMatch(tfjs.refused[i]!, pattern));
    });

    it("leaves no tensor behind", () => assertEquals(tfjs.left, 0));
  });
}
