import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { type HeadFusion, rollout } from "mammolab/explain";
import { buildNet, catalogue } from "mammolab/nets";
import { drawnAttention, layersOf } from "./_layers.ts";

type Case = {
  readonly fusion: HeadFusion;
  readonly discard: number;
  readonly classRow: readonly number[];
  readonly classLink: readonly number[];
  readonly vitExplain: readonly number[];
  readonly noClassToken: readonly number[];
};
type Net = {
  readonly name: string;
  readonly layers: number;
  readonly heads: number;
  readonly grid: readonly [number, number];
  readonly attention: readonly number[];
  readonly cases: readonly Case[];
};
const { versions, nets } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/rollout/cases.json", import.meta.url)),
) as { versions: { numpy: string }; nets: readonly Net[] };

function assertClose(actual: Float32Array, expected: readonly number[], tolerance: number): void {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, k) => assertAlmostEquals(value, expected[k]!, tolerance, `value ${k}`));
}

/** The same formula, written out: whole matrices, last layer leftmost. `published` divides as jacobgil/vit-explain does. */
function slowRollout(values: readonly number[], net: Net, { fusion, discard }: Case, published: boolean): number[] {
  const n = 1 + net.grid[0] * net.grid[1];
  let result = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));
  for (let layer = 0; layer < net.layers; layer++) {
    const a = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => {
        const heads = Array.from(
          { length: net.heads },
          (_, head) => values[((layer * net.heads + head) * n + i) * n + j]!,
        );
        if (fusion === "mean") return heads.reduce((sum, x) => sum + x, 0) / heads.length;
        return fusion === "max" ? Math.max(...heads) : Math.min(...heads);
      }));
    const order = a.flat().map((value, at) => ({ value, at })).sort((x, y) => x.value - y.value);
    for (const { at } of order.slice(0, Math.floor(n * n * discard))) if (at > 0) a[Math.floor(at / n)]![at % n] = 0;
    const plus = a.map((row, i) => row.map((value, j) => (value + (i === j ? 1 : 0)) / 2));
    const sums = plus.map((row) => row.reduce((sum, x) => sum + x, 0));
    const normal = plus.map((row, i) => row.map((value, j) => value / sums[published ? j : i]!));
    result = normal.map((row) => row.map((_, j) => row.reduce((sum, value, k) => sum + value * result[k]![j]!, 0)));
  }
  return result[0]!.slice(1);
}

describe("rollout()", () => {
  for (const net of nets) {
    for (const one of net.cases) {
      const { fusion, discard } = one;
      const options = { headFusion: fusion, discard };
      const name = `${net.name}, ${fusion} over heads, discard ${discard}`;

      it(`agrees with numpy ${versions.numpy} on ${name}`, () => {
        const layers = layersOf(net.attention, net);
        assertClose(rollout(layers, options).data, one.classRow, 1e-7);
        assertClose(rollout(layers, { ...options, keep: "classLink" }).data, one.classLink, 1e-7);
      });

      it(`is jacobgil/vit-explain but for its division by the wrong sums on ${name}`, () => {
        const ours = rollout(layersOf(net.attention, net), { ...options, keep: "classLink" }).data;
        assertClose(ours, slowRollout(net.attention, net, one, false), 1e-7);
        assertClose(Float32Array.from(slowRollout(net.attention, net, one, true)), one.vitExplain, 1e-6);
        if (fusion === "mean" && discard === 0) assertClose(ours, one.vitExplain, 1e-7);
      });
    }
  }

  it("gives the published numbers of the five-token example", () => {
    const net = nets[0]!;
    assertClose(rollout(layersOf(net.attention, net)).data, [
      0.1226680409,
      0.1997620126,
      0.1920695094,
      0.1408284176,
    ], 1e-7);
  });

  it("is the mean over all tokens' rows where there is no class token", () => {
    const net = nets[1]!;
    const layers = layersOf(net.attention, { ...net, grid: [1, 13], prefixTokens: 0 });
    for (const { fusion, discard, noClassToken } of net.cases) {
      assertClose(rollout(layers, { headFusion: fusion, discard }).data, noClassToken, 1e-7);
    }
  });

  it("follows what the head reads: the image tokens' rows where a class token is there and not read", () => {
    const class0 = [0.25, 0.5, 0.25, 0, 0.8, 0.2, 0, 0.6, 0.4];
    const { data } = rollout(layersOf(class0, { layers: 1, heads: 1, grid: [1, 2], pooled: true }));
    // (A + I) / 2 of the image tokens: (0.9, 0.1) and (0.3, 0.7)
    assertClose(data, [0.6, 0.4], 1e-7);
    for (const pool of ["token", "average", "max"] as const) {
      const { spec, normalization } = catalogue["test_vit"]!;
      const [first] = buildNet({ ...spec, pool }, { normalization }).attention;
      assertEquals(first!.tap.pooled, pool === "token" ? undefined : true, pool);
    }
  });

  it("leaves a class token that looks only at itself with nothing", () => {
    const itself = Float32Array.of(1, 0, 0, 0.2, 0.5, 0.3, 0.1, 0.1, 0.8);
    assertEquals([...rollout(layersOf(itself, { layers: 1, heads: 1, grid: [1, 2] })).data], [0, 0]);
  });

  it("shares out one whole between the tokens, prefix tokens included", () => {
    const { uniform } = seededRandom(1, "rollout");
    const options = { layers: 3, heads: 2, grid: [3, 3], prefixTokens: 5 } as const;
    const relevance = rollout(layersOf(drawnAttention(3, 2, 14, uniform), options));
    const sum = relevance.data.reduce((a, b) => a + b, 0);
    assert(sum > 0 && sum < 1);
    assertEquals([relevance.height, relevance.width, relevance.toSource], [3, 3, [16, 0, 0, 0, 16, 0]]);
    const none = rollout(layersOf(drawnAttention(3, 2, 9, uniform), { ...options, prefixTokens: 0 }), { discard: 0.3 });
    assertAlmostEquals(none.data.reduce((a, b) => a + b, 0), 1, 1e-6);
  });

  it("says what it did", () => {
    const layers = layersOf(nets[0]!.attention, nets[0]!);
    assertEquals(
      rollout(layers, { discard: 0.9, headFusion: "max" }).method,
      "attention rollout, max over heads, weakest 90 % of links cut",
    );
  });

  it("refuses windowed attention, no attention, layers of two networks and a discard of everything", () => {
    const layers = layersOf(nets[0]!.attention, nets[0]!);
    const refused = (attention: Parameters<typeof rollout>[0], text: string, discard = 0) =>
      assertThrows(() => rollout(attention, { discard }), MammolabError, text);
    refused(layers.map((layer) => ({ ...layer, kind: "windowed" })), "layer 0 has windowed attention");
    refused([], "there is no attention");
    refused(undefined as unknown as [], "ask for it with predict(…, { attention: true })"); // as a notebook has it
    refused([layers[0]!, { ...layers[1]!, shape: [2, 4, 4] }], "layer 1 has the shape [2, 4, 4]");
    refused(layers, "with discard 1:", 1);
    refused(layers, "with discard NaN:", NaN);
  });
});
