import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { type Image, imageOf } from "mammolab/image";
import {
  blur,
  brightness,
  color,
  contrast,
  gamma,
  noise,
  pseudoColor,
  sampleBrightness,
  sampleColor,
  sampleGamma,
  sampleNoise,
  saturation,
  sharpness,
} from "mammolab/prepare";

// deno-lint-ignore no-explicit-any
const operations: Readonly<Record<string, (image: Image, parameters: any) => Image>> = {
  brightness,
  contrast,
  gamma,
  sharpness,
  blur,
  saturation,
  color,
};
const fixture = JSON.parse(await Deno.readTextFile(new URL("../fixtures/augment/photometric.json", import.meta.url)));
const size = { height: fixture.height as number, width: fixture.width as number };
const images: Readonly<Record<string, Image>> = {
  rgb: imageOf(Float32Array.from(fixture.rgb), { ...size, channels: 3 }),
  grey: imageOf(Float32Array.from(fixture.grey), size),
};

describe("photometric operations", () => {
  for (const { image, operation, parameters, expected } of fixture.cases) {
    it(`${operation}() agrees with torchvision ${fixture.torchvision} on ${image}, ${JSON.stringify(parameters)}`, () => {
      const before = images[image]!.data.slice();
      const { data } = operations[operation]!(images[image]!, parameters);
      data.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-6));
      assertEquals(images[image]!.data, before, "the argument is not changed");
    });
  }

  it("color and saturation pseudo-color a grey image; a factor of 1 and a turn of 0 then change nothing", () => {
    const colored = pseudoColor(images.grey!);
    assertEquals(colored.channels, 3);
    for (const out of [saturation(images.grey!, { factor: 1 }), color(images.grey!, { turn: 0 })]) {
      out.data.forEach((value, i) => assertAlmostEquals(value, colored.data[i]!, 1e-6));
    }
  });

  it("blur() is the identity on a constant and works on a single pixel", () => {
    const one = imageOf(Float32Array.of(0.3), { height: 1, width: 1 });
    assertAlmostEquals(blur(one, { sigma: 2 }).data[0]!, 0.3, 1e-7);
    assertEquals(sharpness(one, { factor: 2 }).data[0], one.data[0]);
  });

  it("refuse settings that would change nothing", () => {
    const random = seededRandom(1);
    assertThrows(() => sampleBrightness({ strength: 0 }, random), MammolabError, "change nothing");
    assertThrows(() => sampleColor({ strength: 0.6 }, random), MammolabError, "at most 0.5");
    assertThrows(() => sampleGamma({ low: 1, high: 1 }, random), MammolabError, "not both 1");
    assertThrows(() => sampleNoise({ kind: "gaussian", low: 0, high: 0 }, random), MammolabError, "above 0");
  });
});

describe("noise()", () => {
  const flat = imageOf(new Float32Array(200 * 200).fill(0.49), { height: 200, width: 200 });
  const moments = (data: Float32Array) => {
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const at = (k: number) => data.reduce((sum, x) => sum + (x - mean) ** k, 0) / data.length;
    return { mean, deviation: Math.sqrt(at(2)), kurtosis: at(4) / at(2) ** 2, skew: at(3) / at(2) ** 1.5 };
  };
  it("is normal with the level as its deviation", () => {
    const { mean, deviation, kurtosis, skew } = moments(noise(flat, { kind: "gaussian", level: 0.1, seed: 1 }).data);
    assertAlmostEquals(mean, 0.49, 0.002);
    assertAlmostEquals(deviation, 0.1, 0.0015);
    assertAlmostEquals(kurtosis, 3, 0.1);
    assertAlmostEquals(skew, 0, 0.05);
  });
  it("grows with the root of the value when it is poisson", () => {
    assertAlmostEquals(moments(noise(flat, { kind: "poisson", level: 0.1, seed: 1 }).data).deviation, 0.07, 0.0015);
  });
  it("strikes the share of pixels that it is told, half of them white", () => {
    const { data } = noise(flat, { kind: "saltAndPepper", level: 0.05, seed: 1 });
    const [salt, pepper] = [1, 0].map((value) => data.filter((x) => x === value).length / data.length);
    assertAlmostEquals(salt!, 0.025, 0.003);
    assertAlmostEquals(pepper!, 0.025, 0.003);
  });
  it("is the same for the same seed and has no neighbor correlation", () => {
    const a = noise(flat, { kind: "gaussian", level: 0.1, seed: 7 }).data;
    assertEquals(a, noise(flat, { kind: "gaussian", level: 0.1, seed: 7 }).data);
    assert(a.some((x, i) => x !== noise(flat, { kind: "gaussian", level: 0.1, seed: 8 }).data[i]));
    let product = 0;
    for (let i = 1; i < a.length; i++) product += (a[i]! - 0.49) * (a[i - 1]! - 0.49);
    assertAlmostEquals(product / a.length / 0.01, 0, 0.02);
  });
});
