import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { applyMap, crop, cropTo, type DenseMap, imageOf, mirror } from "mammolab/image";
import { formulaPicture, paint } from "./_pictures.ts";

const [height, width] = [13, 17];
const picture = formulaPicture(height, width, 3);
const at = (row: number, column: number, channel: number) => picture.data[(row * width + column) * 3 + channel]!;

describe("crop()", () => {
  it("holds the pixels that its map says, and zeros beyond the image", () => {
    const place = fc.integer({ min: -6, max: 20 });
    const side = fc.integer({ min: 1, max: 24 });
    fc.assert(fc.property(place, place, side, side, (x, y, w, h) => {
      fc.pre(x < width && y < height && x + w > 0 && y + h > 0);
      const part = crop(picture, { x, y, width: w, height: h });
      for (let i = 0; i < h; i++) {
        for (let j = 0; j < w; j++) {
          const [column, row] = applyMap(part.toSource, [j, i]);
          const inside = column >= 0 && row >= 0 && column < width && row < height;
          for (let c = 0; c < 3; c++) assertEquals(part.data[(i * w + j) * 3 + c], inside ? at(row, column, c) : 0);
        }
      }
    }));
  });

  it("twice is once by the sum", () => {
    const twice = cropTo({ x: 2, y: 1, width: 5, height: 4 })(crop(picture, { x: 3, y: 4, width: 10, height: 8 }));
    assertEquals(twice, crop(picture, { x: 5, y: 5, width: 5, height: 4 }));
  });

  it("cuts a dense map too", () => {
    const toSource: DenseMap = {
      height,
      width,
      x: paint(height, width, (x, y) => x + 0.1 * y * y).data,
      y: paint(height, width, (x, y) => y - 0.05 * x * x).data,
    };
    const part = crop({ ...picture, toSource }, { x: 4, y: 3, width: 6, height: 5 });
    assertEquals(applyMap(part.toSource, [1.5, 2.5]), applyMap(toSource, [5.5, 5.5]));
  });

  it("refuses boxes that are not whole or that miss the image", () => {
    const refused = (x: number, y: number, w: number, h: number, text: string) =>
      assertThrows(() => crop(picture, { x, y, width: w, height: h }), MammolabError, text);
    refused(0.5, 0, 2, 2, "whole numbers");
    refused(0, 0, 0, 2, "size above zero");
    refused(NaN, 0, 2, 2, "whole numbers");
    refused(17, 0, 2, 2, "outside the image of 17 × 13");
    refused(-2, 0, 2, 2, "outside the image");
  });
});

describe("mirror()", () => {
  it("twice is nothing", () => {
    assertEquals(mirror(mirror(picture)), { ...picture, toSource: [1, 0, 0, 0, 1, 0] });
  });

  it("holds the pixels that its map says, channels in their order", () => {
    const mirrored = mirror(picture);
    const [column, row] = applyMap(mirrored.toSource, [2.5, 4.5]);
    for (let c = 0; c < 3; c++) {
      assertEquals(mirrored.data[(4 * width + 2) * 3 + c], at(Math.floor(row), Math.floor(column), c));
    }
  });

  it("flips a dense map", () => {
    const flat = imageOf(new Float32Array(6), { height: 2, width: 3 });
    const toSource: DenseMap = { height: 2, width: 3, x: Float32Array.of(1, 2, 4, 1, 2, 4), y: new Float32Array(6) };
    assertEquals((mirror({ ...flat, toSource }).toSource as DenseMap).x, Float32Array.of(4, 2, 1, 4, 2, 1));
  });
});
