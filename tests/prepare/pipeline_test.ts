import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { imageOf } from "mammolab/image";
import {
  type AugmentationName,
  augmentationNames,
  cutmix,
  cutout,
  mixup,
  type OptionsOf,
  pipeline,
  replay,
  sampleCutmix,
  sampleMixup,
  type Step,
} from "mammolab/prepare";

const film = imageOf(new Float32Array(20 * 30).map((_, i) => (i % 97) / 97), { height: 20, width: 30 });
const steps = pipeline([
  { name: "brightness", options: { strength: 0.3 } },
  { name: "noise", options: { kind: "gaussian", low: 0.01, high: 0.1 }, probability: 0.5 },
  { oneOf: [{ name: "gamma", options: { low: 0.5, high: 2 } }, { name: "cutout", options: { low: 0.1, high: 0.3 } }] },
]);

/** Settings for every augmentation: one without does not compile. */
const settings: { readonly [N in AugmentationName]: OptionsOf<N> } = {
  brightness: { strength: 0.3 },
  contrast: { strength: 0.3 },
  gamma: { low: 0.5, high: 2 },
  saturation: { strength: 0.5 },
  color: { strength: 0.2 },
  noise: { kind: "poisson", low: 0.05, high: 0.1 },
  blur: { low: 0.5, high: 1 },
  sharpness: { strength: 0.5 },
  rotation: { degrees: 20 },
  translation: { x: 0.1, y: 0.1 },
  scale: { low: 0.8, high: 1.2 },
  shear: { x: 10 },
  affine: { rotation: { degrees: 20 }, scale: { low: 0.8, high: 1.2 } },
  crop: { low: 0.5, high: 0.8 },
  flip: { direction: "horizontal" },
  elastic: { low: 0.02, high: 0.025 },
  clahe: { low: 2, high: 4, tiles: 2 },
  cutout: { low: 0.1, high: 0.3 },
};

describe("pipeline()", () => {
  for (const name of augmentationNames) {
    it(`changes an image by ${name} alone, does it again from its JSON, and keeps its size`, () => {
      const { augment } = pipeline([{ name, options: settings[name] } as Step]);
      const { image, drawn } = augment(film, { seed: 1, epoch: 0, record: "0007" });
      assertEquals([image.height, image.width, drawn.map((step) => step.name)], [20, 30, [name]]);
      assert(image.data.some((value, at) => value !== film.data[at]), "changed");
      assertEquals(replay(film, JSON.parse(JSON.stringify(drawn))), image);
    });
  }
  it("gives the same image for the same seed, epoch and record, and others otherwise, in any order", () => {
    const key = { seed: 1, epoch: 2, record: "a" };
    const first = steps.augment(film, key).image.data;
    steps.augment(film, { ...key, record: "b" });
    assertEquals(steps.augment(film, key).image.data, first);
    for (const other of [{ ...key, seed: 2 }, { ...key, epoch: 3 }, { ...key, record: "b" }, { ...key, copy: 1 }]) {
      assert(steps.augment(film, other).image.data.some((value, i) => value !== first[i]));
    }
  });
  it("is its steps one after the other, and leaves the image as it was", () => {
    const names = augmentationNames.filter((name) => name !== "clahe"); // takes no color
    const all = pipeline(names.map((name) => ({ name, options: settings[name] }) as Step));
    const before = film.data.slice();
    const { image, drawn } = all.augment(film, { seed: 3, epoch: 0, record: "x" });
    assertEquals(film.data, before);
    const steps = drawn.reduce((done, step) => replay({ ...done, data: done.data.slice() }, [step]), film);
    assertEquals(image, steps);
  });
  it("is replayed from its JSON", () => {
    const { image, drawn } = steps.augment(film, { seed: 4, epoch: 0, record: "x" });
    assertEquals(replay(film, JSON.parse(JSON.stringify(drawn))).data, image.data);
  });
  it("takes a step with its probability and each of a choice equally often", () => {
    const names = Array.from({ length: 2000 }, (_, i) => steps.sample(seededRandom(i)).map(({ name }) => name));
    const share = (name: string) => names.filter((drawn) => (drawn as string[]).includes(name)).length / 2000;
    assertEquals(share("brightness"), 1);
    assertAlmostEquals(share("noise"), 0.5, 0.05);
    assertAlmostEquals(share("gamma"), 0.5, 0.05);
    assertEquals(share("gamma") + share("cutout"), 1);
  });
  it("refuses probabilities outside (0, 1], empty choices, unknown names and no-op settings when it is made", () => {
    const brightness = { name: "brightness", options: { strength: 0.1 } } as const;
    assertThrows(() => pipeline([{ ...brightness, probability: 0 }]), MammolabError, "probability 0");
    assertThrows(() => pipeline([{ oneOf: [] }]), MammolabError, "empty");
    assertThrows(() => pipeline([{ name: "brightness", options: { strength: 0 } }]), MammolabError, "change nothing");
    // @ts-expect-error: only known augmentations
    assertThrows(() => pipeline([{ name: "sparkle", options: {} }]), MammolabError, '"sparkle" is no augmentation');
  });
  it("refuses an image with NaN and says where", () => {
    const broken = { ...film, data: film.data.slice() };
    broken.data[31] = NaN;
    assertThrows(() => replay(broken, []), MammolabError, "(row 1, column 1) is NaN");
  });
});

describe("cutout()", () => {
  it("blackens squares of the drawn share of the shorter side", () => {
    const white = imageOf(new Float32Array(20 * 30).fill(1), { height: 20, width: 30 });
    const out = cutout(white, { squares: [{ x: 0.5, y: 0.5, side: 0.5 }] });
    assertEquals(out.data.filter((value) => value === 0).length, 100);
    assertEquals([out.data[5 * 30 + 10], out.data[14 * 30 + 19], out.data[4 * 30 + 10]], [0, 0, 1]);
  });
});

describe("mixup(), cutmix()", () => {
  const flat = (value: number, target: readonly number[]) => ({
    image: imageOf(new Float32Array(600).fill(value), { height: 20, width: 30 }),
    target,
  });
  const [a, b] = [flat(0, [1, 0]), flat(1, [0, 1])];
  it("mix pixels and labels by the same share", () => {
    const { image, target } = mixup(a, b, { share: 0.3 });
    assertAlmostEquals(image.data[0]!, 0.7, 1e-7);
    assertAlmostEquals(target[1]!, 0.7, 1e-12);
    const cut = cutmix(a, b, { x: 0.9, y: 0.5, height: 0.5, width: 0.5 }); // reaches over the edge
    const replaced = cut.image.data.filter((value) => value === 1).length / 600;
    assertAlmostEquals(cut.target[1]!, replaced, 1e-12);
  });
  it("draw shares of a Beta distribution", () => {
    const share = Array.from({ length: 4000 }, (_, i) => sampleMixup({ alpha: 0.4 }, seededRandom(i, "mix")).share);
    const mean = share.reduce((x, y) => x + y, 0) / share.length;
    const variance = share.reduce((sum, x) => sum + (x - mean) ** 2, 0) / share.length;
    assertAlmostEquals(mean, 0.5, 0.02);
    assertAlmostEquals(variance, 1 / (4 * (2 * 0.4 + 1)), 0.006); // of Beta(α, α)
  });
  it("refuse images that do not agree and an alpha of 0", () => {
    const small = { ...b, image: imageOf(new Float32Array(4), { height: 2, width: 2 }) };
    assertThrows(() => mixup(a, small, { share: 0.5 }), MammolabError, "resize first");
    assertThrows(() => sampleCutmix({ alpha: 0 }, seededRandom(1)), MammolabError, "above 0");
  });
});
