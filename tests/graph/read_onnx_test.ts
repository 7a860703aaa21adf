import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { add, input, parameter, readOnnx, toOnnx } from "mammolab/graph";

const model = toOnnx({ y: add(input("x", [2]), parameter("w", [2])) }, {
  weights: { values: new Map([["w", Float32Array.of(10, 20)]]) },
  metadata: { key: "värde" },
});

describe("readOnnx()", () => {
  it("gives back what toOnnx wrote", () => {
    const { producer, metadata, opset, initializers, operators } = readOnnx(model);
    assertEquals([producer, metadata.get("key"), opset, operators], ["mammolab", "värde", 20, ["Add"]]);
    const [w] = initializers;
    assertEquals([w!.name, w!.shape, w!.type], ["w", [2], 1]);
    assertEquals([...new Float32Array(w!.bytes!.slice().buffer)], [10, 20]);
  });

  it("reads places of weights in other files", () => {
    const places = new Map([["w", { location: "w.bin", offset: 4096, length: 8, type: "BF16" as const }]]);
    const written = toOnnx({ y: add(input("x", [4]), parameter("w", [4])) }, { weights: { places } });
    const { initializers, operators } = readOnnx(written);
    assertEquals(initializers, [
      { name: "w:BF16", shape: [4], type: 16, external: { location: "w.bin", offset: 4096, length: 8 } },
    ]);
    assertEquals(operators, ["Cast", "Add"]);
  });

  it("reads what the onnx package of Python wrote", async () => {
    // fixtures/engine/make.py
    const { producer, operators } = readOnnx(
      await Deno.readFile(new URL("../fixtures/engine/softmax.onnx", import.meta.url)),
    );
    assert(producer.startsWith("onnx"));
    assert(operators.includes("Softmax"));
  });

  it("names the file when there is no graph, or the bytes are cut", () => {
    assertThrows(() => readOnnx(new Uint8Array(), "a.onnx"), MammolabError, "Cannot read a.onnx: it holds no graph");
    assertThrows(() => readOnnx(model.subarray(0, model.length - 3), "a.onnx"), MammolabError, "Cannot read a.onnx");
  });

  it("ends in a model or one sentence for 1,000 damaged files", () => {
    for (let seed = 0; seed < 1000; seed++) {
      const random = seededRandom(seed, "damage");
      const bytes = model.slice();
      for (let n = random.integer(4); n >= 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
      try {
        readOnnx(bytes);
      } catch (error) {
        assert(error instanceof MammolabError, `${(error as Error).stack}`);
      }
    }
  });
});
