import { inflateRawSync } from "node:zlib";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import dicomParser from "dicom-parser";
import fc from "../_fast_check.ts";
import { MammolabError } from "mammolab/base";
import { type DicomDataSet, type DicomElement, type DicomVr, loadMammogram, writeDicom } from "mammolab/io";

const identity: DicomDataSet = [
  [0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.1.2"],
  [0x0008_0018, "UI", "2.25.7"],
];

type Parsed = {
  string(tag: string, index?: number): string | undefined;
  uint16(tag: string, index?: number): number;
  int16(tag: string, index?: number): number;
  uint32(tag: string, index?: number): number;
  double(tag: string, index?: number): number;
  elements: Record<string, { dataOffset: number; length: number; vr?: string; items?: { dataSet: Parsed }[] }>;
};

/** dicom-parser knows nothing of our writer: the oracle. */
function parse(bytes: Uint8Array): Parsed {
  const inflater = (all: Uint8Array, at: number) => {
    const rest = inflateRawSync(all.subarray(at));
    const joined = new Uint8Array(at + rest.length);
    joined.set(all.subarray(0, at));
    joined.set(rest, at);
    return joined;
  };
  return dicomParser.parseDicom(bytes, { inflater }) as unknown as Parsed;
}

const key = (tag: number) => `x${tag.toString(16).padStart(8, "0")}`;

describe("writeDicom()", () => {
  it("writes meta information that another reader finds in order", () => {
    for (
      const [syntax, uid] of [["explicit", "1.2.840.10008.1.2.1"], ["deflated", "1.2.840.10008.1.2.1.99"]] as const
    ) {
      const bytes = writeDicom(identity, { syntax });
      const read = parse(bytes);
      assertEquals(read.string("x00020010"), uid);
      assertEquals(read.string("x00020002"), "1.2.840.10008.5.1.4.1.1.1.2");
      assertEquals(read.string("x00020003"), "2.25.7");
      assertEquals(read.string("x00080018"), "2.25.7");
      const group = read.elements["x00020000"]!;
      const body = group.dataOffset + 4 + read.uint32("x00020000");
      if (syntax === "explicit") assertEquals([bytes[body], bytes[body + 2]], [0x08, 0x16]); // starts at (0008,0016)
    }
  });

  it("writes text, numbers, bytes and nested sequences that another reader reads back", () => {
    const words = (letters: string, longest: number) =>
      fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: longest }).map((all) => all.join(""))
        .filter((text) => text.trim() === text);
    const element = fc.oneof(
      fc.record({ vr: fc.constant<DicomVr>("LO"), value: words("abcXYZ ^-_.,é", 30) }),
      fc.record({ vr: fc.constant<DicomVr>("CS"), value: words("ABC_0 9", 16) }),
      fc.record({ vr: fc.constant<DicomVr>("UI"), value: words("0123456789", 40) }),
      fc.record({ vr: fc.constant<DicomVr>("US"), value: fc.integer({ min: 0, max: 65535 }) }),
      fc.record({ vr: fc.constant<DicomVr>("SS"), value: fc.integer({ min: -32768, max: 32767 }) }),
      fc.record({ vr: fc.constant<DicomVr>("FD"), value: fc.double({ noNaN: true }) }),
      fc.record({ vr: fc.constant<DicomVr>("OB"), value: fc.uint8Array({ maxLength: 20 }) }),
    );
    const check = (read: Parsed, bytes: Uint8Array, tag: number, { vr, value }: { vr: DicomVr; value: unknown }) => {
      const name = key(tag);
      const at = read.elements[name]!;
      assertEquals(at.vr, vr);
      assertEquals(at.length % 2, 0);
      if (vr === "US") assertEquals(read.uint16(name), value);
      else if (vr === "SS") assertEquals(read.int16(name), value);
      else if (vr === "FD") assertEquals(read.double(name), value);
      else if (vr === "OB") {
        const content = bytes.subarray(at.dataOffset, at.dataOffset + (value as Uint8Array).length);
        assertEquals([...content], [...value as Uint8Array]);
      } else {
        const stored = bytes.subarray(at.dataOffset, at.dataOffset + at.length);
        assertEquals(new TextDecoder().decode(stored).replace(/[ \0]$/, "").trimEnd(), (value as string).trimEnd());
      }
    };
    fc.assert(fc.property(fc.array(element, { minLength: 1, maxLength: 8 }), (elements) => {
      const set = elements.map(({ vr, value }, i): DicomElement => [0x0009_1000 + i, vr, value as never]);
      const bytes = writeDicom([...identity, ...set.toReversed(), [0x0040_0555, "SQ", [set, []]]]);
      const read = parse(bytes);
      elements.forEach((one, i) => check(read, bytes, 0x0009_1000 + i, one));
      const items = read.elements["x00400555"]!.items!;
      assertEquals(items.length, 2);
      elements.forEach((one, i) => check(items[0]!.dataSet, bytes, 0x0009_1000 + i, one));
      assertEquals(Object.keys(items[1]!.dataSet.elements), []);
    }));
  });

  it("keeps several values apart and attributes without a value empty", () => {
    const read = parse(writeDicom([...identity, [0x0018_1164, "DS", ["0.1", "0.25"]], [0x0008_0050, "SH", ""]]));
    assertEquals([read.string("x00181164", 0), read.string("x00181164", 1)], ["0.1", "0.25"]);
    assertEquals(read.elements["x00080050"]!.length, 0);
  });

  it("writes numbers as decimal text of at most 16 characters", () => {
    const read = parse(writeDicom([...identity, [0x0018_1164, "DS", [1 / 3, 0.1]]]));
    assertEquals(Number(read.string("x00181164", 0)!.trim()).toFixed(7), "0.3333333");
    assertEquals(read.string("x00181164", 1)!.trim(), "0.1");
  });

  it("writes pixels that our own reader gets back exactly, deflated or not", async () => {
    const pixels = Uint16Array.from({ length: 12 }, (_, i) => (i * 997) % 4096);
    const film: DicomDataSet = [
      ...identity,
      [0x0008_0060, "CS", "MG"],
      [0x0028_0002, "US", 1],
      [0x0028_0004, "CS", "MONOCHROME2"],
      [0x0028_0010, "US", 3],
      [0x0028_0011, "US", 4],
      [0x0028_0100, "US", 16],
      [0x0028_0101, "US", 12],
      [0x0028_0102, "US", 11],
      [0x0028_0103, "US", 0],
      [0x0028_1050, "DS", "2048"],
      [0x0028_1051, "DS", "4096"],
      [0x7fe0_0010, "OW", pixels],
    ];
    for (const syntax of ["explicit", "deflated"] as const) {
      const { image } = await loadMammogram(writeDicom(film, { syntax }), { trusted: true });
      assertEquals([...image.data].map((value) => Math.round(value * 4095)), [...pixels]);
    }
  });

  it("gives the same bytes for the same data set in any order", () => {
    const set: DicomDataSet = [...identity, [0x0010_0040, "CS", "F"], [0x0008_0060, "CS", "MG"]];
    assertEquals(writeDicom(set), writeDicom(set.toReversed()));
  });

  it("refuses what a representation cannot hold, naming the tag and no value", () => {
    const cases: readonly [DicomElement, RegExp][] = [
      [[0x0028_0010, "US", 65536], /\(0028,0010\) holds a value that US cannot/],
      [[0x0028_0010, "US", 1.5], /\(0028,0010\)/],
      [[0x0008_0060, "CS", "mammo"], /\(0008,0060\) holds a value that CS cannot/],
      [[0x0008_0020, "DA", "2000-01-01"], /\(0008,0020\)/],
      [[0x0010_0010, "PN", "A".repeat(65)], /\(0010,0010\) is longer than the 64 characters of PN/],
      [[0x0010_0010, "PN", "A\\B"], /\(0010,0010\) holds a control character or a backslash/],
      [[0x0040_0555, "SQ", "text"], /\(0040,0555\) is a sequence/],
      [[0x7fe0_0010, "OW", [1, 2]], /\(7FE0,0010\) is OW, so its value is bytes/],
      [[0x0008_0018, "UI", "2.25.8"], /\(0008,0018\) stands there twice/],
    ];
    for (const [element, message] of cases) {
      const error = assertThrows(() => writeDicom([...identity, element]), MammolabError);
      assert(message.test(error.message), error.message);
      assert(!/mammo$|2000-01-01|A\\B/.test(error.message));
    }
    assertThrows(() => writeDicom([]), MammolabError, "(0008,0016) is missing");
  });
});
