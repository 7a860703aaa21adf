// deno-lint-ignore-file camelcase -- published names are data
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { buildNet, catalogue, catalogueEntry, gridOf, vitDefaults } from "mammolab/nets";

// timm 1.0.29 on the meta device: parameters with a head of 1000 classes (DINO and DINOv2 have none)
const published: Readonly<Record<string, number>> = {
  test_vit: 371_240,
  vit_tiny_patch16_224: 5_717_416,
  vit_tiny_patch16_384: 5_790_376,
  vit_small_patch16_224: 22_050_664,
  vit_small_patch16_384: 22_196_584,
  vit_small_patch32_224: 22_878_952,
  vit_base_patch16_224: 86_567_656,
  vit_base_patch16_384: 86_859_496,
  vit_base_patch32_224: 88_224_232,
  vit_base_patch32_384: 88_297_192,
  vit_large_patch16_224: 304_326_632,
  vit_large_patch16_384: 304_715_752,
  deit_tiny_patch16_224: 5_717_416,
  deit_small_patch16_224: 22_050_664,
  deit_base_patch16_224: 86_567_656,
  deit_base_patch16_384: 86_859_496,
  deit_tiny_distilled_patch16_224: 5_910_800,
  deit_small_distilled_patch16_224: 22_436_432,
  deit_base_distilled_patch16_224: 87_338_192,
  deit_base_distilled_patch16_384: 87_630_032,
  "vit_small_patch16_224.dino": 21_665_664,
  "vit_small_patch8_224.dino": 21_670_272,
  "vit_base_patch16_224.dino": 85_798_656,
  "vit_base_patch8_224.dino": 85_807_872,
  vit_small_patch14_dinov2: 22_056_192,
  vit_base_patch14_dinov2: 86_579_712,
  vit_large_patch14_dinov2: 304_367_616,
  vit_small_patch14_reg4_dinov2: 22_057_344,
  vit_base_patch14_reg4_dinov2: 86_582_016,
  vit_large_patch14_reg4_dinov2: 304_370_688,
};
const count = (name: string) => {
  const { spec, normalization } = catalogueEntry(name);
  return [...buildNet(spec, { normalization }).parameters.values()].reduce(
    (sum, s) => sum + s.reduce((a, b) => a * b, 1),
    0,
  );
};

describe("catalogue", () => {
  for (const [name, parameters] of Object.entries(published)) {
    it(`${name} has ${parameters.toLocaleString("en")} parameters, as published`, () =>
      assertEquals(count(name), parameters));
  }
  it("has a published count for every name but our own", () => {
    assertEquals(Object.keys(catalogue).filter((name) => !(name in published)), ["vit-phantom"]);
  });
  it("lists what it knows when a name is unknown", () => {
    assertThrows(() => catalogueEntry("vit_huge"), MammolabError, "known are vit-phantom");
    assertThrows(() => catalogueEntry("__proto__"), MammolabError, "not in the catalogue");
  });
});

describe("buildNet()", () => {
  const spec = { ...vitDefaults, dim: 24, depth: 1, heads: 3 };
  const normalization = { mean: [0.5], std: [0.5] };
  it("refuses an input of another number of channels", () => {
    const { spec, normalization } = catalogue["vit-phantom"]!;
    assertThrows(() => buildNet(spec, { normalization, inputChannels: 3 }), MammolabError, "or grey, and not 3");
  });

  it("refuses sizes that do not divide", () => {
    assertThrows(() => buildNet({ ...spec, heads: 5 }, { normalization }), MammolabError, "do not divide into 5 heads");
    assertThrows(
      () => buildNet({ ...spec, patchSize: 15 }, { normalization }),
      MammolabError,
      "not whole patches of 15",
    );
    assertThrows(() => buildNet({ ...spec, classToken: false }, { normalization }), MammolabError, "class token");
  });
  it("refuses sizes that no network has, for a spec may come from a file", () => {
    const wrong = {
      depth: -1,
      dim: 0,
      heads: 0,
      patchSize: 0,
      mlpRatio: 0.3,
      classes: -2,
      registers: 0.5,
      channels: NaN,
    };
    for (const [key, size] of Object.entries(wrong)) {
      assertThrows(() => buildNet({ ...spec, [key]: size }, { normalization }), MammolabError, "whole number");
    }
    const headless = { ...spec, distilled: true, pool: "average" } as const;
    assertThrows(() => buildNet(headless, { normalization }), MammolabError, "distillation head");
    const words: readonly (readonly [object, string])[] = [
      [{ pool: "avg" }, "pool is avg, not token, average or max"],
      [{ head: undefined }, "head is undefined, not linear, gelu or tanh"],
      [{ stem: 16 }, "stem is 16, not a list of channels"],
      [{ stem: [16, 0] }, "channel number 1 of the stem is 0"],
      [{ stem: [8, 8, 8, 8, 8] }, "a stem of 5 convolutions shrinks by 32"],
    ];
    for (const [change, sentence] of words) {
      assertThrows(() => buildNet({ ...spec, ...change }, { normalization }), MammolabError, sentence);
    }
  });
  it("makes N = HW / P² tokens, and the pre-training head has a hidden layer", () => {
    assertEquals(gridOf({ ...spec, imageSize: { height: 384, width: 192 } }), { height: 24, width: 12 });
    const { parameters } = buildNet({ ...spec, head: "gelu" }, { normalization });
    assertEquals([parameters.get("pre_logits.weight"), parameters.get("head.weight")], [[24, 24], [1000, 24]]);
  });
});
