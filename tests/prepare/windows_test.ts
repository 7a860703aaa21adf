import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { crop, imageOf } from "mammolab/image";
import { breastWindows, stitch, windows } from "mammolab/prepare";
import { formulaPicture } from "../image/_pictures.ts";

const side = fc.integer({ min: 1, max: 40 });
const cuts = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.record({ size: fc.constant(size), step: fc.integer({ min: 1, max: size }) })
);

describe("windows()", () => {
  it("covers every pixel, inside the image wherever it is large enough", () => {
    fc.assert(fc.property(side, side, cuts, (height, width, options) => {
      const covered = new Uint8Array(height * width);
      for (const { x, y, width: wide, height: tall } of windows({ height, width }, options)) {
        assert(x >= 0 && y >= 0 && (x + wide <= width || wide > width) && (y + tall <= height || tall > height));
        for (let row = y; row < Math.min(y + tall, height); row++) {
          covered.fill(1, row * width + x, row * width + Math.min(x + wide, width));
        }
      }
      assert(covered.every((value) => value === 1));
    }));
  });

  it("refuses a step that leaves gaps, and sizes that are none", () => {
    const image = { height: 9, width: 9 };
    assertThrows(() => windows(image, { size: 4, step: 5 }), MammolabError, "at most the size");
    assertThrows(() => windows(image, { size: 0 }), MammolabError, "whole numbers above 0");
  });
});

describe("stitch()", () => {
  it("gives an image back from its windows, in the same bits, however they overlap", () => {
    const weights = fc.constantFrom("even" as const, "center" as const);
    const channels = fc.integer({ min: 1, max: 3 });
    fc.assert(fc.property(side, side, channels, cuts, weights, (height, width, channels, options, weights) => {
      const image = formulaPicture(height, width, channels);
      const parts = windows(image, options).map((box) => ({ box, data: crop(image, box).data }));
      assertEquals(stitch(parts, { height, width, channels, weights }).data, image.data);
    }));
  });

  it("takes the mean where windows differ, weighted towards their centers", () => {
    const boxes = [{ x: 0, y: 0, width: 4, height: 1 }, { x: 2, y: 0, width: 4, height: 1 }];
    const parts = boxes.map((box, k) => ({ box, data: k }));
    assertEquals([...stitch(parts, { height: 1, width: 7 }).data], [0, 0, 0.5, 0.5, 1, 1, 0]);
    const soft = stitch(parts, { height: 1, width: 7, weights: "center" }).data;
    const [near, far] = [1, 3].map((k) => Math.sin(Math.PI * (k === 1 ? 0.125 : 0.375)) ** 2) as [number, number];
    assertAlmostEquals(soft[2]!, near / (near + far), 1e-7); // pixel 2 is the third of one window, the first of the other
    assertAlmostEquals(soft[3]!, far / (near + far), 1e-7);
  });

  it("refuses values that do not fit their window", () => {
    const box = { x: 0, y: 0, width: 2, height: 2 };
    assertThrows(
      () => stitch([{ box, data: new Float32Array(3) }], { height: 2, width: 2 }),
      MammolabError,
      "3 values",
    );
  });
});

describe("breastWindows()", () => {
  it("keeps the windows with enough of the breast", () => {
    const image = imageOf(new Float32Array(60 * 60), { height: 60, width: 60 });
    const breast = { kind: "circle", x: 0, y: 30, radius: 25 } as const;
    const kept = breastWindows(image, breast, { size: 10, least: 0.5 });
    const centers = windows(image, { size: 10 }).filter(({ x, y }) => Math.hypot(x + 5, y + 5 - 30) < 22);
    for (const box of centers) assert(kept.some(({ x, y }) => x === box.x && y === box.y), JSON.stringify(box));
    assert(kept.every(({ x, y }) => Math.hypot(x + 5, y + 5 - 30) < 28));
    assertEquals(breastWindows(image, { kind: "box", x: 0, y: 0, width: 3, height: 3 }, { size: 10 }), []);
    assertThrows(() => breastWindows(image, breast, { size: 10, least: 0 }), MammolabError, "(0, 1]");
  });
});
