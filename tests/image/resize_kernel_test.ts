import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { type Affine, crop, imageOf, mirror, resizeTo } from "mammolab/image";
import { resample } from "../../lib/image/_resize_kernel.ts";
import { tapsOf } from "../../lib/image/_taps.ts";
import { resizePart } from "../../lib/image/resize.ts";
import { assertClose, largestDifference } from "./_pictures.ts";
import { slowResample } from "./_resample.ts";

function noise(height: number, width: number, channels: number) {
  const { uniform } = seededRandom(height, width, channels);
  return imageOf(Float32Array.from({ length: height * width * channels }, uniform), { height, width, channels });
}

describe("the resize kernel", () => {
  const side = fc.integer({ min: 1, max: 70 });
  const filter = fc.constantFrom("area", "bilinear", "bicubic" as const);

  it("is the double sum of its definition, for every filter, size and number of channels", () => {
    fc.assert(
      fc.property(side, side, side, side, fc.constantFrom(1, 3), filter, (h, w, height, width, channels, filter) => {
        const image = noise(h, w, channels);
        const [rows, columns] = [tapsOf(filter, h, height), tapsOf(filter, w, width)];
        return largestDifference(resample(image, rows, columns), slowResample(image, rows, columns)) < 1e-6;
      }),
    );
  });

  it("is the same for more output rows than are worked on together", () => {
    const image = noise(301, 1500, 1); // 42 rows of 6 KB at a time
    for (const [height, filter] of [[150, "bilinear"], [149, "bicubic"], [600, "bicubic"], [97, "area"]] as const) {
      const [rows, columns] = [tapsOf(filter, 301, height), tapsOf(filter, 1500, 7)];
      assertClose(resample(image, rows, columns), slowResample(image, rows, columns), 1e-6);
    }
  });

  it("takes a row of millions of pixels, and small pictures after it", () => {
    const long = imageOf(Float32Array.from({ length: 4e6 }, (_, i) => i / 4e6), { height: 1, width: 4e6 });
    assertClose(resample(long, tapsOf("area", 1, 1), tapsOf("area", 4e6, 4)), [0.125, 0.375, 0.625, 0.875], 2e-3);
    const image = noise(9, 13, 1);
    const [rows, columns] = [tapsOf("area", 9, 4), tapsOf("area", 13, 5)];
    assertClose(resample(image, rows, columns), slowResample(image, rows, columns), 1e-6);
  });

  it("lets a value that is not finite spoil results nearby alone", () => {
    const image = noise(64, 64, 1);
    image.data[30 * 64 + 30] = NaN; // in row 15 and column 15 of the half
    const taps = tapsOf("area", 64, 32);
    const odd = [...resample(image, taps, taps)].flatMap((value, i) => Number.isNaN(value) ? [i] : []);
    assert(odd.includes(15 * 32 + 15));
    for (const i of odd) assert(Math.abs(Math.floor(i / 32) - 15) <= 2 && Math.abs(i % 32 - 15) <= 2);
  });

  it("adds up rows whose window is larger than what is copied at once", () => {
    const image = noise(700, 4096, 1); // one output row of 700 rows of 16 KiB
    const [rows, columns] = [tapsOf("bilinear", 700, 2), tapsOf("bilinear", 4096, 3)];
    assertClose(resample(image, rows, columns), slowResample(image, rows, columns), 1e-6);
  });

  it("gives the bits of a cut, mirrored and resized copy without making one", () => {
    const sizes = fc.tuple(side, side, side, side, fc.constantFrom(1, 3), filter, fc.boolean());
    fc.assert(fc.property(sizes, fc.nat(), fc.nat(), ([h, w, height, width, channels, filter, mirrored], x, y) => {
      const image = noise(h, w, channels);
      const [left, top] = [x % w, y % h];
      const part = { x: left, y: top, width: 1 + (x % (w - left)), height: 1 + (y % (h - top)), mirrored };
      const { mirrored: _, ...box } = part;
      const piece = mirrored ? mirror(crop(image, box)) : crop(image, box);
      const expected = resizeTo({ height, width, filter })(piece);
      const { data, toSource } = resizePart(image, part, { height, width, filter });
      assertEquals(data, expected.data);
      assertClose(toSource as Affine, expected.toSource as Affine, 1e-9);
    }));
  });

  it("forgets what it resized before", () => {
    const image = noise(9, 13, 1);
    const [rows, columns] = [tapsOf("area", 9, 4), tapsOf("area", 13, 5)];
    const before = resample(image, rows, columns);
    resample(imageOf(new Float32Array(40 * 40).fill(NaN), { height: 40, width: 40 }), tapsOf("area", 40, 4), columns);
    assertEquals(resample(image, rows, columns), before);
  });
});
