import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import {
  type Affine,
  applyMap,
  area,
  boundingBox,
  contains,
  type DenseMap,
  inverseOf,
  moveRegion,
  moveRegionBack,
  type Point,
  rasterize,
  type Region,
  type SourceMap,
} from "mammolab/image";

const [height, width] = [60, 80];
const unit = fc.double({ min: -1, max: 1, noNaN: true });

/** Turns, scales, shears and shifts that squeeze no axis below a third. */
const affine: fc.Arbitrary<Affine> = fc.tuple(unit, unit, unit, unit, unit).map(([turn, wide, tall, shear, shift]) => {
  const [sx, sy, angle] = [3 ** wide, 3 ** tall, Math.PI * turn];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [sx * cos, sy * (shear * cos - sin), 50 * shift, sx * sin, sy * (shear * sin + cos), 20 * shift];
});

/** Gentle waves on top of a scale: no folds. */
const wavy: fc.Arbitrary<DenseMap> = fc.tuple(unit, unit, unit).map(([a, b, c]) => {
  const points = Array.from({ length: height * width }, (_, at): Point => {
    const [x, y] = [at % width + 0.5, Math.floor(at / width) + 0.5];
    return [2 * x + 3 * a * Math.sin(y / 11 + b), 1.5 * y + 3 * c * Math.cos(x / 13 + a) + 7];
  });
  return { height, width, x: Float32Array.from(points, ([x]) => x), y: Float32Array.from(points, ([, y]) => y) };
});
const map: fc.Arbitrary<SourceMap> = fc.oneof(affine, wavy);

const circle: Region = { kind: "circle", x: 40, y: 30, radius: 15 };
const box: Region = { kind: "box", x: 20, y: 12, width: 30, height: 25 };
const polygon: Region = { kind: "polygon", points: [[15, 10], [65, 15], [60, 50], [40, 30], [20, 45]] };
const mask: Region = { kind: "mask", x: 0, y: 0, height, width, data: rasterize(circle, { height, width }) };

describe("inverseOf()", () => {
  it("comes back within a hundredth of a pixel, through affine and dense maps", () => {
    fc.assert(fc.property(map, fc.integer({ min: 0, max: height * width - 1 }), (map, at) => {
      const there: Point = [at % width + 0.25, Math.floor(at / width) + 0.75];
      const [x, y] = inverseOf(map)(applyMap(map, there));
      return Math.hypot(x - there[0], y - there[1]) < 0.01;
    }));
  });

  it("refuses a map that squeezes the image to a line", () => {
    assertThrows(() => inverseOf([1, 2, 0, 2, 4, 0]), MammolabError, "squeezes the image to a line");
  });
});

describe("moveRegion()", () => {
  it("there and back is the same region: boxes and circles within half a pixel, most of a mask's pixels", () => {
    fc.assert(
      fc.property(map, fc.constantFrom(circle, box, polygon, mask), (map, region) => {
        const back = moveRegionBack(moveRegion(region, map), map);
        const [one, other] = [rasterize(region, { height, width }), rasterize(back, { height, width })];
        let [both, either] = [0, 0];
        one.forEach((value, at) => {
          both += value & other[at]!;
          either += value | other[at]!;
        });
        // Masks are read at the nearest pixel twice: half a pixel on each side of a rim of about 95 pixels.
        assert(both / either > (region.kind === "mask" ? 0.85 : 0.97), `${both} of ${either}`);
        const [a, b] = [boundingBox(region), boundingBox(back)];
        const slack = region.kind === "mask" ? 2.5 : 0.5;
        if (region.kind !== "circle") {
          for (const side of ["x", "y"] as const) assertAlmostEquals(a[side], b[side], slack);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("moves a mask as it moves the outline that the mask was made from", () => {
    fc.assert(
      fc.property(map, (map) => {
        const outline = moveRegion(circle, map);
        const pixels = moveRegion(mask, map);
        assert(pixels.kind === "mask");
        let [both, either] = [0, 0];
        for (let at = 0; at < pixels.data.length; at++) {
          const center: Point = [pixels.x + at % pixels.width + 0.5, pixels.y + Math.floor(at / pixels.width) + 0.5];
          const [inside, truth] = [pixels.data[at] === 1, contains(outline, center)];
          if (inside && truth) both++;
          if (inside || truth) either++;
        }
        assert(both / either > 0.93, `${both} of ${either}`);
      }),
      { numRuns: 15 },
    );
  });

  it("contains the moved point exactly when the region contains the point", () => {
    const inner: fc.Arbitrary<Point> = fc.tuple(
      fc.double({ min: 5, max: 75, noNaN: true }),
      fc.double({ min: 5, max: 55, noNaN: true }),
    );
    fc.assert(fc.property(map, fc.constantFrom(box, polygon), inner, (map, region, point) => {
      const [x, y] = point;
      const near = [[x - 0.1, y], [x + 0.1, y], [x, y - 0.1], [x, y + 0.1]] as const;
      if (near.some((other) => contains(region, other) !== contains(region, point))) return; // on the rim: rounding decides
      assertEquals(contains(moveRegion(region, map), applyMap(map, point)), contains(region, point));
    }));
  });

  it("keeps a circle a circle under a turn and a mirror, and makes an outline of an ellipse", () => {
    const moved = moveRegion(circle, [0, -2, 5, 2, 0, 1]);
    assertEquals(moved, { kind: "circle", x: -55, y: 81, radius: 30 });
    assertEquals(moveRegion(circle, [-1, 0, 80, 0, 1, 0]), { ...circle, x: 40 });
    const ellipse = moveRegion(circle, [2, 0, 0, 0, 1, 0]);
    assertEquals(ellipse.kind, "polygon");
    assertAlmostEquals(area(ellipse) / (2 * Math.PI * 15 ** 2), 1, 0.002);
  });

  it("keeps a box a box under scaling and mirroring", () => {
    assertEquals(moveRegion(box, [-2, 0, 100, 0, 3, 0]), { kind: "box", x: 0, y: 36, width: 60, height: 75 });
    assertEquals(moveRegion(box, [0, 1, 0, 1, 0, 0]).kind, "polygon");
  });
});
