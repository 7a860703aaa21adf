import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { imageOf, percentilesOf, pixelStatistics, stretchRange } from "mammolab/image";
import { formulaPicture, paint } from "./_pictures.ts";

describe("percentilesOf()", () => {
  it("is linear interpolation in the sorted values, as numpy defines it", () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (values, percent) => {
      const sorted = Float32Array.from(values).sort();
      const rank = (percent / 100) * (sorted.length - 1);
      const [below, above] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
      const [found] = percentilesOf(Float32Array.from(values), [percent]);
      const expected = below + (rank - Math.floor(rank)) * (above - below);
      return Math.abs(found! - expected) <= 1e-9 * (1 + Math.abs(above - below) + Math.abs(expected));
    }));
  });

  it("leaves out what is not a number, and gives the one value of a flat image", () => {
    assertEquals(percentilesOf(Float32Array.of(NaN, 3, Infinity, 1), [0, 50, 100]), [1, 2, 3]);
    assertEquals(percentilesOf(Float32Array.of(2, 2), [10, 90]), [2, 2]);
  });

  it("refuses percentages out of range and values that are all no numbers", () => {
    assertThrows(() => percentilesOf(Float32Array.of(1), [101]), MammolabError, "percentile 101");
    assertThrows(() => percentilesOf(Float32Array.of(NaN), [50]), MammolabError, "none of the values");
  });
});

describe("stretchRange()", () => {
  it("makes the percentiles 0 and 1, cuts off what lies beyond and keeps the rest in proportion", () => {
    const { data } = stretchRange({ percentiles: [10, 90] })(paint(1, 101, (x) => (x - 0.5) / 100));
    data.forEach((value, k) => assertAlmostEquals(value, Math.min(Math.max((k / 100 - 0.1) / 0.8, 0), 1), 1e-6));
  });

  it("leaves a flat image as it is", () => {
    const flat = paint(3, 3, () => 0.4);
    assertEquals(stretchRange()(flat), flat);
  });

  it("refuses percentiles that do not rise within 0 to 100, which would do nothing", () => {
    for (const percentiles of [[99, 1], [5, 5], [-1, 99], [1, 101], [NaN, 99]] as const) {
      assertThrows(() => stretchRange({ percentiles }), MammolabError, "they rise within 0 to 100");
    }
  });
});

describe("pixelStatistics()", () => {
  it("is the mean and deviation of all pixels together, channel by channel, however they are shared out", async () => {
    const { normal } = seededRandom(1, "statistics");
    const values = Float32Array.from({ length: 3 * 700 }, (_, k) => 5 + (k % 3) + (1 + k % 3) * normal());
    const parts = [[0, 100], [100, 101], [101, 700]].map(([from, to]) =>
      imageOf(values.subarray(3 * from!, 3 * to!), { height: 1, width: to! - from!, channels: 3 })
    );
    const { mean, std, images } = await pixelStatistics(parts);
    assertEquals(images, 3);
    for (let channel = 0; channel < 3; channel++) {
      const own = values.filter((_, k) => k % 3 === channel);
      const average = own.reduce((a, b) => a + b, 0) / 700;
      assertAlmostEquals(mean[channel]!, average, 1e-9);
      assertAlmostEquals(std[channel]!, Math.sqrt(own.reduce((a, b) => a + (b - average) ** 2, 0) / 700), 1e-9);
    }
  });

  it("refuses no image and images of several kinds", async () => {
    await assertRejects(() => pixelStatistics([]), MammolabError, "there is none");
    await assertRejects(
      () => pixelStatistics([formulaPicture(2, 2), formulaPicture(2, 2, 3)]),
      MammolabError,
      "image 2 has 3 channels, the first has 1",
    );
  });
});
