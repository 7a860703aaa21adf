import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import dicomParser from "dicom-parser";
import { MammolabError } from "mammolab/base";
import { attributes } from "../../lib/io/dicom/attributes.ts";
import { formAt, openContainer } from "../../lib/io/dicom/container.ts";
import type { DataSet } from "../../lib/io/dicom/data_set.ts";
import { looksLikeDicom, readDicom } from "../../lib/io/dicom/mod.ts";
import { parseDataSet } from "../../lib/io/dicom/parse.ts";
import { type Attribute, dicomFile, encapsulated, encode, join, picture, rawHeader, syntaxes } from "./_dicom_file.ts";

const cells = [0, 1, 2, 3, 4, 4095];
const withNesting: readonly Attribute[] = [
  [0x00081140, "SQ", { items: [[[0x00080060, "CS", "XX"]], []], delimited: true }],
  [0x00091001, "SQ", { items: [[[0x00091002, "UN", Uint8Array.of(1, 2)]]], delimited: true }],
  [0x00540220, "SQ", {
    items: [[
      [0x00080100, "SH", "R-10226"],
      [0x00540222, "SQ", {
        items: [[[0x00080100, "SH", "R-102D6"]], [[0x00080100, "SH", "R-102D7"]]],
        delimited: true,
      }],
    ]],
  }],
];

describe("parseDataSet()", () => {
  it("finds the same attributes at the same places as dicom-parser, in each form", () => {
    for (const syntax of [syntaxes.explicit, syntaxes.implicit, syntaxes.bigEndian]) {
      const bytes = dicomFile(picture(cells, { more: withNesting }), { syntax });
      agreesWithDicomParser(bytes);
    }
  });

  it("reads a data set of any form, whatever the file meta says of it", async () => {
    const expected = await readDicom(dicomFile(picture(cells)));
    for (const truth of [{}, { explicit: false }, { littleEndian: false }]) {
      for (const says of [syntaxes.explicit, syntaxes.implicit, syntaxes.bigEndian]) {
        const whole = dicomFile([], { syntax: says });
        const { stored } = await readDicom(join([whole, encode(picture(cells), truth)]));
        assertEquals([...stored.data], [...expected.stored.data]);
      }
    }
  });

  it("reads files without a preamble, and without file meta", async () => {
    const whole = dicomFile(picture(cells));
    for (const bytes of [whole.subarray(132), encode(picture(cells)), encode(picture(cells), { explicit: false })]) {
      assert(looksLikeDicom(bytes));
      const { stored, warnings } = await readDicom(bytes);
      assertEquals([...stored.data], cells);
      assert(warnings.some((warning) => warning.includes("no preamble")), warnings.join());
    }
  });

  it("takes the first of two equal tags, and none of those inside other sequences", async () => {
    const twice = encode([[0x00080060, "CS", "MG"], [0x00080060, "CS", "CT"]]);
    const rest = encode(picture(cells).filter(([tag]) => tag > 0x00080060));
    const { header } = await readDicom(join([dicomFile([]), twice, rest]));
    assertEquals(header.modality, "MG");
  });

  it("steps over what is not wanted: private sequences, UN of undefined length, icons with pixel data of their own", async () => {
    const un = join([
      Uint8Array.of(0x09, 0, 1, 0x10, 0x55, 0x4e, 0, 0, 0xff, 0xff, 0xff, 0xff), // (0009,1001) UN, undefined length
      rawHeader(0xfffee000, 0xffffffff),
      encode([[0x00091002, "LO", "implicit inside"]], { explicit: false }),
      rawHeader(0xfffee00d, 0),
      rawHeader(0xfffee0dd, 0),
    ]);
    const icon: Attribute = [0x00880200, "SQ", { items: [picture([9, 9], { bitsAllocated: 8, bitsStored: 8 })] }];
    const film = encode(picture(cells, { more: [icon] }).toSorted((a, b) => a[0] - b[0]));
    const split = film.findIndex((byte, i) =>
      byte === 0x18 && film[i + 1] === 0 && film[i + 2] === 1 && film[i + 3] === 0x51
    );
    const { stored } = await readDicom(join([dicomFile([]), film.subarray(0, split), un, film.subarray(split)]));
    assertEquals([...stored.data], cells);
  });

  it("steps over 64 levels of sequences and refuses 65 with a sentence", async () => {
    const nested = (depth: number): Attribute => {
      let inner: Attribute = [0x00081140, "SQ", { items: [], delimited: true }];
      for (let i = 1; i < depth; i++) inner = [0x00081140, "SQ", { items: [[inner]], delimited: true }];
      return inner;
    };
    const file = (depth: number) => dicomFile(picture(cells, { more: [nested(depth)] }));
    assertEquals((await readDicom(file(64))).stored.columns, 6);
    const error = await assertRejects(() => readDicom(file(65)), MammolabError);
    assert(error.message.includes("nested deeper than 64"), error.message);
  });

  it("names the tag, and never the value, of an attribute that runs past the end", async () => {
    const bytes = dicomFile([[0x00100010, "PN", "Smith^Anna"]]);
    const error = await assertRejects(() => readDicom(bytes.subarray(0, bytes.length - 2)), MammolabError);
    assertEquals(
      error.message,
      "Cannot read the DICOM file: attribute (0010,0010) runs past the end; copy or export it again",
    );
  });
});

describe("fragments", () => {
  const streams = [[1, 0, 0, 0, 64], [1, 0, 0, 0, 64], [1, 0, 0, 0, 64]].map((head, i) =>
    join([Uint8Array.from(head), new Uint8Array(59), Uint8Array.of(256 - 5, i + 1)])
  );
  const options = { rows: 2, bitsAllocated: 8, bitsStored: 8 };
  const film = (frames: string) =>
    picture([0, 0, 0, 0, 0, 0], { ...options, more: [[0x00280008, "IS", frames]] }).filter(([tag]) =>
      tag !== 0x7fe00010
    );
  const file = (frames: string, parts: readonly Uint8Array[]) =>
    join([dicomFile(film(frames), { syntax: syntaxes.rle }), encapsulated(parts)]);

  it("are joined for one frame, however many there are", async () => {
    const [stream] = streams as [Uint8Array];
    const { stored } = await readDicom(
      file("1", [stream.subarray(0, 20), stream.subarray(20, 64), stream.subarray(64)]),
    );
    assertEquals([...stored.data], [1, 1, 1, 1, 1, 1]);
  });

  it("are one a frame where there are as many, and each frame can be chosen", async () => {
    for (const frame of [0, 1, 2]) {
      const { stored } = await readDicom(file("3", streams), { frame });
      assertEquals([stored.frame, stored.frames, stored.data[0]], [frame, 3, frame + 1]);
    }
    const middle = await readDicom(file("3", streams));
    assertEquals(middle.stored.frame, 1);
    assert(middle.warnings.some((warning) => warning.includes("Frame 1 of 3")));
    await assertRejects(() => readDicom(file("3", streams), { frame: 3 }), MammolabError, "it has no frame 3");
    await assertRejects(() => readDicom(file("3", streams), { frame: -1 }), MammolabError, "it has no frame -1");
  });

  it("that are fewer than the frames, or cannot be told apart, are refused", async () => {
    await assertRejects(() => readDicom(file("4", streams)), MammolabError, "promises 4 frames, 3 are there");
    await assertRejects(() => readDicom(file("2", streams)), MammolabError, "cannot be told apart");
  });

  it("are walked by their lengths: a delimiter inside a stream is data", async () => {
    // The delimiter FEFF DDE0 as a literal run of four samples.
    const header = new Uint8Array(64);
    header.set([1, 0, 0, 0, 64]);
    const stream = join([header, Uint8Array.of(5, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0)]);
    const { stored } = await readDicom(file("1", [stream]));
    assertEquals([...stored.data], [0xfe, 0xff, 0xdd, 0xe0, 0, 0]);
  });
});

function agreesWithDicomParser(bytes: Uint8Array): void {
  const { at } = openContainer(bytes);
  const { dataSet, pixels } = parseDataSet(bytes, at, formAt(bytes, at));
  const theirs = dicomParser.parseDicom(bytes);
  const name = (tag: number) => `x${tag.toString(16).padStart(8, "0")}`;
  type TheirElement = ReturnType<typeof dicomParser.parseDicom>["elements"][string];
  type Theirs = { readonly elements: Record<string, TheirElement> };
  const compare = (ours: DataSet, other: Theirs, path: string) => {
    for (const [tag] of Object.values(attributes)) {
      const element = ours.elements.get(tag);
      const their = other.elements[name(tag)];
      if (tag < 0x00030000) continue; // file meta
      assertEquals(
        [element?.at, element?.length],
        [their?.dataOffset, their?.items ? element?.length : their?.length],
        path + name(tag),
      );
      element?.items?.forEach((item, i) =>
        compare(item, their?.items?.[i]?.dataSet as Theirs, `${path}${name(tag)}[${i}].`)
      );
      assertEquals(element?.items?.length, element?.items && (their?.items?.length ?? 0));
    }
  };
  compare(dataSet, theirs as unknown as Theirs, "");
  assertEquals(pixels?.at, theirs.elements["x7fe00010"]?.dataOffset);
}
