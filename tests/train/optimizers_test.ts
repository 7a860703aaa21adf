import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import {
  clipGradients,
  decays,
  flatParameters,
  gradientNorm,
  layerScale,
  optimizer,
  type OptimizerOptions,
  scheduleAt,
  type Slice,
  sliceOf,
} from "mammolab/train";

type Flat = Readonly<Record<string, readonly number[]>>;
const fixture: {
  torch: string;
  shapes: Record<string, number[]>;
  start: Flat;
  gradients: Flat[];
  adamw: Flat;
  unfrozen: Flat;
  sgd: Flat;
  clip: { norm: number; gradients: number[][] };
  oneCycle: number[];
} = JSON.parse(await Deno.readTextFile(new URL("../fixtures/optimizers/optimizers.json", import.meta.url)));

/** The fixture's six steps; before step `unfrozen`, counted from 0, the head alone is trained. */
function sixSteps(options: OptimizerOptions, unfrozen = 0): Record<string, number[]> {
  const shapes = new Map(Object.entries(fixture.shapes));
  const head = flatParameters(shapes, { trainable: (name) => name.startsWith("head.") });
  const all = flatParameters(shapes);
  for (const { values, slices } of [head, all]) {
    for (const slice of slices.values()) sliceOf(values, slice).set(fixture.start[slice.name]!);
  }
  const early = optimizer(head, options);
  const late = optimizer(all, options, () => 1, (name) => name.startsWith("head.") ? 0 : unfrozen);
  fixture.gradients.forEach((gradients, i) => {
    const own = i < unfrozen ? head : all;
    if (i === unfrozen) {
      for (const part of ["values", "first", "second"] as const) {
        const [from, to] = [head, all].map(({ slices }) => slices.get("head.weight")!) as [Slice, Slice];
        sliceOf(all[part], to).set(sliceOf(head[part], from));
      }
    }
    for (const slice of own.slices.values()) {
      if (slice.trainable) sliceOf(own.gradients, slice).set(gradients[slice.name]!);
    }
    (i < unfrozen ? early : late).step(1e-2, i + 1);
  });
  return Object.fromEntries([...all.slices.values()].map((slice) => [slice.name, [...sliceOf(all.values, slice)]]));
}

describe("optimizer()", () => {
  for (const kind of ["adamw", "sgd"] as const) {
    it(`agrees with PyTorch ${fixture.torch}'s ${kind} after six steps, decay on matrices only`, () => {
      for (const [name, values] of Object.entries(sixSteps({ kind, weightDecay: 0.05 }))) {
        values.forEach((value, i) => assertAlmostEquals(value, fixture[kind][name]![i]!, 2e-6));
      }
    });
  }

  it(`counts the steps of a parameter that is unfrozen late from there, as PyTorch ${fixture.torch} does`, () => {
    for (const [name, values] of Object.entries(sixSteps({ kind: "adamw", weightDecay: 0.05 }, 3))) {
      values.forEach((value, i) => assertAlmostEquals(value, fixture.unfrozen[name]![i]!, 2e-6));
    }
  });

  it("leaves frozen parameters and the padding between slices untouched", () => {
    const shapes = new Map([["blocks.0.weight", [3, 3]], ["head.weight", [2, 3]], ["head.bias", [2]]]);
    const parameters = flatParameters(shapes, { trainable: (name) => name.startsWith("head") });
    parameters.values.fill(1);
    parameters.gradients.fill(0.5);
    optimizer(parameters, { kind: "adamw" }).step(0.1, 1);
    const valuesOf = (name: string) => [...sliceOf(parameters.values, parameters.slices.get(name)!)];
    assertEquals(valuesOf("blocks.0.weight"), new Array(9).fill(1));
    assert(valuesOf("head.weight").every((w) => w < 0.95));
  });

  it("scales the learning rate by parameter", () => {
    const parameters = flatParameters(new Map([["blocks.0.bias", [4]], ["head.bias", [4]]]));
    parameters.gradients.fill(1);
    optimizer(parameters, { kind: "adamw" }, (name) => name.startsWith("head") ? 1 : 0.25).step(0.1, 1);
    assertAlmostEquals(parameters.values[4]! / parameters.values[0]!, 4, 1e-5);
  });

  it("refuses more parameters than memory can address", () => {
    assertThrows(() => flatParameters(new Map([["w", [300_000_000]]])), MammolabError, "4.8 GB");
  });
});

describe("clipGradients()", () => {
  it(`agrees with PyTorch ${fixture.torch}`, () => {
    const parameters = flatParameters(new Map(Object.entries(fixture.shapes)));
    for (const slice of parameters.slices.values()) {
      sliceOf(parameters.gradients, slice).set(fixture.gradients[5]![slice.name]!);
    }
    assertAlmostEquals(clipGradients(parameters, 1), fixture.clip.norm, 1e-4);
    [...parameters.slices.values()].forEach((slice, k) =>
      [...sliceOf(parameters.gradients, slice)].forEach((g, i) =>
        assertAlmostEquals(g, fixture.clip.gradients[k]![i]!, 1e-6)
      )
    );
    assertAlmostEquals(gradientNorm(parameters), 1, 1e-5);
  });
  it("leaves small gradients alone", () => {
    const parameters = flatParameters(new Map([["w", [4]]]));
    parameters.gradients.set([0.1, 0.2, 0.2, 0]);
    assertAlmostEquals(clipGradients(parameters, 1), 0.3, 1e-7);
    assertAlmostEquals(parameters.gradients[1]!, 0.2, 1e-7);
  });
});

describe("the assembled loops", () => {
  it("agree with plain loops on every length, odd ones included", () => {
    const { normal } = seededRandom(1, "loops");
    for (const length of [1, 2, 3, 4, 5, 63, 64, 65]) {
      const parameters = flatParameters(new Map([["w", [length]]]));
      const { values, gradients, kernels } = parameters;
      for (let i = 0; i < length; i++) [values[i], gradients[i]] = [normal(), normal()];
      const [w, g] = [values.slice(), gradients.slice()];
      kernels.blend(values.byteOffset, gradients.byteOffset, values.length, 0.9, 0.1);
      values.forEach((x, i) => assertAlmostEquals(x, 0.9 * w[i]! + 0.1 * g[i]!, 1e-6));
      assertAlmostEquals(gradientNorm(parameters) ** 2, g.reduce((sum, x) => sum + x * x, 0), 1e-5);
    }
  });
});

describe("decays()", () => {
  it("spares biases, norms, tokens and positions", () => {
    assertEquals(
      ([["blocks.1.mlp.fc1.weight", [8, 2]], ["head.bias", [2]], ["norm.weight", [4]], ["pos_embed", [1, 5, 4]], [
        "cls_token",
        [1, 1, 4],
      ], ["patch_embed.proj.weight", [4, 1, 2, 2]]] as const).map(([name, shape]) => decays(name, shape)),
      [true, false, false, false, false, true],
    );
  });
});

describe("scheduleAt()", () => {
  it(`follows PyTorch ${fixture.torch}'s OneCycleLR`, () => {
    fixture.oneCycle.forEach((rate, step) =>
      assertAlmostEquals(scheduleAt({ kind: "oneCycle" }, step, fixture.oneCycle.length), rate, 1e-6)
    );
  });
  it("ends where its floor says, also after one cycle", () => {
    assertAlmostEquals(scheduleAt({ kind: "oneCycle", floor: 0.1 }, 99, 100), 0.1, 1e-12);
  });
  it("rises linearly, then falls along a cosine to its floor", () => {
    const at = (step: number) => scheduleAt({ kind: "cosine", warmUp: 0.1, floor: 0.01 }, step, 1000);
    assertAlmostEquals(at(0), 0.01, 1e-12);
    assertAlmostEquals(at(99), 1, 1e-12);
    assertAlmostEquals(at(550), 0.505, 1e-12);
    assertAlmostEquals(at(1000), 0.01, 1e-12);
  });
  it("falls by a factor at its milestones", () => {
    const rates = [0, 49, 50, 75].map((step) => scheduleAt({ kind: "step" }, step, 100));
    [1, 1, 0.1, 0.01].forEach((rate, i) => assertAlmostEquals(rates[i]!, rate, 1e-12));
  });
});

describe("layerScale()", () => {
  it("is one at the head and falls towards the embedding", () => {
    const scale = (name: string) => layerScale(name, { depth: 12, decay: 0.5 });
    assertEquals([scale("head.weight"), scale("norm.bias"), scale("blocks.11.attn.qkv.weight")], [1, 1, 0.5]);
    assertEquals([scale("blocks.0.norm1.bias"), scale("pos_embed")], [0.5 ** 12, 0.5 ** 13]);
  });
});
