import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import {
  type Affine,
  applyMap,
  crop,
  findBreast,
  mirror,
  type Preparation,
  preparationHash,
  prepare,
  readPreparation,
  resizeTo,
} from "mammolab/image";
import { breastFilm, overlapOf, painted } from "./_breast_film.ts";
import { assertClose, formulaPicture, paint } from "./_pictures.ts";

const standard: Preparation = {
  crop: "breast",
  face: "left",
  resize: { height: 384, width: 192, filter: "bilinear", fit: "pad" },
  range: "display",
  mean: [0.5],
  std: [0.25],
  channels: 1,
};
const plain: Preparation = {
  ...standard,
  crop: "none",
  face: "none",
  resize: { height: 48, width: 32, filter: "area", fit: "stretch" },
};
const { image: film, inside } = breastFilm(600, 450);

describe("prepare()", () => {
  it("crops to the breast, faces it left, keeps its shape and puts the chest wall at the right edge", () => {
    for (const one of [film, mirror(film)]) {
      const prepared = prepare(one, standard);
      assertEquals([prepared.height, prepared.width, prepared.channels], [384, 192, 1]);
      // A breast on the prepared image, by the way to the film: the film's own truth.
      const back = (x: number, y: number) => applyMap(prepared.toSource, [x, y]);
      const bright = Uint8Array.from(prepared.data, (value) => value > 0.08 ? 1 : 0);
      const overlap = overlapOf(bright, 192, ([x, y]) => back(x, y)[0] >= 0 && inside(back(x, y)));
      assert(overlap > 0.97, `${overlap}`);
      assertAlmostEquals(back(192, 0)[0], 0, 1e-9); // the chest wall is the edge of the film
      const [a, b, , d, e] = prepared.toSource as Affine;
      assertEquals([b, d], [0, 0]);
      assertAlmostEquals(Math.abs(a) / e, 1, 0.01); // the shape is kept
    }
  });

  it("cuts with a margin of 2 % and resizes what it cut", () => {
    const { box } = findBreast(film)!;
    const cut = crop(film, { x: 0, y: box.y - 10, width: box.width + 10, height: box.height + 20 });
    assertEquals(Math.round(0.02 * box.height), 10);
    assertClose(
      prepare(film, { ...standard, face: "none", resize: { ...plain.resize } }).data,
      resizeTo({ height: 48, width: 32 })(cut).data,
      1e-6,
    );
  });

  it("takes a film without a breast whole, as it faces", () => {
    const blank = paint(100, 50, () => 0.25);
    const prepared = prepare(blank, { ...standard, resize: { ...plain.resize } });
    assertEquals(prepared.toSource, [50 / 32, 0, 0, 0, 100 / 48, 0]);
    assert(prepared.data.every((value) => Math.abs(value - 0.25) < 1e-6));
  });

  it("stretches the percentiles of the cut film, then equalizes it, then resizes", () => {
    const faint = painted(film, (_x, _y, before) => 0.2 + 0.3 * before);
    const range = { percentiles: [0, 100] } as const;
    const stretched = prepare(faint, { ...plain, range }).data;
    assertClose(stretched, prepare(film, { ...plain, range }).data, 1e-5);
    const strong = prepare(faint, { ...plain, range, clahe: { clip: 8, tiles: 4 } }).data;
    const spread = (data: Float32Array) => data.reduce((sum, value) => sum + (value - 0.5) ** 2, 0);
    assertNotEquals(spread(strong), spread(stretched));
  });

  it("stays within 0 and 1, whatever the filter and the pixels", () => {
    const harsh = paint(40, 40, (x, y) => (Math.floor(x / 7) + Math.floor(y / 5)) % 2);
    const bicubic: Preparation = { ...plain, resize: { ...plain.resize, filter: "bicubic" } };
    for (const value of [NaN, -3, 7]) {
      const broken = painted(harsh, (x, y, before) => x === 3 && y > 30 ? value : before);
      assert(prepare(broken, bicubic).data.every((v) => v >= 0 && v <= 1));
    }
  });

  it("refuses words that it does not know, which would do nothing", () => {
    for (const wrong of [{ crop: "Breast" }, { face: "right" }, { range: "percentiles" }] as object[]) {
      assertThrows(() => prepare(paint(4, 4, () => 0), { ...standard, ...wrong }), MammolabError, "is expected");
    }
  });

  it("refuses a color image", () => {
    assertThrows(() => prepare(formulaPicture(8, 8, 3), plain), MammolabError, "it has 3 channels");
  });
});

describe("preparationHash()", () => {
  it("does not depend on the order of the fields, and on everything else", () => {
    const { crop, ...rest } = standard;
    assertEquals(preparationHash({ ...rest, crop }), preparationHash(standard));
    assertMatch(preparationHash(standard), /^[0-9a-f]{16}$/);
    const others: Preparation[] = [
      { ...standard, crop: "none" },
      { ...standard, face: "none" },
      { ...standard, resize: { ...standard.resize, height: 383 } },
      { ...standard, resize: { ...standard.resize, filter: "area" } },
      { ...standard, range: { percentiles: [1, 99] } },
      { ...standard, range: { percentiles: [99, 1] } },
      { ...standard, clahe: { clip: 2, tiles: 8 } },
      { ...standard, mean: [0.4] },
      { ...standard, std: [0.2] },
      { ...standard, channels: 3 },
    ];
    assertEquals(new Set([standard, ...others].map(preparationHash)).size, others.length + 1);
  });
});

describe("readPreparation()", () => {
  it("gives back what it accepts", () => {
    for (const one of [standard, plain, { ...plain, clahe: { clip: 2, tiles: 8 }, range: { percentiles: [1, 99] } }]) {
      assertEquals(readPreparation(JSON.parse(JSON.stringify(one)), "model.json"), one);
    }
  });

  it("names the field that is wrong and what is expected", () => {
    const refused = (change: Record<string, unknown>, text: string) =>
      assertThrows(() => readPreparation({ ...standard, ...change }, "model.json"), MammolabError, text);
    assertThrows(
      () => readPreparation(null, "m"),
      MammolabError,
      'Cannot read the preparation of m: "preparation" is null',
    );
    refused({ crop: "all" }, '"crop" is "all", "none" or "breast" is expected');
    refused({ face: undefined }, '"face" is missing');
    refused({ resize: { ...standard.resize, height: 0 } }, '"resize.height" is 0');
    refused({ resize: { ...standard.resize, fit: "crop" } }, '"resize.fit" is "crop"');
    refused({ range: { percentiles: [99, 1] } }, '"range" is {"percentiles":[99,1]}');
    refused({ clahe: { clip: 2 } }, '"clahe.tiles" is missing');
    refused({ mean: [0.5, 0.5] }, '"mean" is [0.5,0.5], a list of 1 numbers');
    refused({ std: [0] }, "numbers above 0 is expected");
    refused({ flip: true }, '"flip" is true, one of crop, face');
  });
});
