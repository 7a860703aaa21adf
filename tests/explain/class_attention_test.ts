import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { classAttention } from "mammolab/explain";
import { drawnAttention, layersOf } from "./_layers.ts";

const values = drawnAttention(3, 2, 7, seededRandom(2, "class attention").uniform);
const at = (layer: number, head: number, query: number, key: number) =>
  values[((layer * 2 + head) * 7 + query) * 7 + key]!;

describe("classAttention()", () => {
  const layers = layersOf(values, { layers: 3, heads: 2, grid: [2, 3] });

  it("is the first row of the last layer, the mean over heads", () => {
    classAttention(layers).data.forEach((value, key) =>
      assertAlmostEquals(value, (at(2, 0, 0, key + 1) + at(2, 1, 0, key + 1)) / 2, 1e-7)
    );
  });

  it("is one head's row of the layer that was asked for", () => {
    const { data, height, width, method } = classAttention(layers, { layer: 1, heads: [1] });
    data.forEach((value, key) => assertAlmostEquals(value, at(1, 1, 0, key + 1), 1e-7));
    assertEquals([height, width, method], [2, 3, "class attention of layer 1, head 1"]);
  });

  it("is the attention that each token receives where there is no class token", () => {
    const { data, method } = classAttention(layersOf(values, { layers: 3, heads: 2, grid: [1, 7], prefixTokens: 0 }));
    data.forEach((value, key) => {
      let sum = 0;
      for (let head = 0; head < 2; head++) for (let query = 0; query < 7; query++) sum += at(2, head, query, key);
      assertAlmostEquals(value, sum / 14, 1e-7);
    });
    assertEquals(method, "attention received of layer 2, mean over heads");
  });

  it("is what the image tokens give where the head reads them and no class token", () => {
    const { data, method } = classAttention(layersOf(values, { layers: 3, heads: 2, grid: [1, 6], pooled: true }));
    data.forEach((value, key) => {
      let sum = 0;
      for (let head = 0; head < 2; head++) for (let query = 1; query < 7; query++) sum += at(2, head, query, key + 1);
      assertAlmostEquals(value, sum / 12, 1e-7);
    });
    assertEquals(method, "attention received of layer 2, mean over heads");
  });

  it("skips all prefix tokens", () => {
    const skipped = classAttention(layersOf(values, { layers: 3, heads: 2, grid: [1, 2], prefixTokens: 5 }));
    assertEquals(skipped.data.length, 2);
    assertAlmostEquals(skipped.data[0]!, (at(2, 0, 0, 5) + at(2, 1, 0, 5)) / 2, 1e-7);
  });

  it("refuses what is not there", () => {
    const refused = (options: Parameters<typeof classAttention>[1], text: string) =>
      assertThrows(() => classAttention(layers, options), MammolabError, text);
    assertThrows(() => classAttention(undefined as unknown as []), MammolabError, "ask for it with predict");
    refused({ layer: 3 }, "there is no layer 3, the layers are 0, 1, 2");
    refused({ heads: [2] }, "there is no head 2");
    refused({ heads: [] }, "no head is chosen");
    assertThrows(() => classAttention([]), MammolabError, "there is no attention");
    assertThrows(() => classAttention([{ ...layers[0]!, kind: "reduced" }]), MammolabError, "reduced attention");
  });
});
