import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { evaluate } from "mammolab/graph";
import { buildNet, catalogueEntry, gridOf, type NetSpec, vitDefaults } from "mammolab/nets";
import {
  adaptationSentence,
  adaptWeights,
  compareWeights,
  initialize,
  type NamedTensors,
  resamplePositions,
  toGrey,
} from "mammolab/weights";

type Grid = [height: number, width: number];
const fixture: {
  readonly cases: readonly {
    prefixTokens: number;
    from: Grid;
    to: Grid;
    dim: number;
    positions: string;
    expected: string;
  }[];
  readonly kernel: string;
  readonly oneChannel: string;
} = JSON.parse(await Deno.readTextFile(new URL("../fixtures/weights/positions.json", import.meta.url)));
const floats = (text: string) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const worst = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  assertEquals(a.length, b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
};

describe("resamplePositions()", () => {
  for (const { prefixTokens, from, to, dim, positions, expected } of fixture.cases) {
    it(`equals timm from ${from.join(" × ")} to ${to.join(" × ")} tokens, ${prefixTokens} before them kept`, () => {
      const shape = [1, prefixTokens + from[0] * from[1], dim];
      const out = resamplePositions({ shape, data: floats(positions) }, {
        prefixTokens,
        from: { height: from[0], width: from[1] },
        to: { height: to[0], width: to[1] },
      });
      assertEquals(out.shape, [1, prefixTokens + to[0] * to[1], dim]);
      assert(worst(out.data, floats(expected)) < 1e-5); // float32 weights that are summed in another order
      assertEquals(out.data.slice(0, prefixTokens * dim), floats(positions).slice(0, prefixTokens * dim));
    });
  }
  it("refuses rows that are no grid", () => {
    const positions = { shape: [1, 51, 2], data: new Float32Array(102) };
    const to = { height: 3, width: 3 };
    assertThrows(() => resamplePositions(positions, { prefixTokens: 1, to }), MammolabError, "no grid of 7 × 7");
    assertThrows(
      () => resamplePositions(positions, { prefixTokens: 1, from: { height: 5, width: 11 }, to }),
      MammolabError,
      "name the grid",
    );
  });
});

describe("toGrey()", () => {
  it("is timm's plain sum, and the bias as it is, where all channels are normalized alike", () => {
    const kernel = { shape: [4, 3, 2, 2], data: floats(fixture.kernel) };
    const bias = Float32Array.of(1, 2, 3, 4);
    const grey = toGrey(kernel, { bias, normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } });
    assert(worst(grey.kernel.data, floats(fixture.oneChannel)) < 1e-6);
    assertEquals([grey.kernel.shape, grey.bias, grey.normalization], [[4, 1, 2, 2], bias, {
      mean: [0.5],
      std: [0.25],
    }]);
  });
  it("refuses means of another number of channels", () => {
    const kernel = { shape: [1, 3, 1, 1], data: new Float32Array(3) };
    const normalization = { mean: [0.5, 0.5], std: [1, 1] };
    assertThrows(
      () => toGrey(kernel, { bias: new Float32Array(1), normalization }),
      MammolabError,
      "there are 2 and 2",
    );
  });
});

const color: NetSpec = {
  ...vitDefaults,
  imageSize: { height: 16, width: 16 },
  ...{ patchSize: 8, dim: 12, depth: 1, heads: 2, mlpRatio: 2, classes: 5 },
};
const { normalization } = catalogueEntry("deit_tiny_patch16_224"); // differs by channel
const random = seededRandom(3, "adapt");
const weightsOf = (spec: NetSpec): NamedTensors =>
  new Map([...buildNet(spec, { normalization }).parameters].map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * random.normal());
    return [name, { shape, data }];
  }));
const trained = weightsOf(color);
const parametersOf = (spec: NetSpec) => buildNet(spec, { normalization: { mean: [0], std: [1] } }).parameters;

function logits(spec: NetSpec, weights: NamedTensors, norm: typeof normalization, pixels: Float64Array): Float64Array {
  const net = buildNet(spec, { normalization: norm });
  const feeds = [...weights].map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]);
  const image = { shape: [1, 1, spec.imageSize.height, spec.imageSize.width], data: pixels };
  return Float64Array.from(evaluate({ logits: net.logits }, { image, ...Object.fromEntries(feeds) }).logits!.data);
}

const adapt = (spec: NetSpec, options: { readonly newHead?: boolean; readonly seed?: number } = {}) =>
  adaptWeights(trained, parametersOf(spec), {
    grid: gridOf(spec),
    prefixTokens: 1,
    normalization,
    seed: 1,
    ...options,
  });

describe("adaptWeights()", () => {
  it("gives a grey network the same answers as the color network on grey films, though channels differ", () => {
    const grey: NetSpec = { ...color, channels: 1 };
    const adapted = adapt(grey);
    const pixels = Float64Array.from({ length: 256 }, random.uniform);
    const before = logits(color, trained, normalization, pixels);
    const after = logits(grey, adapted.weights, adapted.normalization, pixels);
    assert(worst(before, after) < 1e-5, `${before} ${after}`); // the folded numbers are rounded to float32 once
    assertEquals(adapted.changes, [{ kind: "channels", from: 3, to: 1 }]);
  });

  it("fits another size and other classes, says so, and draws the head from the seed", () => {
    const other: NetSpec = { ...color, imageSize: { height: 32, width: 24 }, classes: 2 };
    const { weights, changes } = adapt(other);
    const needed = parametersOf(other);
    assertEquals(compareWeights(needed, weights), { missing: [], unexpected: [], misfits: [] });
    assertEquals(changes.map(adaptationSentence), [
      "position embeddings resampled from 2 × 2 to 4 × 3 tokens (bicubic)",
      "head drawn anew: 5 classes before, 2 now",
    ]);
    assertEquals(weights.get("head.weight")!.data, initialize(needed, { seed: 1 }).get("head.weight")!);
    assertNotEquals(weights.get("head.weight"), adapt(other, { seed: 2 }).weights.get("head.weight"));
    assertEquals(weights.get("blocks.0.mlp.fc1.weight"), trained.get("blocks.0.mlp.fc1.weight"));
  });

  it("changes nothing that fits, unless a new head is asked for, and drops a head that is not wanted", () => {
    assertEquals(adapt(color), { weights: trained, normalization, changes: [] });
    assertEquals(adapt(color, { newHead: true }).changes.map(({ kind }) => kind), ["head"]);
    const bare = adapt({ ...color, classes: 0 });
    assertEquals([bare.weights.has("head.weight"), bare.changes], [false, []]);
  });

  it("leaves another width for the report to refuse", () => {
    const wide: NetSpec = { ...color, dim: 16 };
    const report = compareWeights(parametersOf(wide), adapt(wide).weights);
    assert(report.misfits.some(({ name }) => name === "blocks.0.norm1.weight"));
  });
});
