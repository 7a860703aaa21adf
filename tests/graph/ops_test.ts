import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import ort from "onnxruntime-node";
import { MammolabError } from "mammolab/base";
import * as g from "mammolab/graph";
import { cases } from "./_cases.ts";
import { randomInputs } from "./_random.ts";

async function runOnnx(outputs: Readonly<Record<string, g.Tensor>>, feeds: Readonly<Record<string, g.Value>>) {
  const session = await ort.InferenceSession.create(g.toOnnx(outputs, { weights: "inputs" }), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const result = await session.run(Object.fromEntries(
    Object.entries(feeds).map((
      [name, { shape, data }],
    ) => [name, new ort.Tensor("float32", Float32Array.from(data), [...shape])]),
  ));
  await session.release();
  return result;
}

describe("toOnnx()", () => {
  for (const [op, { shapes, build }] of Object.entries(cases)) {
    it(`${op} means the same in ONNX Runtime and in Float64`, async () => {
      const { tensors, feeds } = randomInputs(1, shapes);
      const y = build(tensors);
      const expected = g.evaluate({ y }, feeds).y!;
      const actual = (await runOnnx({ y }, feeds)).y!;
      assertEquals([...actual.dims], [...expected.shape]);
      (actual.data as Float32Array).forEach((value, i) =>
        assert(
          Math.abs(value - expected.data[i]!) <= 2e-6 * (1 + Math.abs(expected.data[i]!)),
          `${op}[${i}]: ${value}, ${expected.data[i]}`,
        )
      );
    });
  }

  it("has a case for every operation of the vocabulary", () => {
    assertEquals(g.opNames.filter((op) => !(op in cases)), ["input", "parameter", "buffer"]);
  });

  it("keeps the batch free: the same model runs one and five images", async () => {
    const x = g.input("x", [g.batch, 6]);
    const folded = g.reshape(x, [{ batch: 2 }, 3]);
    const grown = g.expand(g.reshape(folded, [{ batch: 2 }, 1, 3]), [{ batch: 2 }, 2, 3]);
    const y = g.add(grown, g.expand(g.constant([1, 2, 3], [1, 1, 3]), [{ batch: 2 }, 2, 3]));
    for (const images of [1, 5]) {
      const feeds = { x: { shape: [images, 6], data: Float64Array.from({ length: images * 6 }, (_, i) => i) } };
      const actual = (await runOnnx({ y }, feeds)).y!;
      assertEquals([...actual.dims], [2 * images, 2, 3]);
      assertEquals([...actual.data as Float32Array], [...g.evaluate({ y }, feeds).y!.data]);
    }
  });

  it("writes the weights into the model where values are given", async () => {
    const y = g.add(g.input("x", [2]), g.parameter("w", [2]));
    const bytes = g.toOnnx({ y }, { weights: { values: new Map([["w", Float32Array.of(10, 20)]]) } });
    const session = await ort.InferenceSession.create(bytes);
    const { y: out } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1, 2), [2]) });
    assertEquals([...out!.data as Float32Array], [11, 22]);
    await session.release();
    assertThrows(() => g.toOnnx({ y }, { weights: { values: new Map() } }), MammolabError, "no weight named w");
  });
});

describe("constructors", () => {
  it("name the operation and both shapes when sizes do not fit", () => {
    const [a, b] = [g.input("a", [2, 3]), g.input("b", [4, 5])];
    assertThrows(() => g.matmul(a, b), MammolabError, "Cannot matmul a [2, 3] and b [4, 5]");
    assertThrows(() => g.add(a, b), MammolabError, "[2, 3] and [4, 5]");
    assertThrows(() => g.reshape(a, [7]), MammolabError, "[2, 3] to [7]");
    assertThrows(() => g.linear(a, b), MammolabError, "Cannot linear");
    assertThrows(() => g.concat([a, b], 0), MammolabError, "Cannot concat");
    assertThrows(() => g.slice(a, 1, 2, 9), MammolabError, "Cannot slice");
    assertThrows(() => g.transpose(a, [0, 0]), MammolabError, "Cannot transpose");
    assertThrows(() => g.gather(a, b, 0), MammolabError, "int64");
    assertThrows(() => g.softmax(a, 2), MammolabError, "axis 2");
    assertThrows(() => g.expand(a, [2, 4]), MammolabError, "only axes of size 1");
  });

  it("roll() moves values cyclically", () => {
    const y = g.roll(g.constant([1, 2, 3, 4]), -1, 0);
    assertEquals([...g.evaluate({ y }, {}).y!.data], [2, 3, 4, 1]);
  });

  it("linear() is x wᵀ + b over the last axis", () => {
    const { tensors: { x, w, b }, feeds } = randomInputs(2, { x: [2, 3, 4], w: [5, 4], b: [5] });
    const plain = g.add(g.matmul(x!, g.swapLast(w!)), b!);
    const { difference } = g.evaluate({ difference: g.subtract(g.linear(x!, w!, b!), plain) }, feeds);
    assert(difference!.data.every((value) => Math.abs(value) < 1e-12));
  });
});
