import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertNotEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { imageOf } from "mammolab/image";
import { resample } from "../../lib/image/_resize_kernel.ts";
import { tapsOf } from "../../lib/image/_taps.ts";
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

  it("reads rows again when their window is larger than its memory", () => {
    const image = noise(700, 4096, 1); // one output row of 700 rows of 16 KiB
    const [rows, columns] = [tapsOf("bilinear", 700, 2), tapsOf("bilinear", 4096, 3)];
    assertClose(resample(image, rows, columns), slowResample(image, rows, columns), 1e-6);
  });

  it("forgets what it resized before", () => {
    const image = noise(9, 13, 1);
    const [rows, columns] = [tapsOf("area", 9, 4), tapsOf("area", 13, 5)];
    const before = resample(image, rows, columns);
    resample(imageOf(new Float32Array(40 * 40).fill(NaN), { height: 40, width: 40 }), tapsOf("area", 40, 4), columns);
    assertEquals(resample(image, rows, columns), before);
  });

  it("is assembled from the text beside it, where wabt is at hand", async () => {
    const build = new URL("../fixtures/kernel/build.ts", import.meta.url).pathname;
    const flags = ["--no-lock", "--node-modules-dir=none", "--cached-only", "--allow-read", "--allow-env"];
    const { code } = await new Deno.Command("deno", { args: ["run", ...flags, build, "--check"], stderr: "null" })
      .output();
    assertNotEquals(code, 3); // 0: the same; 1: wabt is not in the cache
  });
});
