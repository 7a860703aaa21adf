import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { MammolabError, seededRandom } from "mammolab/base";
import { attributes } from "../../lib/io/dicom/attributes.ts";
import { dicomStatistics, readDicom } from "../../lib/io/dicom/mod.ts";
import { type Attribute, dicomFile, picture } from "./_dicom_file.ts";

const random = seededRandom(7, "identity");
const planted: string[] = [];

/** A word that occurs nowhere else, remembered so that it can be searched for. */
function token(form: "text" | "number" = "text"): string {
  const letters = form === "text" ? "BDFGHJKLMPQRTVWXZ" : "123456789";
  const word = Array.from({ length: 10 }, () => letters[random.integer(letters.length)]).join("");
  planted.push(word);
  return word;
}

const bytes = (text: string) => new TextEncoder().encode(text.length % 2 ? text + " " : text);

/** Every text representation, in a group where such attributes really stand. */
const inEachRepresentation = (group: number): readonly Attribute[] =>
  "AE AS CS DA DT LO LT PN SH ST TM UC UR UT UN OB OW UI DS IS".split(" ").map((vr, i) => [
    group * 0x10000 + 0x1100 + i,
    vr,
    vr === "UI" || vr === "DS" || vr === "IS" ? token("number") : bytes(token()),
  ]);

const nested = (tag: number, depth: number): Attribute => [tag, "SQ", {
  items: [[
    [0x00080104, "LO", token()],
    [0x00100010, "PN", `${token()}^${token()}=${token()}=${token()}`],
    [0x00101010, "AS", token()],
    ...inEachRepresentation(0x0009),
    ...(depth > 1 ? [nested(tag, depth - 1)] : []),
  ]],
  delimited: depth % 2 === 1,
}];

/** Attributes that name or describe somebody or something, none of which the reader may pass on. */
function identity(): readonly Attribute[] {
  const text: readonly Attribute[] = [
    ...[0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00100030, 0x00400244].map((tag) =>
      [tag, "DA", token("number")] as const
    ),
    ...[0x00080030, 0x00080031, 0x00080032, 0x00080033, 0x00100032].map((tag) => [tag, "TM", token("number")] as const),
    ...[0x00080080, 0x00081030, 0x0008103e, 0x00081040, 0x00081090, 0x00101000, 0x00181000, 0x00181020, 0x00181030].map(
      (
        tag,
      ) => [tag, "LO", token()] as const,
    ),
    ...[0x00080090, 0x00081050, 0x00081060, 0x00081070, 0x00100010, 0x00101001, 0x00101005, 0x00101060].map((tag) =>
      [tag, "PN", `${token()}^${token()}`] as const
    ),
    ...[0x00080050, 0x00081010, 0x00200010, 0x0018700a, 0x00102160].map((tag) => [tag, "SH", token()] as const),
    ...[0x00082111, 0x00101040, 0x001021b0, 0x00104000, 0x00187006, 0x00187062, 0x00204000, 0x00324000].map((tag) =>
      [tag, "LT", token()] as const
    ),
    ...[0x00080014, 0x00080018, 0x0020000d, 0x0020000e, 0x00200052, 0x00081155].map((tag) =>
      [tag, "UI", `2.25.${token("number")}`] as const
    ),
    [0x00100020, "LO", token()],
    [0x00100021, "LO", token()],
    [0x00080005, "CS", "ISO_IR 192"],
    [0x00102154, "SH", `+49 ${token("number")}`],
    [0x00102297, "PN", `Müller-${token()}=${token()}=楠本${token()}`],
  ];
  return [
    ...text,
    ...inEachRepresentation(0x0009),
    ...inEachRepresentation(0x0029),
    ...inEachRepresentation(0x0045),
    [0x00090010, "LO", token()],
    nested(0x00081140, 3),
    nested(0x00400275, 3),
    nested(0x00091101, 3),
    nested(0x00101002, 3),
    [0x00880200, "SQ", { items: [[[0x7fe00010, "OB", bytes(token())]]] }],
    [0x50003000, "OW", bytes(token())],
    [0x60000022, "LO", token()],
    [0x60003000, "OW", bytes(token())],
    [0x60024000, "LT", token()],
    [0x04000500, "SQ", { items: [[[0x04000520, "OB", bytes(token())]]] }],
    [0x00540220, "SQ", {
      items: [[[0x00080100, "SH", "R-10226"], [0x00080104, "LO", token()], [0x00081199, "LO", token()]]],
    }],
    [0x00283010, "SQ", {
      items: [[[0x00283002, "US", [2, 0, 8]], [0x00283003, "LO", token()], [0x00283006, "OW", [0, 255]]]],
    }],
    [0x00281055, "LO", `${token()}\\${token()}`],
    [0x00281050, "DS", "5\\6"],
    [0x00281051, "DS", "7\\8"],
  ];
}

/** Everything that a program passes on, and everything that it may print when it fails. */
function everythingSaid(value: unknown): string {
  if (value instanceof Error) return [value.message, value.stack, everythingSaid(value.cause)].join("\n");
  return JSON.stringify(value, (_, each) => ArrayBuffer.isView(each) ? undefined : each) ?? "";
}

const formsOf = new Map<string, readonly string[]>();

/** A word as text, UTF-16, base64, hex, and its hashes without a salt, which anybody could find by trying. */
function formsIn(word: string): readonly string[] {
  const utf8 = new TextEncoder().encode(word);
  const hashes = ["md5", "sha1", "sha256"].map((name) => createHash(name).update(word).digest("hex").slice(0, 16));
  const forms = [word, [...word].join("\u0000"), utf8.toBase64().slice(0, 12), utf8.toHex(), ...hashes];
  return forms.map((form) => form.toLowerCase());
}

function assertSilent(said: string): void {
  const text = said.toLowerCase();
  for (const word of planted) {
    const forms = formsOf.get(word) ?? formsIn(word);
    formsOf.set(word, forms);
    for (const form of forms) assert(!text.includes(form), `${word} is passed on as ${form}`);
  }
}

const salt = new TextEncoder().encode("a secret");
const cells = Array.from({ length: 12 }, (_, i) => i * 300 + (random.integer(16) << 12)); // an overlay above the stored bits

describe("identity that is planted in a file", () => {
  const preamble = bytes(`II*\u0000${token()}${token()}`);
  const meta: readonly Attribute[] = [
    [0x00020003, "UI", `2.25.${token("number")}`],
    [0x00020012, "UI", `2.25.${token("number")}`],
    [0x00020013, "SH", token()],
    [0x00020016, "AE", token()],
    [0x00020100, "UI", `2.25.${token("number")}`],
    [0x00020102, "OB", bytes(token())],
  ];
  const whole = dicomFile(picture(cells, { rows: 3, more: identity() }), { preamble, meta, tail: bytes(token()) });

  it("is not passed on by any reader: header, warnings, method, stored values", async () => {
    assertGreaterOrEqual(planted.length, 200);
    assert(new Set(planted).size === planted.length);
    const film = await readDicom(whole, { salt });
    assertSilent(
      everythingSaid([film, await dicomStatistics(whole, { salt })]),
    );
    assertEquals(film.header.view, "MLO");
    assertEquals(film.header.patient?.length, 16);
    assert(film.stored.data.every((value) => value < 4096));
    assert(film.warnings.some((warning) => warning.includes("preamble is not empty")));
    assert(film.warnings.some((warning) => warning.includes("follow the picture")));
  });

  it("is not in the sentence, the stack or the cause where the file is cut", async () => {
    for (let i = 1; i < 200; i++) {
      const cut = whole.subarray(0, Math.floor((whole.length * i) / 200));
      assertSilent(everythingSaid(await readDicom(cut, { salt }).catch((error) => error)));
    }
  });

  it("is not passed on where an attribute that is read holds it", async () => {
    const needed = new Set(["SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated"]);
    for (const [keyword, [tag, vr]] of Object.entries(attributes)) {
      if (tag < 0x00030000 || vr === "SQ" || vr === "US" || vr === "OW") continue;
      const number = vr === "DS" || vr === "IS" || vr === "UI";
      const value = number ? token("number") : token();
      const bytes = dicomFile(picture(cells, { more: [[tag, vr, value]] }));
      const result = await readDicom(bytes, { salt }).catch((error) => error);
      assertEquals(result instanceof Error, needed.has(keyword) || keyword === "NumberOfFrames", keyword);
      // A window and a rescale are numbers that say how the picture is shown; they are passed on by what they are for.
      if (!/Window|Rescale/.test(keyword)) assertSilent(everythingSaid(result));
    }
  });

  it("is not in the sentence about a color picture", async () => {
    const file = dicomFile(picture(cells, { more: [[0x00280004, "CS", token()]] }));
    assertSilent(everythingSaid(await assertRejects(() => readDicom(file), MammolabError)));
  });
});

describe("the search for planted words", () => {
  it("finds them as text, UTF-16, hex, base64 and as plain hashes", () => {
    const [word] = planted as [string];
    const utf8 = new TextEncoder().encode(word);
    const hash = createHash("sha256").update(word).digest("hex");
    for (const said of [word.toLowerCase(), [...word].join("\u0000"), utf8.toHex(), utf8.toBase64(), hash]) {
      assertThrows(() => assertSilent(`before ${said} after`));
    }
  });
});

describe("files that are something else at the same time", () => {
  const preambles = {
    "a Windows program": [0x4d, 0x5a],
    "a Linux program": [0x7f, 0x45, 0x4c, 0x46],
    "a TIFF picture": [0x49, 0x49, 0x2a, 0],
    "a script": [0x23, 0x21, 0x2f, 0x62],
  };
  for (const [what, head] of Object.entries(preambles)) {
    it(`are read as DICOM with a warning: ${what}`, async () => {
      const { warnings, stored } = await readDicom(dicomFile(picture([1, 2]), { preamble: Uint8Array.from(head) }));
      assertEquals([...stored.data], [1, 2]);
      assert(warnings.some((warning) => warning.includes("preamble is not empty")));
    });
  }
});
