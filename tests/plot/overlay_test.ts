import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import fc from "../_fast_check.ts";
import { imageOf, rasterize } from "mammolab/image";
import { MammolabError } from "mammolab/base";
import { overlay } from "mammolab/plot";
import { colorMap } from "../../lib/plot/colors.ts";
import { overlayPicture, relevanceRange } from "../../lib/plot/overlay.ts";

/** A film of one grey and a map of 2 × 2 tokens over its left 8 columns; the right 8 were not seen. */
const film = imageOf(new Float32Array(8 * 16).fill(0.5), { height: 8, width: 16 });
const tokens = (...data: number[]) =>
  ({ data: Float32Array.from(data), height: 2, width: 2, toSource: [4, 0, 0, 0, 4, 0], method: "by hand" }) as const;
const plain = { peak: false } as const;

const pixel = ({ data, width }: { data: ArrayLike<number>; width: number }, x: number, y: number) =>
  [0, 1, 2].map((k) => data[(y * width + x) * 3 + k]!);

describe("overlay()", () => {
  it("has the film's size and its greys where the network did not look", async () => {
    const { data, width, height, channels } = decode(await overlay({ image: film }, tokens(1, 2, 3, 4), plain));
    assertEquals([width, height, channels], [16, 8, 3]);
    for (let x = 8; x < 16; x++) assertEquals(pixel({ data, width }, x, 3), [128, 128, 128]);
  });

  it("covers the highest token with 60 % of the top color, and the lowest with nothing", () => {
    const picture = overlayPicture(film, tokens(1, 1, 1, 4), plain);
    const top = [...colorMap("magma").slice(-3)];
    // Pixel (7, 7) lies in the outer half of the last token, where the map is flat
    assertEquals(pixel(picture, 7, 7), top.map((color) => Math.round(128 * 0.4 + color * 0.6)));
    assertEquals(pixel(picture, 0, 0), [128, 128, 128]);
  });

  it("leaves unseen pixels alone when all numbers are negative", () => {
    const picture = overlayPicture(film, tokens(-9, -5, -5, -1), plain);
    assertEquals(pixel(picture, 12, 4), [128, 128, 128]);
    assert(pixel(picture, 7, 7)[2]! > 128);
  });

  it("draws nothing over the film when all tokens are alike", () => {
    for (const options of [plain, { peak: true }]) { // nor a ring: nothing is highest
      assertEquals([...new Set(overlayPicture(film, tokens(2, 2, 2, 2), options).data)], [128]);
    }
  });

  it("puts a mirrored map where the mirrored tokens came from", () => {
    const mirrored = { ...tokens(1, 1, 1, 4), toSource: [-4, 0, 8, 0, 4, 0] } as const;
    const straight = overlayPicture(film, tokens(1, 1, 4, 1), plain);
    assertEquals(overlayPicture(film, mirrored, plain).data, straight.data);
  });

  it("marks the peak with a ring around its place and nowhere else", () => {
    const wide = imageOf(new Float32Array(200 * 200).fill(0.5), { height: 200, width: 200 });
    const map = { ...tokens(1, 1, 1, 4), toSource: [100, 0, 0, 0, 100, 0] } as const;
    const [without, marked] = [overlayPicture(wide, map, plain), overlayPicture(wide, map)];
    for (let y = 0; y < 200; y++) {
      for (let x = 0; x < 200; x++) {
        const away = Math.hypot(x + 0.5 - 150, y + 0.5 - 150);
        if (away < 4 || away > 14) assertEquals(pixel(marked, x, y), pixel(without, x, y));
      }
    }
    assert(pixel(marked, 158, 150).every((value) => value > 245)); // white, at a radius of 4 % of 200
  });

  it("outlines a region along the inner side of its edge, and colors nothing else", () => {
    const side = 40;
    const dark = imageOf(new Float32Array(side * side), { height: side, width: side });
    const flat = { ...tokens(1, 1, 1, 1), toSource: [20, 0, 0, 0, 20, 0] } as const;
    fc.assert(
      fc.property(fc.double({ min: 5, max: 35, noNaN: true }), fc.integer({ min: 4, max: 30 }), (x, radius) => {
        const circle = { kind: "circle", x, y: 20, radius } as const;
        const inside = rasterize(circle, dark);
        const { data } = overlayPicture(dark, flat, { ...plain, outlines: [circle] });
        for (let at = 0; at < inside.length; at++) {
          const drawn = data[at * 3 + 2]! > 0;
          const fromCenter = Math.hypot(at % side + 0.5 - x, Math.floor(at / side) + 0.5 - 20);
          if (drawn && !inside[at]) return false;
          // At the picture's border a region is cut, and the cut is drawn as an edge
          const border = Math.min(
            at % side,
            side - 1 - at % side,
            Math.floor(at / side),
            side - 1 - Math.floor(at / side),
          );
          if (drawn && border > 3 && fromCenter < radius - 4) return false;
        }
        return data.some((value) => value > 0);
      }),
    );
  });

  it("refuses a map beside the film and an opacity that is no share, in one sentence", async () => {
    const beside = { ...tokens(1, 2, 3, 4), toSource: [4, 0, 100, 0, 4, 0] } as const;
    const error = await assertRejects(async () => await overlay({ image: film }, beside), MammolabError);
    assert(/^Cannot .*: .*; .*/.test(error.message), error.message);
    assertThrows(() => overlayPicture(film, tokens(1, 2, 3, 4), { opacity: 2 }), MammolabError, "opacity 2");
  });
});

describe("relevanceRange()", () => {
  it("does not count padding: tokens whose center lies beyond the film", () => {
    const padded = { ...tokens(1, 99, 2, -99), toSource: [16, 0, 0, 0, 4, 0] } as const; // right column beyond x = 16
    assertEquals(relevanceRange(padded, film), { low: 1, high: 2, x: 8, y: 6 });
  });
});
