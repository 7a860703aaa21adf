import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "../_fast_check.ts";
import { colorMap } from "mammolab/plot";
import { quantize } from "../../lib/plot/_quantize.ts";

const hex = (bytes: Uint8Array) => `#${bytes.toHex()}`;

describe("colorMap()", () => {
  // End colors as published: matplotlib's _cm_listed.py, and Nunez et al. 2018 for cividis
  const ends = {
    magma: ["#000004", "#fcfdbf"],
    viridis: ["#440154", "#fde725"],
    cividis: ["#00224e", "#fee838"],
  } as const;
  for (const [name, [first, last]] of Object.entries(ends)) {
    it(`${name} begins and ends with the published colors`, () => {
      const map = colorMap(name as keyof typeof ends);
      assertEquals([map.length, hex(map.slice(0, 3)), hex(map.slice(-3))], [768, first, last]);
    });
  }

  it("grows in luminance all the way, so that it also reads in grey", () => {
    for (const name of ["magma", "viridis", "cividis", "grey"] as const) {
      const map = colorMap(name);
      const light = (at: number) => 0.2126 * map[at * 3]! + 0.7152 * map[at * 3 + 1]! + 0.0722 * map[at * 3 + 2]!;
      for (let at = 8; at < 256; at++) assert(light(at) > light(at - 8), `${name} at ${at}`);
    }
  });
});

describe("quantize()", () => {
  const picture = fc.integer({ min: 1, max: 12 }).chain((width) =>
    fc.array(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)), { minLength: width, maxLength: 12 * width }).map(
      (colors) => {
        const height = Math.floor(colors.length / width);
        return { data: Uint8Array.from(colors.slice(0, height * width).flat()), height, width };
      },
    )
  );

  it("keeps few colors to within the width of a cell, 4 of 256", () => {
    fc.assert(
      fc.property(picture, ({ data, height, width }) => {
        const { indices, palette } = quantize({ data, height, width });
        return data.every((value, at) => Math.abs(palette[indices[Math.floor(at / 3)]! * 3 + at % 3]! - value) < 4);
      }),
      { numRuns: 20 },
    );
  });

  it("never makes more colors than asked for, nor points beyond them", () => {
    fc.assert(
      fc.property(picture, fc.integer({ min: 1, max: 16 }), (given, colors) => {
        const { indices, palette } = quantize(given, colors);
        return palette.length / 3 <= colors && indices.every((index) => index < palette.length / 3);
      }),
      { numRuns: 20 },
    );
  });
});
