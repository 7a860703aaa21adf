import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { decodePnm } from "mammolab/io";
import { MammolabError } from "mammolab/base";

const encoder = new TextEncoder();
const bytesOf = (head: string, ...values: number[]) => Uint8Array.from([...encoder.encode(head), ...values]);

describe("decodePnm()", () => {
  it("reads 8 and 16-bit values, high byte first", () => {
    assertEquals(decodePnm(bytesOf("P5\n2 1\n255\n", 7, 255)).data, Uint8Array.of(7, 255));
    const wide = decodePnm(bytesOf("P5 2 1 4095\n", 0x0f, 0xff, 0x01, 0x02));
    assertEquals(wide.data, Uint16Array.of(4095, 258));
    assertEquals([wide.white, wide.bits], [4095, 12]);
    assertEquals(decodePnm(bytesOf("P5 1 1 256\n", 1, 0)).bits, 9);
  });

  it("takes exactly one white space after the maximum: the next byte is a pixel, also where it looks like one", () => {
    assertEquals([...decodePnm(bytesOf("P5\n2 2\n255\n", 10, 32, 13, 35)).data], [10, 32, 13, 35]);
  });

  it("skips comments wherever numbers may stand", () => {
    const head = "P5 # made\n#by hand\n 2#w\n\t1 # 99\r255\n";
    assertEquals([...decodePnm(bytesOf(head, 1, 2)).data], [1, 2]);
    assertEquals([...decodePnm(encoder.encode("P2\n2 1 # size\n9\n1 # one\n2\n")).data], [1, 2]);
  });

  it("reads back what was written as text, for all sizes and values", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65535 }),
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat(65535)),
        (white, width, stream) => {
          const values = [...stream.take(3 * width)].map((value) => value % (white + 1));
          const picture = decodePnm(encoder.encode(`P2 ${width} 3 ${white}\n${values.join(" ")}`));
          assertEquals([...picture.data], values);
          assertEquals(picture.data instanceof Uint16Array, white > 255);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("says that it ignores what follows the last pixel", () => {
    assertEquals(decodePnm(bytesOf("P5 1 1 255\n", 1, 2, 3)).warnings, ["2 bytes after its last pixel were ignored"]);
    assertEquals(decodePnm(encoder.encode("P2 1 1 255 1\n\n")).warnings, []);
  });

  const refused = {
    "a color picture": ["P6 1 1 255 abc", "it is a color picture"],
    "a bitmap": ["P4 8 1 a", "it does not begin with P2 or P5"],
    "no size": ["P5\n", "it ends before its width"],
    "a comment without end": ["P5\n#" + "x".repeat(70_000), "it ends before its width"],
    "a negative size": ["P5 -4 4 255 ", "its width is no whole number"],
    "a size of zero": ["P5 0 4 255 ", "0 × 4 pixels"],
    "a huge size": ["P5 99999999 99999999 255 ", "99999999 × 99999999 pixels, the limit is 100,000,000; "],
    "a size of twenty digits": ["P5 99999999999999999999 1 255 ", "its width is no number that fits"],
    "a maximum of zero": ["P5 1 1 0 a", "its maximum is 0"],
    "a maximum above 65535": ["P5 1 1 65536 a", "its maximum is 65536"],
    "too few pixels": ["P5 2 2 255 abc", "it needs 4 bytes of pixels and has 3"],
    "no pixel at all": ["P5 2 2 255", "it ends before its maximum"],
    "a value above the maximum": ["P5 1 1 10 a", "it holds the value 97, above the maximum of 10"],
    "a text value above the maximum": ["P2 1 1 10 11", "it holds the value 11, above the maximum of 10"],
    "a word between numbers": ["P2 2 2 255 1 2 three 4", "its pixel is no whole number"],
    "too few numbers": ["P2 2 2 255 10 20 30 ", "it ends before its pixel"],
    "a few bytes that claim to be a large text picture": ["P2 9000 9000 255 1 2", "it ends before its last pixel"],
  } as const;
  for (const [what, [text, sentence]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assertThrows(() => decodePnm(encoder.encode(text)), MammolabError, sentence);
    });
  }
});
