import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { readDicom } from "../../lib/io/dicom/mod.ts";
import { trueSyntaxOf } from "../../lib/io/dicom/syntax.ts";
import { type Attribute, dicomFile, picture } from "./_dicom_file.ts";

/** The header of a film that has these attributes, and nothing where a tag is given an empty value. */
async function headerWith(...more: readonly Attribute[]) {
  return await readDicom(dicomFile(picture([0, 1], { more })), { salt: new TextEncoder().encode("salt") });
}

const code = (value: string, modifiers: readonly string[] = []): Attribute => [0x00540220, "SQ", {
  items: [[
    [0x00080100, "SH", value],
    [0x00540222, "SQ", { items: modifiers.map((each) => [[0x00080100, "SH", each]]) }],
  ]],
}];

describe("view and side", () => {
  const viewOf = async (...more: readonly Attribute[]): Promise<readonly (string | undefined)[]> => {
    const { header: { view, laterality } } = await headerWith(...more);
    return [laterality, view];
  };

  it("come from the code before the position, in all three codings (PS3.16 CID 4014)", async () => {
    const position: Attribute = [0x00185101, "CS", "CC"];
    const codes: Readonly<Record<string, readonly string[]>> = {
      CC: ["399162004", "R-10242"],
      MLO: ["399368009", "R-10226"],
      ML: ["399260004", "R-10224"],
      LM: ["399352003", "R-10228"],
      LMO: ["399099002", "R-10230"],
      FB: ["399196006", "R-10244"],
      SIO: ["399188001", "R-102D0"],
      ISO: ["441555000", "R-40AAA"],
      XCC: ["399265009"],
      XCCL: ["399192008", "R-1024A", "Y-X1770"],
      XCCM: ["399101009", "R-1024B", "Y-X1771"],
    };
    for (const [view, values] of Object.entries(codes)) {
      for (const value of values) assertEquals(await viewOf(position, code(value)), ["L", view]);
    }
    assertEquals(await viewOf(position, code("unknown")), ["L", "CC"]);
    assertEquals(await viewOf([0x00185101, "CS", ""]), ["L", undefined]);
  });

  it("are read from positions as they are met: lower case, with the side before, but LM and LMO are views", async () => {
    const side: Attribute = [0x00200062, "CS", ""];
    const position = (text: string) => viewOf(side, [0x00185101, "CS", text]);
    assertEquals(await position("mlo"), [undefined, "MLO"]);
    assertEquals(await position("RCC"), ["R", "CC"]);
    assertEquals(await position("LMLO"), ["L", "MLO"]);
    assertEquals(await position("L-CC"), ["L", "CC"]);
    assertEquals(await position("LM"), [undefined, "LM"]);
    assertEquals(await position("LMO"), [undefined, "LMO"]);
    assertEquals(await position("Smith"), [undefined, undefined]);
  });

  it("take Image Laterality first, then the frame's, then the series'", async () => {
    const image: Attribute = [0x00200062, "CS", "R"];
    const none: Attribute = [0x00200062, "CS", ""];
    const series: Attribute = [0x00200060, "CS", "L"];
    const frame: Attribute = [0x52009229, "SQ", {
      items: [[[0x00209071, "SQ", { items: [[[0x00209072, "CS", "R"]]] }]]],
    }];
    assertEquals((await viewOf(image, series))[0], "R");
    assertEquals((await viewOf(none, frame, series))[0], "R");
    assertEquals((await viewOf(none, series))[0], "L");
    const both = await headerWith([0x00200062, "CS", "B"]);
    assertEquals(both.header.laterality, undefined);
    assert(both.warnings.includes("Both breasts are in the picture"));
  });

  it("list the modifiers and warn of each (PS3.16 CID 4015)", async () => {
    const { header, warnings } = await headerWith(code("399162004", ["399209000", "R-102D6", "nonsense", "R-102D6"]));
    assertEquals(header.viewModifiers, ["implant displaced", "magnification"]);
    assert(warnings.includes("The view is modified: implant displaced"));
  });
});

describe("spacing", () => {
  const detector: Attribute = [0x00181164, "DS", "0.09\\0.08"];
  const calibrated: Attribute = [0x00280030, "DS", "0.05\\0.06"];
  const spacing = async (...more: readonly Attribute[]) => (await headerWith(...more)).header.spacing;

  it("is the detector's, rows first; the calibrated one only without it", async () => {
    assertEquals(await spacing(detector, calibrated), { row: 0.09, column: 0.08, basis: "detector" });
    assertEquals(await spacing(calibrated), { row: 0.05, column: 0.06, basis: "calibrated" });
    assertEquals(await spacing([0x00182010, "DS", "0.05\\0.05"]), { row: 0.05, column: 0.05, basis: "detector" });
    assertEquals(await spacing([0x00181050, "DS", ".05"]), { row: 0.05, column: 0.05, basis: "detector" });
    assertEquals(await spacing(), undefined);
  });

  it("is absent where the numbers cannot be", async () => {
    for (const text of ["0\\0", "-1\\-1", "x\\y", "1e9\\1e9", ""]) {
      assertEquals(await spacing([0x00181164, "DS", text]), undefined, text);
    }
  });

  it("is not divided by the magnification, which is told apart with a warning above 1.3", async () => {
    const { header, warnings } = await headerWith(detector, [0x00181114, "DS", "1.8"]);
    assertEquals([header.spacing?.row, header.magnification], [0.09, 1.8]);
    assert(warnings.some((warning) => warning.includes("magnified")));
    assertEquals((await headerWith([0x00181110, "DS", "660"], [0x00181111, "DS", "600"])).header.magnification, 1.1);
  });
});

describe("transfer syntax", () => {
  it("is not echoed where the standard does not know it: the number may be somebody's", async () => {
    const bytes = dicomFile(picture([0]), { syntax: "1.2.840.99999.19481224" });
    const error = await assertRejects(() => readDicom(bytes), MammolabError, "DICOM does not define");
    assert(!error.message.includes("19481224"));
  });

  it("is the one of the code stream where the declared one is of lossless coders and the stream lost something", () => {
    const root = "1.2.840.10008.1.2.4";
    const lossless = { "jpeg 2000": ["90"], "htj2k": ["201", "202"], "jpeg-ls": ["80"] } as const;
    const lossy = { "jpeg 2000": "91", "htj2k": "203", "jpeg-ls": "81" } as const;
    for (const kind of ["jpeg 2000", "htj2k", "jpeg-ls"] as const) {
      const [exact, changed] = [{ kind, reversible: true, near: 0 }, { kind, reversible: false, near: 2 }];
      for (const declared of [...lossless[kind], lossy[kind]].map((end) => `${root}.${end}`)) {
        assertEquals(trueSyntaxOf(exact, declared), declared); // lossy coders may lose nothing
        assertEquals(trueSyntaxOf(changed, declared), `${root}.${lossy[kind]}`);
      }
      assertEquals(trueSyntaxOf(exact, "1.2.840.10008.1.2.1"), `${root}.${lossless[kind][0]}`);
    }
  });
});

describe("facts of the patient and the exposure", () => {
  const ageOf = async (text: string) => (await headerWith([0x00101010, "AS", text])).header.age;

  it("hold the age in years, at most 89, and none that an anonymizer wrote", async () => {
    assertEquals(await ageOf("052Y"), 52);
    assertEquals(await ageOf("600M"), 50);
    assertEquals(await ageOf("097Y"), 89);
    for (const text of ["000Y", "", "52 years", "999Y", "Y"]) assertEquals(await ageOf(text), undefined, text);
  });

  it("hash the patient with the issuer and the salt, and know placeholders", async () => {
    const patientOf = async (...more: readonly Attribute[]) => (await headerWith(...more)).header.patient;
    const id: Attribute = [0x00100020, "LO", "A-17"];
    // HMAC-SHA-256 with the key "salt" over "A-17" and over "HospitalA-17": openssl dgst -sha256 -hmac salt
    const [plain, issued] = await Promise.all([hmac("A-17"), hmac("HospitalA-17")]);
    assertEquals(await patientOf(id), plain);
    assertEquals(await patientOf([0x00100020, "LO", " A-17  "]), plain);
    assertEquals(await patientOf(id, [0x00100021, "LO", "Hospital"]), issued);
    for (const text of ["", "0000000000", "ANONYMOUS", "xxxx", "Anonymized", "UNKNOWN"]) {
      assertEquals(await patientOf([0x00100020, "LO", text]), undefined, text);
    }
    const unsalted = await readDicom(dicomFile(picture([0], { more: [id] })));
    assertEquals(unsalted.header.patient, undefined);
  });

  it("drop numbers out of range and words that are in no list", async () => {
    const { header } = await headerWith(
      [0x00180060, "DS", "29"],
      [0x001811a0, "DS", "19481224"],
      [0x00181191, "CS", "RHODIUM"],
      [0x00187050, "CS", "SMITH"],
      [0x00080070, "LO", "GE MEDICAL SYSTEMS of Dr. Smith"],
      [0x00080008, "CS", "DERIVED\\PRIMARY\\SMITH"],
      [0x00100040, "CS", "SMITH"],
      [0x00200020, "CS", "P\\FL"],
    );
    assertEquals(header.exposure, { kilovolts: 29, anode: "RHODIUM" });
    assertEquals([header.vendor, header.imageType, header.sex], ["GE", ["DERIVED", "PRIMARY", "OTHER"], undefined]);
    assertEquals(header.orientation, ["P", "FL"]);
  });
});

describe("warnings", () => {
  const says = async (part: string, ...more: readonly Attribute[]) => {
    const { warnings } = await headerWith(...more);
    assert(warnings.some((warning) => warning.includes(part)), `${part}: ${warnings.join("; ")}`);
  };

  it("are none for a plain mammogram", async () => {
    assertEquals((await headerWith([0x00280301, "CS", "NO"])).warnings, []);
  });

  it("tell what is no mammogram, and what is one under another name", async () => {
    const object: Attribute = [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2"];
    const modality: Attribute = [0x00080060, "CS", "CT"];
    await says("This is no mammogram: its modality is CT", object, modality);
    await says("The modality is CT and not MG, but", object, modality, code("399368009"));
    await says("The modality is CT and not MG, but", object, modality, [0x00180015, "CS", "BREAST"]);
  });

  it("tell what a network was not trained on", async () => {
    await says("FOR PROCESSING", [0x00080068, "CS", "FOR PROCESSING"]);
    await says("FOR PROCESSING", [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.1.2.1"]);
    await says("implant", [0x00281300, "CS", "YES"]);
    await says("a part of the breast", [0x00281350, "CS", "YES"]);
    await says("stereotactic", [0x00080008, "CS", "ORIGINAL\\PRIMARY\\STEREO"]);
    await says("computed from tomosynthesis", [0x00080008, "CS", "DERIVED\\PRIMARY\\TOMO\\GENERATED_2D"]);
    await says("contrast mammography", [0x00080008, "CS", "DERIVED\\PRIMARY\\\\RECOMBINED"]);
    await says("quality control", [0x00280300, "CS", "YES"]);
    await says("specimen", code("127457009"));
    await says("does not say which breast", [0x00200062, "CS", ""]);
    await says("does not say its view", [0x00185101, "CS", ""]);
  });

  it("tell that text may be burned in where a file says so, or where captures do not deny it", async () => {
    await says("the file says so", [0x00280301, "CS", "YES"]);
    await says("does not say that there is none", [0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"]);
  });
});

async function hmac(text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode("salt"), algorithm, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return signature.toHex().slice(0, 16);
}
