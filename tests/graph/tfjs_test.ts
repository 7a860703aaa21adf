import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import * as g from "mammolab/graph";
import { pureTfjs } from "../_tfjs.ts";
import type { Case } from "./_cases.ts";
import { randomInputs, weighed } from "./_random.ts";
import { dilated, tfjsCases } from "./_tfjs_cases.ts";

const tf = (await pureTfjs())?.tf;

type Found = { readonly value: g.Value; readonly gradients: Readonly<Record<string, g.Value>> };

const copied = (x: g.TfjsTensor): g.Value => ({ shape: x.shape, data: Float64Array.from(x.dataSync()) });

/** What TensorFlow.js computes, and the gradients that its own differentiation finds. */
function byTfjs(tf: g.TensorFlow, { shapes, build }: Case): Found {
  const { tensors, feeds } = randomInputs(3, shapes);
  const y = build(tensors);
  const loss = weighed(y);
  const names = Object.keys(shapes);
  return tf.tidy(() => {
    const leaves = names.map((name) => tf.tensor(Float32Array.from(feeds[name]!.data), feeds[name]!.shape, "float32"));
    const run = (own: readonly g.TfjsTensor[]) =>
      g.evaluateTfjs(tf, { y, loss }, Object.fromEntries(names.map((name, i) => [name, own[i]!])));
    // It refuses to differentiate by what the loss does not depend on (what is only compared): nothing is added.
    const zero = (x: g.TfjsTensor) => tf.mul(tf.sum(x, x.shape.map((_, i) => i), false), tf.scalar(0));
    const value = copied(run(leaves).y);
    if (build === dilated.build) return { value, gradients: {} };
    const { grads } = tf.valueAndGrads((...own) => own.map(zero).reduce(tf.add, run(own).loss))(leaves);
    return { value, gradients: Object.fromEntries(names.map((name, i) => [name, copied(grads[i]!)])) };
  });
}

function assertClose(found: g.Value, exact: g.Value, tolerance: number, what: string): void {
  assertEquals([...found.shape], [...exact.shape], what);
  exact.data.forEach((value, i) =>
    assert(
      Math.abs(found.data[i]! - value) <= tolerance * (1 + Math.abs(value)),
      `${what}[${i}]: ${found.data[i]}, ${value}`,
    )
  );
}

if (tf) {
  describe("evaluateTfjs()", () => {
    for (const [name, one] of Object.entries(tfjsCases)) {
      it(`${name}: TensorFlow.js has the value of Float64, and by its own differentiation the gradients of ours`, () => {
        const { tensors, feeds } = randomInputs(3, one.shapes);
        const y = one.build(tensors);
        const own = g.gradients(weighed(y), Object.values(tensors));
        const outputs = Object.fromEntries([...own].map(([leaf, dx]) => [leaf.name, dx]));
        const { y: value, ...gradients } = g.evaluate({ y, ...outputs }, feeds);
        const before = tf.memory().numTensors;
        const found = byTfjs(tf, one);
        assertEquals(tf.memory().numTensors, before, "no tensor is left behind");
        assertClose(found.value, value!, 1e-5, "value");
        for (const [leaf, { shape, data }] of Object.entries(feeds)) {
          const exact = gradients[leaf] ?? { shape, data: new Float64Array(data.length) };
          assertClose(found.gradients[leaf]!, exact, 1e-4, `gradient of ${leaf}`);
        }
      });
    }

    it("has a case for every operation of the vocabulary", () => {
      const leaves = ["input", "parameter", "buffer"];
      assertEquals(g.opNames.filter((op) => !(op in tfjsCases)), leaves);
    });

    it("takes inputs, parameters and buffers, and the batch from what is fed", () => {
      const x = g.input("x", [g.batch, 2]);
      const line = g.add(g.multiply(x, g.parameter("w", [2])), g.buffer("b", [2]));
      const y = g.expand(g.reshape(line, [g.batch, 1, 2]), [g.batch, 2, 2]);
      for (const images of [1, 3]) {
        const feeds = {
          x: { shape: [images, 2], data: Float64Array.from({ length: 2 * images }, (_, i) => i) },
          w: { shape: [2], data: Float64Array.of(10, 100) },
          b: { shape: [2], data: Float64Array.of(0.5, 0.25) },
        };
        const own = Object.fromEntries(
          Object.entries(feeds).map(([name, { data, shape }]) => [name, tf.tensor([...data], shape, "float32")]),
        );
        assertClose(copied(g.evaluateTfjs(tf, { y }, own).y), g.evaluate({ y }, feeds).y!, 0, `${images} images`);
      }
    });

    it("dilates kernels", () => {
      const { tensors, feeds } = randomInputs(3, dilated.shapes);
      assertClose(byTfjs(tf, dilated).value, g.evaluate({ y: dilated.build(tensors) }, feeds).y!, 1e-5, "dilated");
    });

    it("refuses in one sentence what TensorFlow.js cannot do, and what is fed wrongly", () => {
      const [x, w] = [g.input("x", [1, 1, 9, 9]), g.constant(new Array<number>(9).fill(1), [1, 1, 3, 3])];
      const fed = { x: tf.ones([1, 1, 9, 9]) };
      const at = (row: number) => g.gather(x, g.constant([row], [1], "int64"), 2);
      const refused: readonly (readonly [g.Tensor, Readonly<Record<string, g.TfjsTensor>>, RegExp])[] = [
        [
          g.conv2d(x, w, { stride: 2, dilation: 2 }),
          fed,
          /^Cannot conv2d with TensorFlow\.js: it has no convolution with both a stride and a dilation; use the engine onnx$/,
        ],
        [x, {}, /^Cannot run with TensorFlow\.js: x has no value; feed it as float32 \[1, 1, 9, 9\]$/],
        [
          g.input("x", [1, 1, 8, 9]),
          fed,
          /^Cannot run with TensorFlow\.js: x is float32 \[1, 1, 9, 9\], but float32 \[1, 1, 8, 9\] is needed/,
        ],
        [
          at(2 ** 40),
          fed,
          /^Cannot constant with TensorFlow\.js: its integers have 32 bits, and this constant needs more/,
        ],
        [
          g.scope("blocks.3", () => at(12)),
          fed,
          /^Cannot gather \(blocks\.3\) with TensorFlow\.js: it says ".*12.*"; use the engine onnx$/,
        ],
      ];
      for (const [y, feeds, sentence] of refused) {
        const { message } = assertThrows(() => tf.tidy(() => g.evaluateTfjs(tf, { y }, feeds)), MammolabError);
        assertMatch(message, sentence);
      }
    });
  });
}
