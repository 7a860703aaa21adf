import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { divided, grey16 } from "../../lib/io/_pixel_kernel.ts";
import { unfilter } from "../../lib/io/_png_filters.ts";

/** Rows of random bytes, each with one of the filters. */
function filtered(width: number, height: number, filters: readonly number[]): Uint8Array {
  const { integer } = seededRandom(width, height, "rows");
  const raw = Uint8Array.from({ length: height * (2 * width + 1) }, () => integer(256));
  for (let row = 0; row < height; row++) raw[row * (2 * width + 1)] = filters[row % filters.length]!;
  return raw;
}

/** The slow twin: plain loops over bytes. */
function slowGrey16(raw: Uint8Array, { width, height }: { width: number; height: number }): Uint16Array {
  const rows = raw.slice();
  unfilter(rows, { stride: 2 * width, height, bytesPerPixel: 2 });
  const byte = (row: number, k: number) => rows[row * (2 * width + 1) + 1 + k]!;
  return Uint16Array.from({ length: width * height }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return 256 * byte(row, 2 * column) + byte(row, 2 * column + 1);
  });
}

describe("grey16()", () => {
  const filters = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 });

  it("is what plain loops give, for every width, height and order of filters", () => {
    const side = fc.integer({ min: 1, max: 60 });
    fc.assert(fc.property(side, side, filters, (width, height, filters) => {
      const raw = filtered(width, height, filters);
      const before = raw.slice();
      assertEquals(grey16(raw, { width, height }), slowGrey16(raw, { width, height }));
      assertEquals(raw, before);
    }));
  });

  it("carries rows from one block to the next, also where a block is one row", () => {
    for (const [width, height] of [[700, 400], [21_000, 9], [32_767, 5]] as const) {
      const raw = filtered(width, height, [2, 1, 4, 3, 0, 2, 2]);
      assertEquals(grey16(raw, { width, height }), slowGrey16(raw, { width, height }));
    }
  });

  it("leaves rows that are too long to the plain loops", () => {
    assertEquals(grey16(filtered(40_000, 1, [1]), { width: 40_000, height: 1 }), undefined);
  });

  it("refuses a filter that PNG does not have, and works after it", () => {
    assertThrows(
      () => grey16(filtered(9, 4, [2, 2, 5]), { width: 9, height: 4 }),
      MammolabError,
      "row 2 uses filter 5",
    );
    const raw = filtered(9, 4, [2]);
    assertEquals(grey16(raw, { width: 9, height: 4 }), slowGrey16(raw, { width: 9, height: 4 }));
  });
});

describe("divided()", () => {
  it("is the division of JavaScript to the last bit, for all 16-bit numbers and more than fit at once", () => {
    const all = Uint16Array.from({ length: 65_536 * 2 + 3 }, (_, k) => k);
    for (const white of [1, 3, 255, 4095, 65_535]) {
      assertEquals(divided(all, white), Float32Array.from(all, (value) => value / white));
    }
    assertEquals(divided(Uint16Array.of(7), 4095), Float32Array.of(7 / 4095));
  });
});
