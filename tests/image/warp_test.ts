import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import {
  type Affine,
  applyMap,
  type DenseMap,
  imageOf,
  invert,
  moveRegionBack,
  rasterize,
  type Region,
  type SourceMap,
  warp,
  type WarpOptions,
} from "mammolab/image";
import { assertClose, floatsOf, formulaPicture, paint } from "./_pictures.ts";

type Case = Required<Pick<WarpOptions, "sampling" | "border" | "height" | "width">> & {
  readonly channels: number;
  readonly kind: "affine" | "dense";
  readonly map: Affine | null;
  readonly expected: string;
};
const { version, cases } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/warp/cases.json", import.meta.url)),
) as { version: string; cases: readonly Case[] };

/** The formula of tests/fixtures/warp/make.py. */
const waves = (height: number, width: number): DenseMap => ({
  height,
  width,
  x: paint(height, width, (x, y) => 1.1 * x + 2 * Math.sin(y / 3) - 1).data,
  y: paint(height, width, (x, y) => 0.9 * y + 1.5 * Math.cos(x / 4) + 1).data,
});

describe("warp()", () => {
  for (const { channels, kind, map, height, width, sampling, border, expected } of cases) {
    it(`agrees with torch ${version} on ${channels} channels, ${kind} to ${height} × ${width}, ${sampling}, ${border}`, () => {
      const picture = formulaPicture(23, 31, channels);
      const warped = warp(picture, map ?? waves(height, width), { height, width, sampling, border });
      // A dense map is float32: 2e-6 of a pixel, times steps of up to 1 between neighbors.
      assertClose(warped.data, floatsOf(expected), 1e-5);
    });
  }

  it("composes the place on the film, affine on affine, dense on affine and dense on dense", () => {
    const picture = { ...formulaPicture(20, 20), toSource: [2, 0, 10, 0, 2, 5] as const };
    const once = warp(picture, [1, 0, 3, 0, 1, -2]);
    assertEquals(once.toSource, [2, 0, 16, 0, 2, 1]);
    const twice = warp(once, waves(20, 20));
    const thrice = warp(twice, waves(20, 20));
    const wave = waves(20, 20);
    const expected = applyMap(once.toSource, applyMap(wave, applyMap(wave, [7.5, 9.5])));
    const found = applyMap(thrice.toSource, [7.5, 9.5]);
    assertAlmostEquals(found[0], expected[0], 1e-3);
    assertAlmostEquals(found[1], expected[1], 1e-3);
  });

  it("there and back leaves a smooth picture as it was, in the interior", () => {
    const turn = fc.double({ min: -180, max: 180, noNaN: true });
    fc.assert(
      fc.property(turn, (degrees) => {
        const picture = paint(60, 60, (x, y) => 0.5 + 0.4 * Math.sin(x / 20) * Math.cos(y / 17));
        const [cos, sin] = [Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180)];
        const map: Affine = [cos, -sin, 30 - 30 * cos + 30 * sin, sin, cos, 30 - 30 * sin - 30 * cos];
        const back = warp(warp(picture, map), invert(map));
        back.data.forEach((value, at) => {
          const [x, y] = [at % 60 + 0.5, Math.floor(at / 60) + 0.5];
          if (Math.hypot(x - 30, y - 30) < 27) assertAlmostEquals(value, picture.data[at]!, 1e-3);
        });
        assertClose(back.toSource as Affine, [1, 0, 0, 0, 1, 0], 1e-9);
      }),
      { numRuns: 20 },
    );
  });

  it("moves a mask's pixels where moveRegionBack() moves its outline", () => {
    const [height, width] = [80, 70];
    const circle: Region = { kind: "circle", x: 35, y: 40, radius: 22 };
    const film = imageOf(Float32Array.from(rasterize(circle, { height, width })), { height, width });
    const maps: SourceMap[] = [[0.8, -0.5, 20, 0.4, 0.9, -10], waves(height, width)];
    for (const map of maps) {
      const warped = warp(film, map, { sampling: "nearest" });
      const outline = rasterize(moveRegionBack(circle, warped.toSource), { height, width });
      let [both, either] = [0, 0];
      warped.data.forEach((value, at) => {
        both += value * outline[at]!;
        either += Math.max(value, outline[at]!);
      });
      assert(both / either > 0.96, `${both} of ${either}`);
    }
  });

  it("puts 0 where the map leads nowhere", () => {
    const nowhere: DenseMap = { height: 1, width: 2, x: Float32Array.of(NaN, 1.5), y: Float32Array.of(0.5, 0.5) };
    for (const sampling of ["nearest", "bilinear"] as const) {
      assertEquals([...warp(paint(1, 2, (x) => x), nowhere, { sampling, border: "edge" }).data], [0, 1.5]);
    }
  });

  it("refuses sizes that are none and dense maps of another size", () => {
    const picture = formulaPicture(4, 4);
    assertThrows(() => warp(picture, [1, 0, 0, 0, 1, 0], { height: 0 }), MammolabError, "warp to 0 × 4");
    assertThrows(() => warp(picture, waves(4, 4), { height: 5 }), MammolabError, "has 4 × 4 positions");
  });
});
