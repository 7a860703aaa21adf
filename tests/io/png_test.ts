import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { decode as decodeByFastPng, encode as encodeByFastPng } from "fast-png";
import { decodePng, encodePng } from "mammolab/io";
import { MammolabError } from "mammolab/base";
import { crc32, deflateSync } from "node:zlib";
import { ownMemory } from "../_own_memory.ts";

type Case = {
  readonly name: string;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly values: readonly number[];
  readonly refuse?: string;
};

// fixtures/png/make.py: encoded after the specification in Python, read by Pillow
const { cases }: { cases: readonly Case[] } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/png/pictures.json", import.meta.url)),
);

const side = fc.integer({ min: 1, max: 40 });
const film = fc.tuple(side, side, fc.boolean(), fc.integer()).map(([height, width, wide, seed]) => {
  let state = seed | 1;
  const next = () => (state = Math.imul(state, 1664525) + 1013904223 | 0) >>> (wide ? 16 : 24);
  const data = wide ? new Uint16Array(height * width) : new Uint8Array(height * width);
  return { height, width, data: data.map(next) };
});

describe("decodePng()", () => {
  for (const { name, file, refuse, width, height, bits, values } of cases) {
    it(refuse ? `refuses ${name}` : `reads ${name}`, () => {
      const bytes = Uint8Array.fromBase64(file);
      if (refuse) {
        assertThrows(() => decodePng(bytes), MammolabError, refuse);
        return;
      }
      const picture = decodePng(bytes);
      assertEquals([picture.width, picture.height, picture.bits, picture.white], [width, height, bits, 2 ** bits - 1]);
      assertEquals([...picture.data], values);
      assertEquals(picture.warnings, []);
    });
  }

  it("reads what fast-png writes, grey and equal RGB", () => {
    fc.assert(
      fc.property(film, fc.constantFrom(1, 3), ({ height, width, data }, channels) => {
        const spread = data instanceof Uint16Array
          ? new Uint16Array(data.length * channels)
          : new Uint8Array(data.length * channels);
        const all = spread.map((_, i) => data[Math.floor(i / channels)] as number);
        const depth = data instanceof Uint16Array ? 16 : 8;
        assertEquals(decodePng(encodeByFastPng({ width, height, data: all, depth, channels })).data, data);
      }),
      { numRuns: 60 },
    );
  });

  it("says that it ignores transparency, and only then", () => {
    const grey = Uint8Array.of(1, 255, 2, 254);
    const { data, warnings } = decodePng(encodeByFastPng({ width: 2, height: 1, data: grey, channels: 2 }));
    assertEquals([...data], [1, 2]);
    assertEquals(warnings, ["Its transparency was ignored"]);
  });

  it("refuses a file that is cut at any place", () => {
    const whole = encodePng(Uint16Array.from({ length: 30 }, (_, i) => i * 2000), { height: 5, width: 6 });
    for (let length = 0; length < whole.length; length++) {
      assertThrows(
        () => decodePng(whole.subarray(0, length)),
        MammolabError,
        "Cannot read the PNG: ",
        `${length} bytes`,
      );
    }
  });

  it("never gives other pixels for a damaged file: the right ones, or a sentence", () => {
    const { data: pixels } = decodePng(Uint8Array.fromBase64((cases[1] as Case).file));
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const bytes = Uint8Array.fromBase64((cases[1] as Case).file);
        bytes[place % bytes.length]! ^= change;
        try {
          assertEquals(decodePng(bytes).data, pixels);
        } catch (error) {
          assert(error instanceof MammolabError, `${error}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("never inflates more than the size needs, whatever the data holds", () => {
    const header = new Uint8Array(13);
    new DataView(header.buffer).setUint32(0, 10);
    new DataView(header.buffer).setUint32(4, 10);
    header[8] = 8;
    const bomb = file(["IHDR", header], ["IDAT", deflateSync(new Uint8Array(50e6))], ["IEND", new Uint8Array(0)]);
    const before = ownMemory();
    const { message } = assertThrows(() => decodePng(bomb), MammolabError) as Error;
    assertStringIncludes(message, "its data holds more than the 110 bytes that its size needs");
    assert(ownMemory() - before < 20e6);
  });

  it("refuses a size above the limit before anything is reserved", () => {
    const png = encodePng(new Uint8Array(200), { height: 10, width: 20 });
    assertThrows(() => decodePng(png, { maxPixels: 199 }), MammolabError, "20 × 10 pixels, the limit is 199");
    assertEquals(decodePng(png, { maxPixels: 200 }).width, 20);
  });
});

describe("encodePng()", () => {
  it("is undone by decodePng() and by fast-png, in 8 and 16 bits", () => {
    fc.assert(
      fc.property(film, ({ height, width, data }) => {
        const png = encodePng(data, { height, width });
        assertEquals(decodePng(png).data, data);
        const seen = decodeByFastPng(png, { checkCrc: true });
        assertEquals([seen.width, seen.height, seen.channels], [width, height, 1]);
        assertEquals(seen.data, data as typeof seen.data);
      }),
      { numRuns: 80 },
    );
  });

  for (const channels of [3, 4] as const) {
    it(`writes ${channels === 3 ? "RGB" : "RGBA"} as fast-png reads it`, () => {
      const data = Uint8Array.from({ length: 5 * 7 * channels }, (_, i) => (i * 37) % 256);
      const seen = decodeByFastPng(encodePng(data, { height: 5, width: 7, channels }), { checkCrc: true });
      assertEquals([seen.width, seen.height, seen.channels, seen.depth], [7, 5, channels, 8]);
      assertEquals(seen.data, data);
    });
  }

  it("writes indices and their palette as fast-png reads them", () => {
    const palette = Uint8Array.of(0, 0, 0, 255, 160, 0, 9, 8, 7);
    const indices = Uint8Array.of(0, 1, 2, 2, 1, 0);
    const seen = decodeByFastPng(encodePng(indices, { height: 2, width: 3, palette }), { checkCrc: true });
    assertEquals(seen.data, indices);
    assertEquals(seen.palette, [[0, 0, 0], [255, 160, 0], [9, 8, 7]]);
  });

  it("holds nothing but pixels: no text, no time", () => {
    const png = encodePng(new Uint8Array(4), { height: 2, width: 2 });
    const text = String.fromCharCode(...png);
    assertEquals([...text.matchAll(/IHDR|PLTE|IDAT|IEND|tEXt|tIME|iTXt|eXIf/g)].map(([name]) => name), [
      "IHDR",
      "IDAT",
      "IEND",
    ]);
  });

  it("refuses sizes, channels and palettes that do not fit", () => {
    const four = new Uint8Array(4);
    const palette = new Uint8Array(6);
    assertThrows(() => encodePng(four, { height: 2, width: 3 }), MammolabError, "4 values were given, 6 are needed");
    assertThrows(() => encodePng(four, { height: 0, width: 3 }), MammolabError, "whole numbers above zero");
    assertThrows(
      () => encodePng(Uint8Array.of(2), { height: 1, width: 1, palette }),
      MammolabError,
      "outside of its palette",
    );
    assertThrows(() => encodePng(Uint16Array.of(1), { height: 1, width: 1, palette }), MammolabError, "8-bit indices");
    // What no type checker sees in a notebook: an image's floats, which would be black, and two channels, which would be no PNG.
    const floats = Float32Array.of(0, 0.5, 0.5, 1) as unknown as Uint8Array;
    assertThrows(() => encodePng(floats, { height: 2, width: 2 }), MammolabError, "whole numbers of 8 or 16 bits");
    const channels = 2 as 1;
    assertThrows(() => encodePng(four, { height: 1, width: 2, channels }), MammolabError, "in 1, 3 or 4 channels");
  });
});

function file(...chunks: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const parts = chunks.map(([type, content]) => {
    const part = new Uint8Array(content.length + 12);
    const view = new DataView(part.buffer);
    view.setUint32(0, content.length);
    part.set(new TextEncoder().encode(type), 4);
    part.set(content, 8);
    view.setUint32(content.length + 8, crc32(part.subarray(4, content.length + 8)));
    return part;
  });
  return new Uint8Array([
    ...Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    ...parts.flatMap((p) => [...p]),
  ]);
}
