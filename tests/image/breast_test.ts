import { decode } from "fast-png";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  applyMap,
  area,
  crop,
  cropToBreast,
  faceLeft,
  findBreast,
  type Image,
  imageOf,
  mirror,
  rasterize,
  resizeTo,
} from "mammolab/image";
import { breastFilm, overlapOf, painted } from "./_breast_film.ts";
import { paint } from "./_pictures.ts";
import { outlineResults } from "./_planted.ts";

const { image: film, inside } = breastFilm(600, 450);
const overlap = (image: Image, truth = inside) =>
  overlapOf(rasterize(findBreast(image)!.outline, image), image.width, truth);

describe("findBreast()", () => {
  it("finds the outline, the mask, the box and the side of the chest wall", () => {
    const { outline, mask, box, side, inverted } = findBreast(film)!;
    assert(overlap(film) > 0.98, `${overlap(film)}`);
    assertEquals([side, inverted, mask.x, mask.width], ["left", false, box.x, box.width]);
    assert(Math.abs(area(outline) / area(mask) - 1) < 0.01);
    for (const [found, expected] of [[box.x, 0], [box.y, 72], [box.width, 279], [box.height, 480]] as const) {
      assertAlmostEquals(found, expected, 6);
    }
    assertEquals(findBreast(mirror(film))!.side, "right");
  });

  it("is not led astray by a label, a marker that touches the skin, a frame and scratches", () => {
    const label = painted(film, (x, y, before) => x > 360 && x < 420 && y > 20 && y < 110 ? 1 : before);
    assert(overlap(label) > 0.97, `label ${overlap(label)}`);
    const marker = painted(film, (x, y, before) => x > 270 && x < 300 && y > 290 && y < 320 ? 1 : before);
    assert(overlap(marker) > 0.97, `marker ${overlap(marker)}`);
    const frame = painted(film, (x, y, before) => x < 4 || y < 4 || x > 445 || y > 595 ? 0.95 : before);
    assert(overlap(frame) > 0.97, `frame ${overlap(frame)}`);
    const strip = painted(film, (x, _, before) => x > 400 ? 1 : before);
    assert(overlap(strip) > 0.97, `strip ${overlap(strip)}`);
    const scratch = painted(film, (x, y, before) => x === 320 || y === 50 ? 0.8 : before);
    assert(overlap(scratch) > 0.97, `scratch ${overlap(scratch)}`);
  });

  it("works dark side up, and says so", () => {
    const negative = painted(film, (_x, _y, before) => 1 - before);
    assertEquals(findBreast(negative)!.inverted, true);
    assert(overlap(negative) > 0.98);
  });

  it("works on a padded film, black or white", () => {
    for (const value of [0, 1]) {
      const padded = painted(
        crop(film, { x: -200, y: -40, width: 900, height: 700 }),
        (x, y, before) => x < 200 || y < 40 || x >= 650 || y >= 640 ? value : before,
      );
      const truth = ([x, y]: readonly [number, number]) => x >= 200 && inside([x - 200, y - 40]);
      assert(overlap(padded, truth) > 0.97, `${value}: ${overlap(padded, truth)}`);
      assertEquals(findBreast(padded)!.side, "left");
    }
  });

  it("overlaps the known breast of phantoms by 0.97 or more, also with label, frame, inversion and padding", () => {
    // 200 phantoms (_planted.ts): at least 0.991 in each of the six ways.
    for (const { film, planted, overlap, side } of outlineResults([5], 1)) {
      assert(overlap > 0.97 && side, `${film} with ${planted}: ${overlap}`);
    }
  });

  it("finds the same on a small copy", () => {
    const small = resizeTo({ height: 200, width: 150 })(film);
    assert(overlap(small, ([x, y]) => inside([x * 3, y * 3])) > 0.97);
  });

  it("finds nothing on a blank film, on one pixel, or where no pixel is a number", () => {
    assertEquals(findBreast(paint(100, 80, () => 0.3)), undefined);
    assertEquals(findBreast(paint(1, 1, () => 1)), undefined);
    assertEquals(findBreast(paint(40, 40, () => NaN)), undefined);
  });

  const data = Deno.env.get("MAMMOLAB_TEST_DATA");
  const onData = data ? it : it.skip; // set MAMMOLAB_TEST_DATA to the folder with mini-mias/ and tables/
  onData("finds the chest wall of mini-MIAS films where the table says it is", async () => {
    const table = await Deno.readTextFile(`${data}/tables/mias/mini-mias-expected.jsonl`);
    const records = table.trim().split("\n").map((line) => JSON.parse(line)).filter((_, k) => k % 40 === 7);
    for (const { file, chestWallAt } of records) {
      const png = decode(await Deno.readFile(`${data}/mini-mias/png/${file.replace("pgm", "png")}`));
      const image = imageOf(Float32Array.from(png.data, (value) => value / 255), png);
      assertEquals([file, findBreast(image)!.side], [file, chestWallAt]);
    }
  });
});

describe("cropToBreast()", () => {
  it("keeps a margin inside the image and the place on the film", () => {
    const { box } = findBreast(film)!;
    const cut = cropToBreast({ margin: 0.02 })(film);
    assertEquals(applyMap(cut.toSource, [0, 0]), [0, box.y - Math.round(0.02 * box.height)]);
    assertEquals(cut.width, box.width + Math.round(0.02 * box.height)); // nothing to add beyond the chest wall
  });

  it("leaves an image without a breast as it is", () => {
    const blank = paint(30, 30, () => 0.5);
    assertEquals(cropToBreast()(blank), blank);
  });
});

describe("faceLeft()", () => {
  it("mirrors the films whose nipple points to the right, and only those", () => {
    assertEquals(faceLeft(film).data, mirror(film).data);
    assertEquals(faceLeft(mirror(film)).data, mirror(film).data);
  });
});
