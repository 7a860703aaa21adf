import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { area, contains, crop, imageOf, type Region, resizeTo } from "mammolab/image";
import { lesionBox, sampleBackgroundBoxes, sampleLesionBoxes, tokensPerLesion } from "mammolab/prepare";

const film = { height: 200, width: 150 };
const lesion: Region = { kind: "polygon", points: [[60, 80], [90, 85], [85, 110], [62, 104]] };

/** The points of a region on a grid of half pixels: a slow twin of its area. */
function pointsOf(region: Region): readonly (readonly [number, number])[] {
  const grid = Array.from({ length: 4 * film.height * film.width }, (_, k) => {
    return [k % (2 * film.width) / 2 + 0.25, Math.floor(k / (2 * film.width)) / 2 + 0.25] as const;
  });
  return grid.filter((point) => contains(region, point));
}
const lesionPoints = pointsOf(lesion);

/** The share of points that lie in a box. */
function shareInside(
  points: ReturnType<typeof pointsOf>,
  box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): number {
  const inside = points.filter(([x, y]) => x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height);
  return inside.length / Math.min(points.length, 4 * box.width * box.height);
}

describe("lesionBox()", () => {
  it("has the lesion in its middle, also where it reaches over the edge of the film", () => {
    assertEquals(lesionBox(film, lesion, { size: 64 }), { x: 43, y: 63, width: 64, height: 64 });
    const image = imageOf(new Float32Array(film.height * film.width).fill(1), film);
    const corner = crop(image, lesionBox(film, { kind: "circle", x: 3, y: 5, radius: 4 }, { size: 32 }));
    assertEquals(corner.data.reduce((sum, value) => sum + value, 0), 19 * 21); // the rest is 0
  });

  it("refuses a lesion outside the image and one that is empty", () => {
    const outside = { kind: "circle", x: 400, y: 50, radius: 5 } as const;
    assertThrows(() => lesionBox(film, outside, { size: 32 }), MammolabError, "circle at (400, 50): it lies outside");
    const empty = { kind: "mask", x: 0, y: 0, width: 2, height: 2, data: new Uint8Array(4) } as const;
    assertThrows(() => lesionBox(film, empty, { size: 32 }), MammolabError, "holds no point");
    assertThrows(() => lesionBox(film, lesion, { size: 1.5 }), MammolabError, "whole number");
  });
});

describe("sampleLesionBoxes()", () => {
  it("draws different patches that all show as much of the lesion as asked for", () => {
    const overlap = fc.double({ min: 0.3, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), overlap, fc.constantFrom(16, 48, 64), (seed, overlap, size) => {
        const boxes = sampleLesionBoxes({ size, count: 10, overlap }, film, lesion, seededRandom(seed));
        assertEquals(boxes.length, 10);
        assert(new Set(boxes.map(({ x, y }) => `${x} ${y}`)).size > 3);
        for (const box of boxes) assert(shareInside(lesionPoints, box) >= overlap - 0.03, JSON.stringify(box));
      }),
      { numRuns: 20 },
    );
  });

  it("falls back to the middle where the lesion is never shown well enough", () => {
    const ring: Region = { kind: "polygon", points: [[40, 40], [100, 40], [100, 41], [40, 41]] };
    const boxes = sampleLesionBoxes({ size: 20, count: 2, overlap: 1 }, film, ring, seededRandom(1));
    assertEquals(boxes, [lesionBox(film, ring, { size: 20 }), lesionBox(film, ring, { size: 20 })]);
  });

  it("gives the same patches for the same draws, and refuses none", () => {
    const options = { size: 32, count: 3 };
    const draw = () => sampleLesionBoxes(options, film, lesion, seededRandom(5));
    assertEquals(draw(), draw());
    assertThrows(
      () => sampleLesionBoxes({ size: 32, count: 0 }, film, lesion, seededRandom(5)),
      MammolabError,
      "0 patches",
    );
  });
});

describe("sampleBackgroundBoxes()", () => {
  const breast: Region = { kind: "circle", x: 0, y: 100, radius: 95 };

  it("draws patches of breast without any lesion", () => {
    const boxes = sampleBackgroundBoxes({ size: 20, count: 15 }, film, { breast, lesions: [lesion] }, seededRandom(2));
    const breastPoints = pointsOf(breast);
    assertEquals(boxes.length, 15);
    for (const box of boxes) {
      assertEquals(shareInside(lesionPoints, box), 0);
      assert(shareInside(breastPoints, box) >= 0.45);
    }
  });

  it("gives fewer where there are no more, and none without a breast", () => {
    const draw = (breast: Region) =>
      sampleBackgroundBoxes({ size: 100, count: 50 }, film, { breast, lesions: [] }, seededRandom(2)).length;
    assert(draw(breast) < 50);
    assertEquals(draw({ kind: "box", x: 0, y: 0, width: 1, height: 1 }), 0);
  });
});

describe("tokensPerLesion()", () => {
  /** Film height × width, mm a pixel, input height × width → tokens of a disc of 10 mm: computed by hand from the sizes. */
  const known = [
    ["GE", 2294, 1914, 0.1, 224, 224, 0.35],
    ["GE", 2294, 1914, 0.1, 384, 384, 1.03],
    ["GE", 2294, 1914, 0.1, 512, 320, 1.14],
    ["GE", 2294, 1914, 0.1, 1024, 640, 4.58],
    ["Hologic", 4096, 3328, 0.07, 224, 224, 0.23],
    ["Hologic", 4096, 3328, 0.07, 1024, 640, 3.01],
    ["mini-MIAS", 1024, 1024, 0.2, 224, 224, 0.37],
  ] as const;
  for (const [name, tall, wide, mm, height, width, expected] of known) {
    it(`finds ${expected} tokens for a mass of 10 mm on a ${name} film at ${height} × ${width}`, () => {
      const mass = { kind: "circle", x: wide / 2, y: tall / 2, radius: 5 / mm } as const;
      const toSource = [wide / width, 0, 0, 0, tall / height, 0] as const;
      const { before, after } = tokensPerLesion(mass, { height, width, toSource });
      assert(Math.abs(after.tokens - expected) < 0.006, `${after.tokens}`);
      assert(Math.abs(before.tokens - area(mass) / 256) < 1e-9);
      assert(after.touched >= 1 && after.touched <= 12);
    });
  }

  it("counts the tokens touched, also by what is smaller than a pixel, and leaves out what was cut off", () => {
    const image = imageOf(new Float32Array(64 * 64), { height: 64, width: 64 });
    const onCorner = tokensPerLesion({ kind: "circle", x: 16, y: 16, radius: 2 }, image);
    assertEquals(onCorner.after.touched, 4);
    const small = resizeTo({ height: 16, width: 16 })(image);
    const speck = tokensPerLesion({ kind: "circle", x: 20, y: 20, radius: 0.1 }, small, { patchSize: 4 });
    assertEquals([speck.before.touched, speck.after.touched], [1, 1]);
    const half = tokensPerLesion(
      { kind: "box", x: 0, y: 20, width: 20, height: 10 },
      crop(image, { x: 10, y: 0, width: 40, height: 64 }),
    );
    assertEquals([half.before.tokens, half.after.tokens], [200 / 256, 100 / 256]);
    const gone = tokensPerLesion(
      { kind: "box", x: 0, y: 0, width: 5, height: 5 },
      crop(image, { x: 10, y: 10, width: 8, height: 8 }),
    );
    assertEquals(gone.after, { tokens: 0, touched: 0 });
  });

  it("finds the same for a mask as for its outline, and for an image mirrored and padded", () => {
    const outline: Region = { kind: "circle", x: 40, y: 50, radius: 20 };
    const data = Uint8Array.from(
      { length: 80 * 100 },
      (_, k) => contains(outline, [k % 80 + 0.5, Math.floor(k / 80) + 0.5]) ? 1 : 0,
    );
    const mask: Region = { kind: "mask", x: 0, y: 0, width: 80, height: 100, data };
    const prepared = { height: 64, width: 64, toSource: [-3, 0, 150, 0, 2, -10] } as const;
    const [a, b] = [tokensPerLesion(outline, prepared), tokensPerLesion(mask, prepared)];
    assert(Math.abs(a.after.tokens - b.after.tokens) < 0.01);
    assertEquals(a.after.touched, b.after.touched);
    assert(Math.abs(a.after.tokens - area(outline) / 6 / 256) < 1e-9);
  });
});
