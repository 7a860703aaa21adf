import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import ort from "onnxruntime-node";
import { seededRandom } from "mammolab/base";
import * as g from "mammolab/graph";
import { buildNet, vitDefaults } from "mammolab/nets";

/** A small ViT with a loss, and feeds for it: weights large enough that everything curves. */
function smallVit() {
  const spec = {
    ...vitDefaults,
    imageSize: { height: 16, width: 24 },
    patchSize: 8,
    dim: 12,
    depth: 2,
    heads: 2,
    mlpRatio: 2,
    classes: 3,
  };
  const net = buildNet(spec, { normalization: { mean: [0.5], std: [0.5] }, batchSize: 2 });
  const labels = g.constant([0.7, 0.3, 0, 0, 0.1, 0.9], [2, 3]);
  const loss = g.scale(g.sum(g.multiply(g.logSoftmax(net.logits), labels)), -1 / 2);
  const leaves = g.nodesOf([loss]).filter(({ op }) => op === "parameter" || op === "input");
  const feeds = Object.fromEntries(leaves.map(({ name, shape }) => {
    const { normal } = seededRandom(1, name);
    const values = Float32Array.from(
      { length: g.sizeOf(shape) },
      () => 0.4 * normal() + (/norm.*weight/.test(name) ? 1 : 0),
    );
    return [name, { shape: shape as readonly number[], data: Float64Array.from(values) }];
  }));
  return { net, loss, leaves, feeds };
}

const named = (tensors: ReadonlyMap<g.Tensor, g.Tensor>) =>
  Object.fromEntries([...tensors].map(([leaf, gradient]) => [`d:${leaf.name}`, gradient]));
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) [difference, size] = [difference + (a[i]! - b[i]!) ** 2, size + b[i]! ** 2];
  return Math.sqrt(difference / Math.max(size, 1e-30));
};

describe("trainingForm()", () => {
  it("changes no value and no gradient of a Vision Transformer", () => {
    const { loss, leaves, feeds } = smallVit();
    const form = g.trainingForm({ loss }).loss!;
    const [plain, fast] = [loss, form].map((one) =>
      g.evaluate({ loss: one, ...named(g.gradients(one, leaves)) }, feeds)
    );
    assertEquals(Object.keys(fast!).sort(), Object.keys(plain!).sort());
    // The k part of the qkv bias has no gradient (a softmax does not see it): norms as a whole are compared.
    for (const [name, { data }] of Object.entries(plain!)) {
      assert(distance(fast![name]!.data, data) < 1e-10, `${name}: ${distance(fast![name]!.data, data)}`);
    }
  });

  it("leaves no gelu and no factor between products; of activations only what the head reads is cut out", () => {
    const { loss } = smallVit();
    const nodes = g.nodesOf([g.trainingForm({ loss }).loss!]);
    assertEquals(nodes.filter(({ op }) => op === "gelu").length, 0);
    const sliced = nodes.filter(({ op, inputs }) => op === "slice" && inputs[0]!.op !== "parameter");
    const cut = sliced.map(({ shape }) => `${shape}`).sort();
    assertEquals(cut, ["2,1,12", "2,2,1,7"], "the class token and its attention");
    assertEquals(nodes.filter(({ op, inputs }) => op === "scale" && inputs[0]!.shape.length > 1).length, 0);
  });

  it("changes no value and no gradient when attention maps are computed again, which nothing keeps then", () => {
    const { loss, leaves, feeds } = smallVit();
    const [kept, again] = (["nothing", "attention"] as const).map((recompute) => {
      const form = g.trainingForm({ loss }, { recompute }).loss!;
      return { loss: form, ...named(g.gradients(form, leaves)) };
    });
    const [a, b] = [g.evaluate(kept!, feeds), g.evaluate(again!, feeds)];
    for (const [name, { data }] of Object.entries(a)) assertEquals(b[name]!.data, data, name);
    const maps = g.nodesOf(Object.values(again!)).filter(({ op }) => op === "softmax");
    const forward = new Set(g.nodesOf([again!.loss!]));
    assertEquals(maps.length, 2 * maps.filter((map) => forward.has(map)).length);
  });

  it("runs in ONNX Runtime with gradients as near to Float64 as its float32 allows", async () => {
    const { loss, leaves, feeds } = smallVit();
    const form = g.trainingForm({ loss }).loss!;
    const outputs = { loss: form, ...named(g.gradients(form, leaves.filter(({ op }) => op === "parameter"))) };
    const exact = g.evaluate(outputs, feeds);
    const session = await ort.InferenceSession.create(g.toOnnx(outputs, { weights: "inputs" }), {
      logSeverityLevel: 3,
      graphOptimizationLevel: "disabled",
      intraOpNumThreads: 1,
    });
    const results = await session.run(Object.fromEntries(
      Object.entries(feeds).map((
        [name, { shape, data }],
      ) => [name, new ort.Tensor("float32", Float32Array.from(data), [...shape])]),
    ));
    await session.release();
    for (const [name, { data }] of Object.entries(exact)) {
      const error = distance(results[name]!.data as Float32Array, data);
      assert(error < 2e-5, `${name}: ${error}`);
    }
  });
});
