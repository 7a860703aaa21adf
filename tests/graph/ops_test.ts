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

  it("writes of a weight only the rows that are used, from the same bytes, half-precision too", async () => {
    const [x, w] = [g.input("x", [1, 2]), g.parameter("w", [3, 2])];
    const rows = (start: number, end: number) => g.linear(x, g.slice(w, 0, start, end));
    const outputs = { first: rows(0, 1), rest: rows(1, 3) };
    const half = Uint16Array.of(0x3c00, 0x4000, 0x3800, 0xbc00, 0x4400, 0x3400);
    for (
      const value of [Float32Array.of(1, 2, 0.5, -1, 4, 0.25), {
        type: "F16" as const,
        bytes: new Uint8Array(half.buffer),
      }]
    ) {
      const model = g.toOnnx(outputs, { weights: { values: new Map([["w", value]]) } });
      const names = g.readOnnx(model).initializers.map(({ name }) => name.replace(":F16", ""));
      assertEquals(names.filter((name) => name.startsWith("w")), ["w[0:1]", "w[1:3]"]);
      const session = await ort.InferenceSession.create(model);
      const found = await session.run({ x: new ort.Tensor("float32", Float32Array.of(3, 4), [1, 2]) });
      await session.release();
      assertEquals([[...found.first!.data as Float32Array], [...found.rest!.data as Float32Array]], [[11], [-2.5, 13]]);
    }
    const places = new Map([["w", { location: "w.bin", offset: 100, length: 24, type: "F32" as const }]]);
    const { initializers } = g.readOnnx(g.toOnnx({ rest: outputs.rest }, { weights: { places } }));
    assertEquals(initializers.find(({ name }) => name === "w[1:3]")?.external, {
      location: "w.bin",
      offset: 108,
      length: 16,
    });
    const whole = g.toOnnx({ ...outputs, all: g.linear(x, w) }, { weights: { places } });
    assertEquals(g.readOnnx(whole).initializers.filter(({ name }) => name === "w").length, 1);
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

  it("name the numbers when parts, strides or windows are impossible", () => {
    const [a, z, w] = [g.input("a", [g.batch, 4]), g.input("z", [1, 1, 4, 4]), g.input("w", [1, 1, 2, 2])];
    assertThrows(() => g.split(a, 3, 1), MammolabError, "into 3 equal parts along axis 1");
    assertThrows(() => g.conv2d(z, w, { stride: 0 }), MammolabError, "Cannot conv2d by strides and sizes [0, 0]");
    assertThrows(
      () => g.conv2d(z, w, { bias: g.input("b", [7]) }),
      MammolabError,
      "Cannot conv2d w [1, 1, 2, 2] and b",
    );
    assertThrows(() => g.maxPool2d(z, { size: 5 }), MammolabError, "Cannot maxPool2d [1, 1, 4, 4]");
    const square = g.matmul(a, g.input("b", [4, g.batch]));
    assertThrows(() => g.reshape(square, [g.batch, 1, g.batch]), MammolabError, "only one axis can be the batch");
  });

  it("refuse to mix number types, which the engine would refuse without saying where", () => {
    const [a, k] = [g.input("a", [2]), g.constant([1, 2], [2], "int64")];
    assertThrows(() => g.add(a, k), MammolabError, "Cannot add float32 [2] and int64 [2]");
    assertThrows(() => g.where(g.less(a, a), a, k), MammolabError, "Cannot where float32 [2] and int64 [2]");
  });

  it("a dilated convolution is the gradient of a strided one with respect to its kernel", async () => {
    const shapes = { x: [1, 1, 7, 6], dy: [1, 1, 4, 3] };
    const { tensors: { x, dy }, feeds } = randomInputs(3, shapes);
    const options = { stride: 2, padding: [1, 0] } as const;
    const dw = g.conv2d(x!, dy!, { dilation: 2, padding: [1, 0] }); // [1, 1, 3, 2]
    const kernel = (k: number, by: number) =>
      g.constant(Array.from({ length: 6 }, (_, i) => i === k ? by : 0), [1, 1, 3, 2]);
    for (let k = 0; k < 6; k++) {
      // linear in the kernel: the difference of two values is the derivative
      const loss = (by: number) => g.sum(g.multiply(g.conv2d(x!, kernel(k, by), options), dy!));
      const { slope, own } = g.evaluate({ slope: g.subtract(loss(1), loss(0)), own: dw }, feeds);
      assert(Math.abs(slope!.data[0]! - own!.data[k]!) < 1e-12);
    }
    const [exact, engine] = [g.evaluate({ dw }, feeds).dw!.data, (await runOnnx({ dw }, feeds)).dw!.data];
    exact.forEach((value, i) => assert(Math.abs(value - (engine as Float32Array)[i]!) < 1e-5));
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
