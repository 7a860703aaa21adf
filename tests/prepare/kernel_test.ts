import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { type Image, imageOf, type SourceMap, warp, type WarpOptions } from "mammolab/image";
import { allFinite, changed, forEachChunk } from "../../lib/prepare/augment/_kernel.ts";
import { brightness, color, contrast, noise, pipeline, saturation } from "mammolab/prepare";
import { assertClose } from "../image/_pictures.ts";

const valuesOf = (length: number) => {
  const { between } = seededRandom(length, "values");
  return Float32Array.from({ length }, () => between(-0.5, 1.5));
};
const cut = (value: number) => Math.min(1, Math.max(0, value));
const length = fc.integer({ min: 1, max: 200 });

describe("the augmentation kernel", () => {
  it("blends, sums and mixes with grey as the slow loops do, for every length", () => {
    const factor = fc.double({ min: -2, max: 2, noNaN: true });
    fc.assert(fc.property(length, factor, factor, (n, a, b) => {
      const data = valuesOf(3 * n);
      const before = data.slice();
      assertClose(changed(data, (k, from, to) => k.blend(from, to, a, b)), data.map((x) => cut(a * x + b)), 1e-6);
      let sum = 0;
      forEachChunk(data, (k, from, to) => sum += k.sum(from, to, 0.5, 2, -1));
      assertAlmostEquals(sum, data.reduce((total, x, i) => total + [0.5, 2, -1][i % 3]! * x, 0), 1e-4);
      const grey = (i: number) => {
        const pixel = i - i % 3;
        return 0.3 * data[pixel]! + 0.6 * data[pixel + 1]! + 0.1 * data[pixel + 2]!;
      };
      const mixed = data.map((x, i) => cut(a * x + (1 - a) * grey(i)));
      assertClose(changed(data, (k, from, to) => k.saturate(from, to, a, 0.3, 0.6, 0.1)), mixed, 2e-6);
      assertEquals(data, before);
    }));
  });

  it("finds one value that is not finite, wherever it stands", () => {
    fc.assert(fc.property(length, fc.nat(), fc.constantFrom(NaN, Infinity, -Infinity), (n, place, odd) => {
      const data = valuesOf(n);
      assert(allFinite(data));
      data[place % n] = odd;
      assert(!allFinite(data));
    }));
  });

  it("leaves what is not a number visible in its pixel, and all other pixels alone", () => {
    const operations = [
      (film: Image) => brightness(film, { factor: 0.5 }),
      (film: Image) => saturation(film, { factor: 0.5 }),
      (film: Image) => color(film, { turn: 0.2 }),
      (film: Image) => noise(film, { kind: "gaussian", level: 0.1, seed: 1 }),
      (film: Image) => noise(film, { kind: "poisson", level: 0.1, seed: 1 }),
    ];
    fc.assert(fc.property(length, fc.nat(), fc.constantFrom(...operations), (n, place, change) => {
      const film = imageOf(valuesOf(3 * n).map(cut), { height: 1, width: n, channels: 3 });
      const whole = change(film).data;
      film.data[place % (3 * n)] = NaN;
      const pixel = Math.floor((place % (3 * n)) / 3);
      const odd = change(film).data;
      assert(odd.subarray(3 * pixel, 3 * pixel + 3).some(Number.isNaN));
      odd.forEach((value, i) => Math.floor(i / 3) === pixel || assertEquals(value, whole[i]));
    }));
    const film = imageOf(Float32Array.of(0.1, NaN, 0.3), { height: 1, width: 3 });
    assert(contrast(film, { factor: 0.5 }).data.every(Number.isNaN)); // so is the mean
  });

  it("works through more values than it holds at once, and its noise goes on", () => {
    const n = (3 << 17) + 1000;
    const data = valuesOf(n);
    assertClose(changed(data, (k, from, to) => k.blend(from, to, 0.5, 0.1)), data.map((x) => cut(0.5 * x + 0.1)), 1e-6);
    let sum = 0;
    forEachChunk(data, (k, from, to) => sum += k.sum(from, to, 1, 1, 1));
    assertAlmostEquals(sum, data.reduce((total, x) => total + x, 0), 0.01);
    const flat = imageOf(new Float32Array(n).fill(0.5), { height: 1, width: n });
    const noisy = noise(flat, { kind: "gaussian", level: 0.1, seed: 3 }).data;
    const [head, tail] = [noisy.subarray(0, 1000), noisy.subarray(3 << 17)];
    assert(head.some((value, i) => value !== tail[i]), "the second part is not the first again");
  });

  it("gives what a pipeline gave before another image was worked on", () => {
    const { augment } = pipeline([
      { name: "contrast", options: { strength: 0.5 } },
      { name: "noise", options: { kind: "poisson", low: 0.1, high: 0.2 } },
    ]);
    const small = imageOf(valuesOf(35), { height: 5, width: 7 });
    const key = { seed: 1, epoch: 0, record: "a" };
    const first = augment(small, key).image.data;
    augment(imageOf(new Float32Array(10_000).fill(1), { height: 100, width: 100 }), key);
    assertEquals(augment(small, key).image.data, first);
  });
});

/** By the loops for numbers of channels that the kernel does not take. */
function slowWarp(image: Image, map: SourceMap, options: WarpOptions): Float32Array {
  const { height, width, channels } = image;
  const more = imageOf(new Float32Array(height * width * (channels + 1)), { height, width, channels: channels + 1 });
  image.data.forEach((value, i) => more.data[i + Math.floor(i / channels)] = value);
  return warp(more, map, options).data.filter((_, i) => i % (channels + 1) < channels);
}

describe("the warp kernel", () => {
  it("reads nothing but the picture and its border, wherever a dense map or an affine one leads", () => {
    const odd = [
      NaN,
      Infinity,
      -Infinity,
      1e30,
      -1e30,
      2 ** 31,
      -(2 ** 31),
      4294967296,
      -0,
      0.5,
      3,
      6.999999,
      7,
      1e-40,
    ];
    const place = fc.oneof(fc.constantFrom(...odd), fc.double({ min: -3, max: 10, noNaN: true }));
    const places = fc.array(place, { minLength: 12, maxLength: 12 });
    const border = fc.constantFrom("zero" as const, "edge" as const);
    fc.assert(fc.property(places, places, fc.constantFrom(1, 3), border, (xs, ys, channels, border) => {
      const image = imageOf(valuesOf(7 * 5 * channels), { height: 5, width: 7, channels });
      const dense = { height: 3, width: 4, x: Float32Array.from(xs), y: Float32Array.from(ys) };
      assertClose(warp(image, dense, { border }).data, slowWarp(image, dense, { border }), 1e-5);
      const affine = [xs[0]!, xs[1]!, xs[2]!, ys[0]!, ys[1]!, ys[2]!] as const;
      for (const value of warp(image, affine, { border }).data) assert(value >= -0.5 && value <= 1.5, `${value}`);
    }));
  });

  it("is what the slow loops give, for every map, size and number of channels", () => {
    const side = fc.integer({ min: 1, max: 20 });
    const number = fc.double({ min: -2, max: 2, noNaN: true });
    const map = fc.tuple(number, number, fc.double({ min: -30, max: 30, noNaN: true }), number, number, number);
    const border = fc.constantFrom("zero" as const, "edge" as const);
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.constantFrom(1, 3),
        map,
        border,
        (h, w, height, width, channels, map, border) => {
          const image = imageOf(valuesOf(h * w * channels), { height: h, width: w, channels });
          const fast = warp(image, map, { height, width, border }).data;
          assertClose(fast, slowWarp(image, map, { height, width, border }), 1e-5);
        },
      ),
    );
  });
});
