import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError } from "mammolab/base";
import { type DicomOptions, readDicom, type VoiChoice } from "../../lib/io/dicom/mod.ts";
import { voiLinear, voiLinearExact, voiSigmoid } from "../../lib/io/dicom/voi.ts";
import { type Attribute, dicomFile, picture, syntaxes } from "./_dicom_file.ts";

const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6) => {
  assertEquals(actual.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(actual[i] as number, value, tolerance, `${i}: ${actual[i]}`));
};

const window = (center: string, width: string, more: readonly Attribute[] = []): readonly Attribute[] => [
  [0x00281050, "DS", center],
  [0x00281051, "DS", width],
  ...more,
];

const lut = (first: number, bits: number, entries: readonly number[], more: readonly Attribute[] = []) =>
  [
    [0x00283002, "US", [entries.length, first, bits]],
    [0x00283006, "OW", entries],
    ...more,
  ] as readonly Attribute[];

async function shown(cells: readonly number[], more: readonly Attribute[], options: DicomOptions & {
  readonly signed?: boolean;
  readonly bitsStored?: number;
} = {}) {
  const { signed = false, bitsStored = 12, ...rest } = options;
  return await readDicom(dicomFile(picture(cells, { more, signed, bitsStored })), rest);
}

describe("voiLinear()", () => {
  // DICOM PS3.3 C.11.2.1.2.1 gives these four as examples, for an output of 0 to 255.
  it("is ((x - 2047.5) / 4095 + 0.5) for center 2048 and width 4096", () => {
    near(voiLinear(Float64Array.of(-1, 0, 1, 2047.5, 4095, 4096), { center: 2048, width: 4096 }), [
      ...[0, 0, 1 / 4095, 0.5, 1, 1],
    ], 1e-12);
  });
  it("is a threshold at 2047.5 for center 2048 and width 1", () => {
    near(voiLinear(Float64Array.of(2047, 2047.5, 2048), { center: 2048, width: 1 }), [0, 0, 1], 0);
  });
  it("is ((x + 0.5) / 99 + 0.5) for center 0 and width 100", () => {
    near(voiLinear(Float64Array.of(-50, -49, -0.5, 49, 50), { center: 0, width: 100 }), [0, 1 / 99, 0.5, 1, 1], 1e-12);
  });
  it("is a threshold at -0.5 for center 0 and width 1", () => {
    near(voiLinear(Float64Array.of(-1, -0.5, 0), { center: 0, width: 1 }), [0, 0, 1], 0);
  });
});

describe("voiLinearExact()", () => {
  // DICOM PS3.3 C.11.2.1.3.2, examples.
  it("is ((x - 2048) / 4096 + 0.5) for center 2048 and width 4096", () => {
    near(voiLinearExact(Float64Array.of(0, 1, 2048, 4096, 4097), { center: 2048, width: 4096 }), [
      ...[0, 1 / 4096, 0.5, 1, 1],
    ], 1e-12);
  });
  it("is a slope from 2047.5 to 2048.5 for width 1, not a threshold", () => {
    near(
      voiLinearExact(Float64Array.of(2047.5, 2047.75, 2048, 2048.5), { center: 2048, width: 1 }),
      [0, 0.25, 0.5, 1],
      0,
    );
  });
});

describe("voiSigmoid()", () => {
  it("is one half at the center and 1 / (1 + exp(-2)) half a width above it", () => {
    near(voiSigmoid(Float64Array.of(100, 150, 50), { center: 100, width: 100 }), [
      ...[0.5, 0.8807970779778823, 0.11920292202211755], // logistic function of 2 and -2
    ], 1e-15);
  });
  it("has the slope of the linear window at its center: the 4 of the standard, not a 2 or nothing", () => {
    const [low, high] = voiSigmoid(Float64Array.of(999, 1001), { center: 1000, width: 500 });
    assertAlmostEquals(((high as number) - (low as number)) / 2, 1 / 500, 1e-7);
  });
});

describe("display values", () => {
  it("run from modality over VOI to one inversion, and padding is black at last", async () => {
    const more: readonly Attribute[] = [
      ...window("10", "20"),
      [0x00281052, "DS", "-100"],
      [0x00281053, "DS", "2"],
      [0x00280004, "CS", "MONOCHROME1"],
      [0x20500020, "CS", "INVERSE"],
      [0x00280120, "US", [7]],
    ];
    const { display, displayMethod } = await shown([7, 50, 54, 55, 60, 4095], more);
    const y = (x: number) => Math.min(1, Math.max(0, (x - 9.5) / 19 + 0.5));
    near(display, [0, 1 - y(0), 1 - y(8), 1 - y(10), 1 - y(20), 0]);
    assertEquals(displayMethod, "window 1 (LINEAR), inverted");
  });

  it("are the full range of the stored bits after rescale where a file has no VOI", async () => {
    const { display, displayMethod } = await shown([0, 1024, 4095], [[0x00281052, "DS", "-1"], [
      0x00281053,
      "DS",
      "2",
    ]]);
    near(display, [0, 1024 / 4095, 1]);
    assertEquals(displayMethod, "-1..8189");
    near((await shown([-2048, 0, 2047], [], { signed: true })).display, [0, 2048 / 4095, 1]);
  });

  it("invert once for a negative slope, by the slope itself", async () => {
    near((await shown([0, 4095], [[0x00281052, "DS", "4095"], [0x00281053, "DS", "-1"]])).display, [1, 0]);
  });

  it("ignore a slope of zero, which would make every film one value", async () => {
    near((await shown([0, 4095], [[0x00281053, "DS", "0"]])).display, [0, 1]);
  });

  it("invert once for MONOCHROME1, for INVERSE, and for both", async () => {
    const cells = [0, 4095];
    const [one, inverse, identity] = [
      [0x00280004, "CS", "MONOCHROME1"],
      [0x20500020, "CS", "INVERSE"],
      [0x20500020, "CS", "IDENTITY"],
    ] as readonly Attribute[];
    for (const more of [[one], [inverse], [one, inverse], [one, identity]] as (readonly Attribute[])[]) {
      near((await shown(cells, more)).display, [1, 0]);
    }
    near((await shown(cells, [identity as Attribute])).display, [0, 1]);
    const said = (await shown(cells, [one, identity] as readonly Attribute[])).warnings;
    assert(said.some((warning) => warning.includes("IDENTITY though MONOCHROME1")), said.join());
  });

  it("are black for all of a padding range, whichever end comes first", async () => {
    const of = (from: number, to: number) =>
      shown([0, 9, 10, 20, 21, 4095], [[0x00280120, "US", [from]], [0x00280121, "US", [to]]]);
    for (const { display } of [await of(10, 20), await of(20, 10)]) {
      near(display, [0, 9 / 4095, 0, 0, 21 / 4095, 1]);
    }
    const signed = await shown([-5, 0, 5], [[0x00280120, "US", [-5]]], { signed: true });
    near(signed.display, [0, 2048 / 4095, 2053 / 4095]);
  });

  it("take the Modality LUT and not the slope, with its first and last entries beyond its ends", async () => {
    const item = lut(10, 8, [100, 200, 255]);
    const more: readonly Attribute[] = [[0x00283000, "SQ", { items: [item] }], [0x00281053, "DS", "9"]];
    near((await shown([0, 10, 11, 12, 4095], more)).display, [100, 100, 200, 255, 255].map((x) => x / 255));
    const negative: readonly Attribute[] = [[0x00283000, "SQ", { items: [lut(-1, 8, [10, 20, 30])] }]];
    near(
      (await shown([-5, -1, 0, 1, 9], negative, { signed: true })).display,
      [10, 10, 20, 30, 30].map((x) => x / 255),
    );
  });
});

describe("VOI LUTs", () => {
  const sequence = (...items: readonly (readonly Attribute[])[]): Attribute => [0x00283010, "SQ", { items }];

  it("scale by their bits, not by their largest entry", async () => {
    const { display, displayMethod } = await shown([0, 5, 6, 99], [sequence(lut(5, 12, [819, 1638]))]);
    near(display, [0.2, 0.2, 0.4, 0.4]);
    assertEquals(displayMethod, "VOI LUT 1");
  });

  it("come before windows, and each can be chosen", async () => {
    const more: readonly Attribute[] = [
      sequence(
        lut(0, 8, [0, 51], [[0x00283003, "LO", "Normal "]]),
        lut(0, 8, [0, 102], [[0x00283003, "LO", "HARDER"]]),
      ),
      ...window("2048\\1", "4096\\1", [[0x00281055, "LO", "NORMAL\\SOFTER"]]),
    ];
    const one = async (voi: DicomOptions["voi"]) => {
      const { display, displayMethod } = await shown([1], more, { voi });
      return [displayMethod, Math.round((display[0] as number) * 1e6) / 1e6];
    };
    assertEquals(await one(undefined), ["VOI LUT 1 (NORMAL)", 0.2]);
    assertEquals(await one("lut"), ["VOI LUT 1 (NORMAL)", 0.2]);
    assertEquals(await one("lut 2"), ["VOI LUT 2 (HARDER)", 0.4]);
    assertEquals(await one("harder"), ["VOI LUT 2 (HARDER)", 0.4]);
    assertEquals(await one(1), ["window NORMAL (LINEAR)", 0.000244]);
    assertEquals(await one("SOFTER"), ["window SOFTER (LINEAR)", 1]);
    assertEquals(await one("window 2"), ["window SOFTER (LINEAR)", 1]); // as the sentence lists it
    assertEquals(await one("range"), ["0..4095", 0.000244]);
    assertEquals(await one({ center: 1, width: 2, function: "LINEAR_EXACT" }), ["window 1/2 (LINEAR_EXACT)", 0.5]);
    for (const voi of [0, 3, 1.5, "lut 3", "window 3", "no such", { center: 1, width: 0 }]) {
      const error = await assertRejects(() => shown([1], more, { voi }), MammolabError);
      assert(/^Cannot read the DICOM file: .+; .+$/.test(error.message), error.message);
    }
  });

  it("hold 65,536 entries where the descriptor says 0", async () => {
    const item: readonly Attribute[] = [
      [0x00283002, "US", [0, 0, 16]],
      [0x00283006, "OW", Array.from({ length: 65536 }, (_, i) => i)],
    ];
    near((await shown([0, 4095], [sequence(item)])).display, [0, 4095 / 65535]);
  });

  it("have a negative first input where the values can be negative, whatever the file calls the type", async () => {
    const item = lut(-2, 8, [0, 50, 100, 150]);
    near(
      (await shown([-2, -1, 0, 1], [sequence(item)], { signed: true })).display,
      [0, 50, 100, 150].map((x) => x / 255),
    );
    const shifted: readonly Attribute[] = [sequence(item), [0x00281052, "DS", "-2"]];
    near((await shown([0, 1, 2, 3], shifted)).display, [0, 50, 100, 150].map((x) => x / 255));
  });

  it("may pack two entries of 8 bits into a word, in either byte order", async () => {
    const packed = (bytes: Uint8Array): Attribute =>
      sequence([[0x00283002, "US", [4, 0, 8]], [0x00283006, "OW", bytes]]);
    near(
      (await shown([0, 1, 2, 3], [packed(Uint8Array.of(10, 20, 30, 40))])).display,
      [10, 20, 30, 40].map((x) => x / 255),
    );
    const more = [packed(Uint8Array.of(20, 10, 40, 30))];
    const big = await readDicom(dicomFile(picture([0, 1, 2, 3], { more }), { syntax: syntaxes.bigEndian }));
    near(big.display, [10, 20, 30, 40].map((x) => x / 255));
  });

  it("are left out with a warning where they are shorter than they say, and clamped where they exceed their bits", async () => {
    const short: readonly Attribute[] = [[0x00283002, "US", [9, 0, 8]], [0x00283006, "OW", [1, 2]]];
    const left = await shown([0, 4095], [sequence(short)]);
    assertEquals(left.displayMethod, "0..4095");
    assert(left.warnings.some((warning) => warning.includes("VOI LUT 1")));
    // Half as many bytes as 4,096 entries of 12 bits need: read as bytes they would show the film nearly black.
    const half = [[0x00283002, "US", [4096, 0, 12]], [0x00283006, "OW", new Uint8Array(4096).fill(255)]] as const;
    const cut = await shown([0, 4095], [sequence(half)]);
    assertEquals([cut.displayMethod, ...cut.display], ["0..4095", 0, 1]);
    assert(cut.warnings.some((warning) => warning.includes("VOI LUT 1")));
    const above = await shown([0, 1], [sequence(lut(0, 8, [0, 300]))]);
    near(above.display, [0, 1]);
    assert(above.warnings.some((warning) => warning.includes("clamped")));
  });
});

describe("windows", () => {
  it("that cannot be used give way to the full range, with a warning", async () => {
    for (
      const [center, width] of [["1", "0"], ["1", "-5"], ["x", "5"], ["1", "NaN"], ["1", "0x10"], ["1", ""]] as const
    ) {
      const { displayMethod, warnings } = await shown([0], window(center, width));
      assertEquals(displayMethod, "0..4095");
      assert(warnings.some((warning) => warning.startsWith("Window 1 is not usable")), `${center} ${width}`);
    }
  });

  it("take their function however it is spelled, and LINEAR for one that the standard does not know", async () => {
    const method = async (name: string) =>
      (await shown([0], window("5", "5", [[0x00281056, "CS", name]]))).displayMethod;
    assertEquals(await method(" sigmoid "), "window 1 (SIGMOID)");
    assertEquals(await method("LINEAR_EXACT"), "window 1 (LINEAR_EXACT)");
    assertEquals(await method("S"), "window 1 (LINEAR)");
    assertEquals(await method("constructor"), "window 1 (LINEAR)");
  });

  it("never let through a name that is not one of the known words", async () => {
    const { displayMethod } = await shown([0], window("5", "5", [[0x00281055, "LO", "Mrs Smith"]]));
    assertEquals(displayMethod, "window 1 (LINEAR)");
  });

  it("rise with the stored value and stay in 0..1, whatever the window", async () => {
    const number = fc.integer({ min: -5000, max: 5000 });
    const form = fc.constantFrom("LINEAR", "LINEAR_EXACT", "SIGMOID");
    await fc.assert(
      fc.asyncProperty(number, fc.integer({ min: 1, max: 9000 }), form, async (center, width, name) => {
        const cells = Array.from({ length: 64 }, (_, i) => i * 65);
        const { display } = await shown(cells, window(`${center}`, `${width}`, [[0x00281056, "CS", name]]));
        return display.every((y, i) => y >= 0 && y <= 1 && y >= (display[i - 1] ?? 0));
      }),
      { numRuns: 50 },
    );
  });
});

describe("a window of one's own", () => {
  it("is refused in words that say what is missing: center, width or function", async () => {
    for (
      const voi of [{ center: 5, width: 0 }, { width: 5 }, { center: 5, width: 5, function: "sigmoid" }] as VoiChoice[]
    ) {
      await assertRejects(() => shown([0], [], { voi }), MammolabError, "none of LINEAR, LINEAR_EXACT, SIGMOID");
    }
  });
});

describe("stored values", () => {
  const stored = async (
    cells: readonly number[],
    options: Parameters<typeof picture>[1],
  ) => [...(await readDicom(dicomFile(picture(cells, options)))).stored.data];

  it("are the stored bits alone, whatever lies above and below them", async () => {
    assertEquals(await stored([0x1abc, 0xffff], { bitsStored: 12 }), [0xabc, 0xfff]);
    assertEquals(await stored([0xabc1, 0xfff7], { bitsStored: 12, highBit: 15 }), [0xabc, 0xfff]);
    assertEquals(await stored([0xd5a9], { bitsStored: 10, highBit: 12 }), [(0xd5a9 >> 3) & 0x3ff]);
  });

  it("carry the sign of Pixel Representation", async () => {
    assertEquals(await stored([0x0800, 0x07ff, 0xf800, 0xa001], { bitsStored: 12, signed: true }), [
      -2048,
      2047,
      -2048,
      1,
    ]);
    assertEquals(await stored([0x80, 0x7f], { bitsAllocated: 8, bitsStored: 8, signed: true }), [-128, 127]);
  });

  it("of 8 bits in big endian words are swapped in pairs, also where a frame ends within a pair (PS3.5 section 8.2)", async () => {
    const more: readonly Attribute[] = [
      [0x00280008, "IS", "2"],
      [0x00280010, "US", [1]],
      [0x00280011, "US", [3]],
      [0x7fe00010, "OW", Uint8Array.of(2, 1, 4, 3, 6, 5)],
    ];
    const bytes = dicomFile(picture([1], { bitsAllocated: 8, bitsStored: 8, more }), { syntax: syntaxes.bigEndian });
    const frames = await Promise.all([0, 1].map((frame) => readDicom(bytes, { frame })));
    assertEquals(frames.map(({ stored }) => [...stored.data]), [[1, 2, 3], [4, 5, 6]]);
    const odd = [...more.slice(1, 3), [0x7fe00010, "OW", Uint8Array.of(2, 1, 0, 3)]] as Attribute[];
    const one = dicomFile(picture([1], { bitsAllocated: 8, bitsStored: 8, more: odd }), { syntax: syntaxes.bigEndian });
    assertEquals([...(await readDicom(one)).stored.data], [1, 2, 3]);
  });
});
