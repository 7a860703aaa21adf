import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { area, boundingBox, contains, type Point, rasterize, type Region } from "mammolab/image";

const size = { height: 31, width: 37 };
const number = fc.double({ min: -8, max: 45, noNaN: true });
const length = fc.double({ min: 0.3, max: 30, noNaN: true });
const point = fc.tuple(number, number) as fc.Arbitrary<Point>;
const region: fc.Arbitrary<Region> = fc.oneof(
  fc.record({ kind: fc.constant("circle" as const), x: number, y: number, radius: length }),
  fc.record({ kind: fc.constant("box" as const), x: number, y: number, width: length, height: length }),
  fc.record({ kind: fc.constant("polygon" as const), points: fc.array(point, { minLength: 3, maxLength: 8 }) }),
  fc.record({
    kind: fc.constant("mask" as const),
    x: fc.integer({ min: -4, max: 30 }),
    y: fc.integer({ min: -4, max: 30 }),
    width: fc.constant(5),
    height: fc.constant(4),
    data: fc.array(fc.constantFrom(0, 1), { minLength: 20, maxLength: 20 }).map((bytes) => Uint8Array.from(bytes)),
  }).filter(({ data }) => data.includes(1)),
);

describe("rasterize()", () => {
  it("marks the pixels whose center the region contains, and no other", () => {
    fc.assert(fc.property(region, (one) => {
      rasterize(one, size).forEach((value, at) => {
        const center: Point = [at % size.width + 0.5, Math.floor(at / size.width) + 0.5];
        assertEquals(value === 1, contains(one, center), `${center}`);
      });
    }));
  });

  it("covers the area", () => {
    const circle: Region = { kind: "circle", x: 15.2, y: 14.7, radius: 12 };
    const covered = rasterize(circle, size).reduce((a, b) => a + b, 0);
    assert(Math.abs(covered / area(circle) - 1) < 0.01);
  });

  it("leaves the hole of an outline that winds round itself empty (even-odd)", () => {
    const ring: Region = {
      kind: "polygon",
      points: [[0, 0], [6, 0], [6, 6], [0, 6], [0, 0], [2, 2], [4, 2], [4, 4], [2, 4], [2, 2]],
    };
    assertEquals(rasterize(ring, { height: 6, width: 6 }).reduce((a, b) => a + b, 0), 32);
  });
});

describe("contains()", () => {
  it("knows the pixel rule: left and top edge in, right and bottom edge out", () => {
    const box: Region = { kind: "box", x: 2, y: 3, width: 4, height: 5 };
    const square: Region = { kind: "polygon", points: [[2, 3], [6, 3], [6, 8], [2, 8]] };
    for (const one of [box, square]) {
      assertEquals(([[2, 3], [6, 3], [2, 8], [5.999, 7.999], [1.999, 4]] as const).map((p) => contains(one, p)), [
        true,
        false,
        false,
        true,
        false,
      ]);
    }
  });
});

describe("boundingBox()", () => {
  it("holds every point of the region", () => {
    fc.assert(fc.property(region, point, (one, p) => {
      const { x, y, width, height } = boundingBox(one);
      const [px, py] = p;
      const rounding = 1e-9; // an outline thinner than a rounding error may hold a point beside it
      return !contains(one, p) ||
        (px >= x - rounding && py >= y - rounding && px <= x + width + rounding && py <= y + height + rounding);
    }));
  });

  it("is tight round the ones of a mask", () => {
    const data = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    assertEquals(boundingBox({ kind: "mask", x: 10, y: 20, width: 4, height: 3, data }), {
      kind: "box",
      x: 10,
      y: 21,
      width: 1,
      height: 2,
    });
  });

  it("refuses an empty mask and an outline without points", () => {
    const empty: Region = { kind: "mask", x: 0, y: 0, width: 2, height: 1, data: new Uint8Array(2) };
    assertThrows(() => boundingBox(empty), MammolabError, "round the mask: it holds no point");
    assertThrows(() => boundingBox({ kind: "polygon", points: [] }), MammolabError, "round the polygon");
  });
});

describe("area()", () => {
  it("is the textbook's, and that of an empty region is 0", () => {
    assertAlmostEquals(area({ kind: "circle", x: 0, y: 0, radius: 2 }), 4 * Math.PI, 1e-12);
    assertEquals(area({ kind: "polygon", points: [[0, 0], [0, 3], [4, 0]] }), 6);
    assertEquals(area({ kind: "polygon", points: [] }), 0);
    assertEquals(area({ kind: "mask", x: 0, y: 0, width: 3, height: 1, data: Uint8Array.of(1, 0, 1) }), 2);
  });
});
