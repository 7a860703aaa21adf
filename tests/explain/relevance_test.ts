import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { peakOf, type Relevance, relevanceOnFilm, seenRegion } from "mammolab/explain";
import {
  type Affine,
  applyMap,
  compose,
  crop,
  type DenseMap,
  imageOf,
  mirror,
  rasterize,
  resizeTo,
} from "mammolab/image";

const relevanceOf = (data: readonly number[], width: number, toSource: Relevance["toSource"]): Relevance => ({
  data: Float32Array.from(data),
  height: data.length / width,
  width,
  toSource,
  method: "by hand",
});

describe("peakOf()", () => {
  it("is the center of the highest token, in source pixels", () => {
    assertEquals(peakOf(relevanceOf([0, 1, 7, 3, 2, 1], 3, [10, 0, 100, 0, 20, 50])), { x: 125, y: 60, value: 7 });
  });

  it("follows a mirrored film", () => {
    const film = imageOf(new Float32Array(64 * 32), { height: 64, width: 32 });
    const toSource = compose(mirror(film).toSource as Affine, [16, 0, 0, 0, 16, 0]);
    assertEquals(peakOf(relevanceOf([0, 1, 0, 0, 0, 0, 0, 0], 2, toSource)), { x: 8, y: 8, value: 1 });
  });

  it("leaves out padding when it knows the size of the film, and what is not a number", () => {
    const padded = relevanceOf([9, 1, NaN, 4], 2, [16, 0, -16, 0, 16, 0]);
    assertEquals(peakOf(padded).value, 9);
    assertEquals(peakOf(padded, { height: 32, width: 16 }), { x: 8, y: 24, value: 4 });
    assertThrows(() => peakOf(padded, { height: 0, width: 0 }), MammolabError, "none of 4 tokens");
  });
});

describe("relevanceOnFilm()", () => {
  it("is bilinear between the centers of tokens", () => {
    const film = relevanceOnFilm(relevanceOf([1, 3, 5, 9], 2, [4, 0, 0, 0, 4, 0]), { height: 8, width: 8 });
    const at = (row: number, column: number) => film[row * 8 + column]!;
    assertEquals([at(0, 0), at(0, 7), at(7, 0), at(7, 7)], [1, 3, 5, 9]);
    assertAlmostEquals(at(0, 3), 1 + 2 * 0.375, 1e-6); // pixel center 3.5 lies 1.5 of 4 pixels beyond the first center
    assertAlmostEquals(at(4, 4), (1 * 0.375 + 3 * 0.625) * 0.375 + (5 * 0.375 + 9 * 0.625) * 0.625, 1e-6);
  });

  it("puts each token's value on its center after a crop, a mirror and a resize", () => {
    const { uniform } = seededRandom(3, "on film");
    const film = imageOf(new Float32Array(300 * 200), { height: 300, width: 200 });
    const box = { x: 21, y: 33, width: 120, height: 210 };
    const prepared = resizeTo({ height: 96, width: 48, fit: "pad", align: "right" })(mirror(crop(film, box)));
    const toSource = compose(prepared.toSource as Affine, [16, 0, 0, 0, 16, 0]);
    const relevance = relevanceOf(Array.from({ length: 18 }, uniform), 3, toSource);
    const onFilm = relevanceOnFilm(relevance, film);
    const seen = rasterize(seenRegion(relevance), film);
    let inside = 0;
    for (let at = 0; at < onFilm.length; at++) {
      if (seen[at]) inside++;
      else assertEquals(onFilm[at], 0);
    }
    assert(inside >= box.width * box.height, "all of the crop was seen");
    relevance.data.forEach((value, k) => {
      const [x, y] = applyMap(toSource, [k % 3 + 0.5, Math.floor(k / 3) + 0.5]);
      if (x < 0 || y < 0 || x >= 200 || y >= 300) return;
      // The nearest film pixel lies up to 0.7 pixels away, and a token is about 35 film pixels wide.
      assertAlmostEquals(onFilm[Math.floor(y) * 200 + Math.floor(x)]!, value, 0.05);
    });
  });

  it("is the same whether columns and rows are taken apart or not", () => {
    const { uniform } = seededRandom(5, "upright");
    const values = Array.from({ length: 35 }, uniform);
    const size = { height: 60, width: 70 };
    const upright = relevanceOnFilm(relevanceOf(values, 7, [-9, 0, 66, 0, 11.5, 2.3]), size);
    const nearly = relevanceOnFilm(relevanceOf(values, 7, [-9, 1e-9, 66, 1e-9, 11.5, 2.3]), size);
    assert(upright.every((value, at) => Math.abs(value - nearly[at]!) < 1e-6));
    assert(upright.some((value) => value === 0) && upright.some((value) => value > 0.5));
  });

  it("goes through a dense map as through the affine one that it equals", () => {
    const affine: Affine = [4, 0.5, 3, -0.25, 5, 2];
    const [height, width] = [3, 4];
    const centers = Array.from(
      { length: 12 },
      (_, k) => applyMap(affine, [k % width + 0.5, Math.floor(k / width) + 0.5]),
    );
    const dense: DenseMap = {
      height,
      width,
      x: Float32Array.from(centers, ([x]) => x),
      y: Float32Array.from(centers, ([, y]) => y),
    };
    const values = Array.from({ length: 12 }, seededRandom(4, "dense").uniform);
    const size = { height: 22, width: 26 };
    const [one, other] = [affine, dense].map((map) => relevanceOnFilm(relevanceOf(values, width, map), size));
    let differing = 0;
    one!.forEach((value, k) => Math.abs(value - other![k]!) > 1e-4 ? differing++ : 0);
    assert(differing <= 2, `${differing} pixels differ`); // on the rim, rounding decides what is outside
  });
});
