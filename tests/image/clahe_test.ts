import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { clahe } from "mammolab/image";
import { formulaPicture, largestDifference, paint } from "./_pictures.ts";

type Case = {
  readonly bits: number;
  readonly height: number;
  readonly width: number;
  readonly clip: number;
  readonly tiles: number;
  readonly expected: string;
};
const { version, cases } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/clahe/cases.json", import.meta.url)),
) as { version: string; cases: readonly Case[] };

/** The picture of tests/fixtures/clahe/make.py, as whole levels over the highest one. */
function picture({ bits, height, width }: Case) {
  const top = 2 ** bits - 1;
  return paint(height, width, (x, y) => {
    const [i, j] = [y - 0.5, x - 0.5];
    const grain = ((i * 7919 + j * 10473 + i * j * 31) % 4096) / 4095;
    return Math.round((0.5 + 0.3 * Math.sin(i / 9) * Math.cos(j / 7) + 0.1 * grain) * top) / top;
  });
}

describe("clahe()", () => {
  for (const one of cases) {
    const { bits, height, width, clip, tiles, expected } = one;
    it(`agrees with OpenCV ${version} on ${bits} bits, ${height} × ${width}, clip ${clip}, ${tiles} × ${tiles} tiles`, () => {
      const theirs = new Uint16Array(Uint8Array.from(atob(expected), (letter) => letter.charCodeAt(0)).buffer);
      const top = 2 ** bits - 1;
      const ours = clahe({ clip, tiles, bins: 2 ** bits })(picture(one)).data;
      // OpenCV rounds the table and the result: half a level each.
      const difference = largestDifference(ours, Float64Array.from(theirs, (level) => level / top)) * top;
      assert(difference <= 1.02, `the largest difference is ${difference} levels`);
    });
  }

  it("keeps more levels than it has bins", () => {
    const smooth = paint(128, 128, (x, y) => x / 256 + y / 512);
    const levels = new Set(clahe({ bins: 64 })(smooth).data);
    assert(levels.size > 4000, `${levels.size} levels`);
  });

  it("keeps the order of the values within a tile's center", () => {
    const { data } = clahe({ tiles: 1, clip: 3 })(formulaPicture(40, 40));
    const before = formulaPicture(40, 40).data;
    const order = [...before.keys()].sort((a, b) => before[a]! - before[b]!);
    for (let k = 1; k < order.length; k++) assert(data[order[k]!]! >= data[order[k - 1]!]! - 1e-6);
  });

  it("takes what is not in 0..1 as its nearest end, and what is no number as 0", () => {
    const odd = paint(8, 8, (x, y) => x < 2 ? -1 : x < 4 ? 2 : y < 2 ? NaN : 0.5);
    const plain = paint(8, 8, (x, y) => x < 2 ? 0 : x < 4 ? 1 : y < 2 ? 0 : 0.5);
    assertEquals(clahe({ tiles: 2 })(odd).data, clahe({ tiles: 2 })(plain).data);
  });

  it("does nothing much where the clip allows no contrast", () => {
    const image = formulaPicture(64, 64);
    const { data } = clahe({ clip: 1e-9, tiles: 1 })(image);
    image.data.forEach((value, at) => assertAlmostEquals(data[at]!, value, 0.01));
  });

  it("refuses color, images smaller than the tiles, and options out of range", () => {
    assertThrows(() => clahe()(formulaPicture(16, 16, 3)), MammolabError, "16 × 16 × 3");
    assertThrows(() => clahe()(formulaPicture(7, 16)), MammolabError, "at least 8 × 8 pixels");
    assertThrows(() => clahe({ clip: 0 }), MammolabError, "clip 0");
    assertThrows(() => clahe({ tiles: 2.5 }), MammolabError, "2.5 tiles");
    assertThrows(() => clahe({ bins: 1 }), MammolabError, "1 bins");
  });
});
