import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { applyMap, type Image, imageOf, inverseOf, moveRegionBack, rasterize, type Region } from "mammolab/image";
import {
  affine,
  elastic,
  elasticMap,
  equalize,
  flip,
  resizedCrop,
  rotation,
  sampleAffine,
  sampleElastic,
  sampleEqualize,
  sampleFlip,
  sampleResizedCrop,
  sampleRotation,
  sampleScale,
  sampleShear,
  sampleTranslation,
  scale,
  shear,
  translation,
} from "mammolab/prepare";
import { assertClose, floatsOf, formulaPicture, paint } from "../image/_pictures.ts";

// deno-lint-ignore no-explicit-any
const operations: Readonly<Record<string, (image: Image, parameters: any) => Image>> = {
  rotation,
  translation,
  scale,
  shear,
  affine,
  crop: resizedCrop,
  flip,
  elastic,
};
const read = async (name: string) =>
  JSON.parse(await Deno.readTextFile(new URL(`../fixtures/augment/${name}`, import.meta.url)));
const { torchvision, cases } = await read("geometry.json");

/** Draws of every geometric operation, strong ones. */
const draws: Readonly<Record<string, (seed: number) => (image: Image) => Image>> = {
  rotation: (seed) => (image) => rotation(image, sampleRotation({ degrees: 180 }, seededRandom(seed))),
  translation: (seed) => (image) => translation(image, sampleTranslation({ x: 0.2, y: 0.2 }, seededRandom(seed))),
  scale: (seed) => (image) => scale(image, sampleScale({ low: 0.6, high: 1.4 }, seededRandom(seed))),
  shear: (seed) => (image) => shear(image, sampleShear({ x: 25, y: 25 }, seededRandom(seed))),
  affine: (seed) => (image) =>
    affine(
      image,
      sampleAffine(
        { rotation: { degrees: 90 }, translation: { x: 0.1 }, scale: { low: 0.8, high: 1.2 }, shear: { y: 10 } },
        seededRandom(seed),
      ),
    ),
  resizedCrop: (seed) => (image) =>
    resizedCrop(image, sampleResizedCrop({ low: 0.4, high: 0.9, stretch: 1.3 }, seededRandom(seed))),
  flip: () => (image) => flip(image, { direction: "horizontal" }),
  "flip upside down": () => (image) => flip(image, { direction: "vertical" }),
  elastic: (seed) => (image) =>
    elastic(image, sampleElastic({ low: 0.01, high: 0.03, grain: 0.15 }, seededRandom(seed))),
};

describe("geometric operations", () => {
  for (const { channels, operation, parameters, expected } of cases) {
    it(`${operation}() agrees with torchvision ${torchvision} on ${channels} channels, ${JSON.stringify(parameters)}`, () => {
      const picture = formulaPicture(23, 31, channels);
      const { data } = operations[operation]!(picture, parameters);
      // Both are float32 sums; torchvision's coordinates are float32 too: 2e-6 of a pixel, times steps of up to 1.
      assertClose(data, floatsOf(expected), 2e-5);
    });
  }

  for (const [name, drawn] of Object.entries(draws)) {
    it(`${name} moves a mask's pixels where the outline of the lesion goes`, () => {
      const [height, width] = [90, 70];
      const outline: Region = { kind: "polygon", points: [[22, 30], [50, 26], [56, 52], [38, 66], [20, 55]] };
      const mask = imageOf(Float32Array.from(rasterize(outline, { height, width })), { height, width });
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const moved = drawn(seed)(mask);
          const expected = rasterize(moveRegionBack(outline, moved.toSource), { height, width });
          let [both, either] = [0, 0];
          moved.data.forEach((value, at) => {
            const inside = value > 0.5 ? 1 : 0;
            both += inside * expected[at]!;
            either += Math.max(inside, expected[at]!);
          });
          assert(both / either > 0.95, `${both} of ${either} pixels`);
        }),
        { numRuns: 25 },
      );
    });

    it(`${name} keeps the place of every point: there and back within half a pixel`, () => {
      const film: Image = { ...paint(60, 80, (x) => x / 80), toSource: [3, 0, 100, 0, 3, 200] };
      const [x, y] = [fc.double({ min: 8, max: 72, noNaN: true }), fc.double({ min: 8, max: 52, noNaN: true })];
      fc.assert(
        fc.property(fc.nat(), x, y, (seed, x, y) => {
          const { toSource } = drawn(seed)(film);
          const [u, v] = inverseOf(toSource)(applyMap(toSource, [x, y]));
          assert(Math.hypot(u - x, v - y) < 0.5);
        }),
        { numRuns: 50 },
      );
    });

    it(`${name} shows at each point what the film has at its source`, () => {
      const film = paint(60, 80, (x, y) => 0.5 + 0.2 * Math.sin(x / 9) + 0.2 * Math.cos(y / 7));
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const { data, toSource } = drawn(seed)(film);
          for (let at = 0; at < data.length; at += 37) {
            const [u, v] = [at % 80 + 0.5, Math.floor(at / 80) + 0.5];
            const [x, y] = applyMap(toSource, [u, v]);
            const interior = Math.min(x, y, 80 - x, 60 - y, u - 1, v - 1, 79 - u, 59 - v) >= 1;
            if (!interior) continue;
            assertAlmostEquals(data[at]!, 0.5 + 0.2 * Math.sin(x / 9) + 0.2 * Math.cos(y / 7), 2e-3);
          }
        }),
        { numRuns: 25 },
      );
    });
  }

  it("work on a single pixel, but for elastic(), which has nothing to bend there", () => {
    const one = imageOf(Float32Array.of(0.5), { height: 1, width: 1 });
    for (const name of ["rotation", "scale", "resizedCrop", "flip", "flip upside down"]) {
      assertEquals([...draws[name]!(3)(one).data], [0.5], name);
    }
    assertThrows(() => draws.elastic!(3)(one), MammolabError, "Cannot bend an image of 1 × 1");
  });

  it("refuse settings that would change nothing or make no sense", () => {
    const random = seededRandom(1);
    const refused = (draw: () => unknown, part: string) => assertThrows(draw, MammolabError, part);
    refused(() => sampleRotation({ degrees: 0 }, random), "up to 0°");
    refused(() => sampleTranslation({}, random), "not both 0");
    refused(() => sampleTranslation({ x: 1 }, random), "[0, 1)");
    refused(() => sampleScale({ low: 1, high: 1 }, random), "not both 1");
    refused(() => sampleScale({ low: 0, high: 1 }, random), "above 0");
    refused(() => sampleShear({ x: 90 }, random), "[0°, 90°)");
    refused(() => sampleAffine({}, random), "nothing is asked for");
    refused(() => sampleResizedCrop({ low: 1, high: 1 }, random), "not both 1");
    refused(() => sampleResizedCrop({ low: 0.5, high: 0.9, stretch: 0.5 }, random), "at least 1");
    refused(() => sampleElastic({ low: 0, high: 0 }, random), "above 0");
    refused(() => sampleElastic({ low: 0.01, high: 0.05, grain: 0.1 }, random), "a quarter of the grain");
    refused(() => sampleEqualize({ low: 0, high: 2 }, random), "above 0");
    // @ts-expect-error: two directions only
    refused(() => sampleFlip({ direction: "up" }, random), '"up"');
  });
});

describe("elasticMap()", () => {
  it("is the field that was given to torchvision", async () => {
    const { parameters, x, y } = await read("elastic_field.json");
    const map = elasticMap(parameters, { height: 23, width: 31 });
    assertClose(map.x.map((position, at) => position - at % 31 - 0.5), x, 3e-6);
    assertClose(map.y.map((position, at) => position - Math.floor(at / 31) - 0.5), y, 3e-6);
  });

  /** Displacements of many fields, in units of their strength. */
  const fields = Array.from({ length: 12 }, (_, seed) => {
    const { x } = elasticMap({ strength: 0.02, grain: 0.08, seed }, { height: 100, width: 120 });
    return x.map((position, at) => (position - at % 120 - 0.5) / 2);
  });
  const mean = (products: (field: Float32Array, at: number) => number) => {
    let [sum, count] = [0, 0];
    for (const field of fields) {
      for (let row = 0; row < 100; row++) {
        for (let column = 0; column < 100; column++, count++) sum += products(field, row * 120 + column);
      }
    }
    return sum / count;
  };

  it("has the strength as its deviation and is as smooth as its grain says", () => {
    assertAlmostEquals(mean((field, at) => field[at]!), 0, 0.1);
    assertAlmostEquals(mean((field, at) => field[at]! ** 2), 1, 0.1);
    // White noise smoothed by a Gaussian of deviation s is correlated as exp(−d²/4s²); s is 8 pixels here.
    assertAlmostEquals(mean((field, at) => field[at]! * field[at + 8]!), Math.exp(-0.25), 0.1);
    assertAlmostEquals(mean((field, at) => field[at]! * field[at + 16]!), Math.exp(-1), 0.1);
  });

  it("never folds the picture over itself at the greatest strength allowed", () => {
    for (let seed = 0; seed < 40; seed++) {
      const { x, y } = elasticMap({ strength: 0.025, grain: 0.1, seed }, { height: 90, width: 90 });
      for (let at = 0; at < 89 * 90; at++) {
        if (at % 90 === 89) continue;
        const turn = (x[at + 1]! - x[at]!) * (y[at + 90]! - y[at]!) - (x[at + 90]! - x[at]!) * (y[at + 1]! - y[at]!);
        assert(turn > 0, `seed ${seed}, pixel ${at}`);
      }
    }
  });

  it("bends a small and a large image of one shape alike", () => {
    const parameters = { strength: 0.02, grain: 0.1, seed: 4 };
    const small = elasticMap(parameters, { height: 64, width: 96 });
    const large = elasticMap(parameters, { height: 192, width: 288 });
    for (const [row, column] of [[0, 0], [20, 70], [63, 95], [40, 3]] as const) {
      const center = (3 * row + 1) * 288 + 3 * column + 1; // the middle one of nine pixels has the same center
      assertAlmostEquals(large.x[center]! / 3, small.x[row * 96 + column]!, 1e-3);
      assertAlmostEquals(large.y[center]! / 3, small.y[row * 96 + column]!, 1e-3);
    }
  });
});

describe("equalize()", () => {
  it("raises local contrast of a grey image and refuses color", () => {
    const faint = paint(64, 64, (x, y) => 0.5 + 0.02 * Math.sin(x) * Math.cos(y));
    const { data } = equalize(faint, sampleEqualize({ low: 4, high: 4, tiles: 2 }, seededRandom(1)));
    assert(Math.max(...data) - Math.min(...data) > 0.1);
    assertThrows(
      () => equalize({ ...faint, channels: 3, height: 32, width: 42 }, { clip: 2, tiles: 2 }),
      MammolabError,
    );
  });
});
