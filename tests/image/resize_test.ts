import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { applyMap, type DenseMap, imageOf, type ResizeFilter, resizeTo } from "mammolab/image";
import { assertClose, floatsOf, formulaPicture, paint } from "./_pictures.ts";

type Case = {
  readonly peer: string;
  readonly filter: ResizeFilter;
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number];
  readonly expected: string;
};
const cases = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/resize/cases.json", import.meta.url)),
) as readonly Case[];

const blank = (height: number, width: number) => imageOf(new Float32Array(height * width), { height, width });
const side = fc.integer({ min: 1, max: 40 });
const filters: readonly ResizeFilter[] = ["area", "bilinear", "bicubic"];

describe("resizeTo()", () => {
  for (const { peer, filter, from, to: [height, width], expected } of cases) {
    it(`agrees with ${peer} on ${filter}, ${from.join(" × ")} → ${height} × ${width}`, () => {
      // float32 sums in another order: 1e-6 of full scale
      assertClose(resizeTo({ height, width, filter })(formulaPicture(...from)).data, floatsOf(expected), 1e-6);
    });
  }

  it("keeps the corners of the film where they were, padded or not", () => {
    fc.assert(fc.property(side, side, side, side, fc.boolean(), (h, w, height, width, pad) => {
      const { toSource } = resizeTo({ height, width, fit: pad ? "pad" : "stretch" })(blank(h, w));
      const [left, top] = applyMap(toSource, [0, 0]);
      const [right, bottom] = applyMap(toSource, [width, height]);
      const close = (a: number, b: number) => Math.abs(a - b) < 1e-9;
      if (!pad) return close(left, 0) && close(top, 0) && close(right, w) && close(bottom, h);
      return left <= 1e-9 && top <= 1e-9 && right >= w - 1e-9 && bottom >= h - 1e-9;
    }));
  });

  it("keeps a flat image flat, whatever the filter", () => {
    fc.assert(fc.property(side, side, side, side, fc.constantFrom(...filters), (h, w, height, width, filter) => {
      const { data } = resizeTo({ height, width, filter })(paint(h, w, () => 0.37));
      return data.every((value) => Math.abs(value - 0.37) < 1e-6);
    }));
  });

  it("keeps the mean of an image that shrinks by overlap, also by no whole factor", () => {
    const image = formulaPicture(31, 47);
    const mean = (data: Float32Array) => data.reduce((sum, value) => sum + value, 0) / data.length;
    assertAlmostEquals(mean(resizeTo({ height: 7, width: 11 })(image).data), mean(image.data), 1e-6);
  });

  it("leaves a slope a slope, on the place that its map says", () => {
    for (const filter of filters) {
      const small = resizeTo({ height: 9, width: 13, filter })(paint(50, 60, (x, y) => x / 100 + y / 200));
      for (const [row, column] of [[3, 4], [4, 6], [5, 8]] as const) {
        const [x, y] = applyMap(small.toSource, [column + 0.5, row + 0.5]);
        // Pixels are taken whole or in part, so the center of mass lies up to a tenth of a pixel beside: 1e-3 on this slope.
        assertAlmostEquals(small.data[row * 13 + column]!, x / 100 + y / 200, 1e-3);
      }
    }
  });

  it("pads with zeros, keeps the shape, and puts the film where it is told", () => {
    const film = paint(40, 20, () => 1);
    const lit = (align: "center" | "left" | "right") =>
      [...resizeTo({ height: 4, width: 6, fit: "pad", align })(film).data.subarray(0, 6)].map(Math.round);
    assertEquals(lit("left"), [1, 1, 0, 0, 0, 0]);
    assertEquals(lit("right"), [0, 0, 0, 0, 1, 1]);
    assertEquals(lit("center"), [0, 0, 1, 1, 0, 0]);
    const wide = resizeTo({ height: 6, width: 4, fit: "pad" })(paint(20, 40, () => 1));
    assertEquals([...wide.data].map(Math.round).join(""), "000000001111111100000000");
    assertEquals(applyMap(wide.toSource, [0, 2]), [0, 0]);
  });

  it("is nothing where the size is the same", () => {
    const image = formulaPicture(5, 7, 3);
    for (const filter of filters) assertEquals(resizeTo({ height: 5, width: 7, filter })(image).data, image.data);
  });

  it("carries a dense map along", () => {
    const affine = { a: 1.5, c: 4, e: 0.5, f: -2 };
    const centers = paint(20, 30, (x) => affine.a * x + affine.c);
    const rows = paint(20, 30, (_, y) => affine.e * y + affine.f);
    const toSource: DenseMap = { height: 20, width: 30, x: centers.data, y: rows.data };
    const small = resizeTo({ height: 7, width: 11 })({ ...blank(20, 30), toSource });
    const [x, y] = applyMap(small.toSource, [11, 7]); // the far corner, beyond the outermost centers
    assertAlmostEquals(x, affine.a * 30 + affine.c, 1e-4);
    assertAlmostEquals(y, affine.e * 20 + affine.f, 1e-4);
  });

  it("makes a 1 × 1 image large and a large one 1 × 1", () => {
    for (const filter of filters) {
      assert(resizeTo({ height: 3, width: 4, filter })(paint(1, 1, () => 0.25)).data.every((value) => value === 0.25));
      assertAlmostEquals(resizeTo({ height: 1, width: 1, filter })(paint(3, 3, () => 0.25)).data[0]!, 0.25, 1e-6);
    }
  });

  it("refuses sizes that are no whole numbers above zero", () => {
    for (const [height, width] of [[0, 4], [4, -1], [2.5, 4], [NaN, 4], [Infinity, 4]] as const) {
      assertThrows(() => resizeTo({ height, width }), MammolabError, `Cannot resize to ${height} × ${width}`);
    }
  });
});
