import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { decodingPool, encodePng, inspectFile, loadMammogram } from "mammolab/io";
import { dicomFile, picture } from "./_dicom_file.ts";

const salt = new Uint8Array(32).fill(7);
const film = Uint16Array.of(0, 1024, 2048, 4095, 100, 7);
const png = encodePng(film, { height: 2, width: 3 });
const dicom = dicomFile(picture([0, 1024, 2048, 4095], {
  rows: 2,
  more: [[0x00100020, "LO", "MRN-4711"], [0x00101010, "AS", "061Y"], [0x00181164, "DS", "0.1\\0.1"]],
}));

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refusal(input: string | Uint8Array, options: Parameters<typeof loadMammogram>[1] = {}): Promise<string> {
  const { message } = await assertRejects(() => loadMammogram(input, { salt, ...options }), MammolabError) as Error;
  assert(/^Cannot read [^\n]+: [^\n]+; [^\n]+[^.]$/.test(message), `one sentence with a remedy: ${message}`);
  return message;
}

describe("loadMammogram()", () => {
  it("loads a file and bytes alike, in a process of its own or in this one", () =>
    inFolder(async (folder) => {
      const path = `${folder}/7_L-CC.png`;
      await Deno.writeFile(path, png);
      const loaded = await loadMammogram(path, { salt });
      assertEquals([loaded.image.width, loaded.image.height, loaded.image.channels], [3, 2, 1]);
      assertEquals(loaded.image.data, Float32Array.from(film, (value) => value / 4095));
      assertEquals(loaded.source, { file: path, format: "png", frame: 0 });
      const others = [
        await loadMammogram(path, { salt, trusted: true }),
        await loadMammogram(png, { salt, name: path }),
        await loadMammogram(png, { salt, name: path, trusted: true }),
      ];
      for (const other of others) assertEquals(other, loaded);
    }));

  it("tells the format by the bytes, not by the name", () =>
    inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/film.dcm`, png);
      assertEquals((await loadMammogram(`${folder}/film.dcm`, { salt })).source.format, "png");
      await Deno.writeFile(`${folder}/film.png`, dicom);
      assertEquals((await loadMammogram(`${folder}/film.png`, { salt })).source.format, "dicom");
    }));

  it("shows a 16-bit picture without a value above 4095 over 12 bits and says so, any other over all its bits", async () => {
    const narrow = await loadMammogram(png, { salt });
    assertEquals(narrow.display.method, "0..4095");
    assertStringIncludes(narrow.warnings.join(), "No value is above 4095");
    const wide = await loadMammogram(encodePng(Uint16Array.of(0, 4096), { height: 1, width: 2 }), { salt });
    assertEquals(wide.display.method, "0..65535");
    assertAlmostEquals(wide.image.data[1] as number, 4096 / 65535, 1e-7);
    assertEquals(wide.warnings, []);
    const named = await loadMammogram(new TextEncoder().encode("P2 2 1 1000 0 500"), { salt });
    assertEquals([named.display.method, named.image.data[1]], ["0..1000", 0.5]);
  });

  it("takes side, view, patient, age and spacing from a DICOM header, and the patient as a salted code", async () => {
    const { image, laterality, view, age, spacing, patient, patientFrom } = await loadMammogram(dicom, {
      salt,
      name: "R-MLO.dcm",
    });
    assertEquals([image.width, image.height], [2, 2]);
    assertEquals([laterality, view, age, patientFrom], ["L", "CC", 61, "PatientID"]);
    assertEquals(spacing, { row: 0.1, column: 0.1, basis: "detector" });
    assert(/^[0-9a-f]{16}$/.test(patient ?? ""));
    const other = await loadMammogram(dicom, { salt: new Uint8Array(32).fill(8) });
    assert(other.patient !== patient, "another salt, another code");
  });

  it("takes side, view and patient from the name where there is no header", async () => {
    const one = await loadMammogram(png, { salt, name: "P12_R_MLO.png" });
    assertEquals([one.laterality, one.view, one.patientFrom], ["R", "MLO", "file name"]);
    assert(/^[0-9a-f]{16}$/.test(one.patient ?? ""), "a code: the name may be a person's");
    const same = await loadMammogram(png, { salt, name: "elsewhere/P12_L_CC.png" });
    assertEquals(same.patient, one.patient);
    const none = await loadMammogram(png, { salt, name: "film.png" });
    assertEquals([none.laterality, none.view, none.patient, none.patientFrom], [
      undefined,
      undefined,
      undefined,
      "unknown",
    ]);
  });

  it("says when a DICOM file leaves side or view to its name", async () => {
    const silent = dicomFile(picture([1, 2], { more: [[0x00200062, "CS", ""], [0x00185101, "CS", ""]] }));
    const { laterality, view, warnings } = await loadMammogram(silent, { salt, name: "3_R-MLO.dcm" });
    assertEquals([laterality, view], ["R", "MLO"]);
    assert(warnings.includes("Read from the file's name: side and view"), warnings.join());
  });

  it("takes the user's spacing for the truth, and refuses one that is none", async () => {
    const { spacing } = await loadMammogram(dicom, { salt, spacing: { row: 0.05, column: 0.07 } });
    assertEquals(spacing, { row: 0.05, column: 0.07, basis: "user" });
    for (const wrong of [0, -1, NaN, Infinity]) {
      await assertRejects(
        () => loadMammogram(dicom, { salt, spacing: { row: 1, column: wrong } }),
        MammolabError,
        "Cannot use a pixel spacing",
      );
    }
  });

  it("takes the middle frame of many with a warning, or the one that is named", async () => {
    const cells = Array.from({ length: 10 }, (_, i) => 100 * i);
    const many = dicomFile(picture(cells, { more: [[0x00280008, "IS", "5"], [0x00280011, "US", [2]]] }));
    const middle = await loadMammogram(many, { salt });
    assertEquals(middle.source.frame, 2);
    assertStringIncludes(middle.warnings.join(), "Frame 2 of 5");
    const last = await loadMammogram(many, { salt, frame: 4 });
    assertEquals([last.source.frame, last.image.data[1]], [4, Math.fround(900 / 4095)]);
    assertStringIncludes(await refusal(many, { frame: 5 }), "it has no frame 5");
    assertStringIncludes(await refusal(png, { frame: 1, name: "a.png" }), "Cannot read a.png: it has no frame 1");
  });

  it("says that a window was not used where only DICOM files have one", async () => {
    assertStringIncludes((await loadMammogram(png, { salt, voi: 1 })).warnings.join(), "window was not used");
  });

  it("writes its pixels into an array that is given, where there is room, and the same ones", async () => {
    const png = encodePng(Uint16Array.from({ length: 12 }, (_, k) => 300 * k), { height: 3, width: 4 });
    const grey = encodePng(Uint8Array.of(0, 51, 255), { height: 1, width: 3 });
    for (const film of [png, grey, dicom]) {
      const own = (await loadMammogram(film, { trusted: true })).image;
      const room = new Float32Array(own.data.length + 5).fill(9);
      const { image } = await loadMammogram(film, { trusted: true, into: room });
      assertEquals([image.data.buffer, image.data], [room.buffer, own.data]);
      assert(room.subarray(own.data.length).every((value) => value === 9));
      const small = await loadMammogram(film, { trusted: true, into: room.subarray(0, 2) });
      assertEquals(small.image.data, own.data);
    }
  });

  it("stops for its signal", async () => {
    await assertRejects(
      () => loadMammogram(png, { salt, signal: AbortSignal.abort(new Error("stopped")) }),
      Error,
      "stopped",
    );
  });
});

describe("loadMammogram(), given what is no film,", () => {
  it("names the missing file, the folder and the empty file", () =>
    inFolder(async (folder) => {
      assertEquals(
        await refusal(`${folder}/missing.dcm`),
        `Cannot read ${folder}/missing.dcm: there is no such file; check the path`,
      );
      assertStringIncludes(await refusal(folder), `Cannot read ${folder}: it is a folder; `);
      await Deno.writeFile(`${folder}/empty.dcm`, new Uint8Array(0));
      assertStringIncludes(await refusal(`${folder}/empty.dcm`), "it is empty; ");
      assertStringIncludes(await refusal(`${folder}/empty.dcm/a.dcm`), "a part of its path is a file");
      assertStringIncludes(await refusal(new Uint8Array(0)), "Cannot read the given bytes: it is empty; ");
      const buffer = new ArrayBuffer(8) as unknown as Uint8Array; // of a download: no type checker sees it in a notebook
      assertStringIncludes(await refusal(buffer), "Cannot read the given bytes: it is neither a path nor bytes; ");
    }));

  it("does not wait for a pipe", () =>
    inFolder(async (folder) => {
      if (Deno.build.os === "windows") return;
      await makePipe(`${folder}/pipe.dcm`);
      const start = performance.now();
      assertStringIncludes(await refusal(`${folder}/pipe.dcm`), "it is a pipe or a device");
      assertStringIncludes(await refusal("/dev/zero"), "it is a pipe or a device");
      assertLess(performance.now() - start, 5_000);
    }));

  it("says what another kind of file is", async () => {
    const kinds = {
      "it is text, not a picture": "This is not a DICOM file.\n",
      "it is a TIFF, which cannot be read yet": "II*\0\x08\0\0\0",
      "it is a zip archive": "PK\x03\x04",
      "it is a gzip archive": "\x1f\x8b\x08",
      "it is a GIF": "GIF89a",
      "it is a PDF": "%PDF-1.7",
      "it is no DICOM, PNG, PGM or JPEG file": "\0\0\0\0\x01\x02",
      "it says that its maximum is 99999": "P5 2 2 99999 abcd",
      "it is a color picture": "P6 1 1 255 abc",
    };
    for (const [sentence, text] of Object.entries(kinds)) {
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      assertStringIncludes(await refusal(bytes, { name: "film.dcm" }), `Cannot read film.dcm: ${sentence}`);
    }
  });

  it("refuses a color PNG by name, row and column", async () => {
    const rgb = encodePng(Uint8Array.of(5, 5, 5, 1, 2, 3), { height: 1, width: 2, channels: 3 });
    const sentence = "Cannot read skin.png: it is a color picture (row 0, column 1 is not grey); ";
    assertStringIncludes(await refusal(rgb, { name: "skin.png" }), sentence);
  });

  it("keeps to the limits that are given", () =>
    inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/a.png`, png);
      const bytes = await refusal(`${folder}/a.png`, { limits: { maxFileBytes: 10 } });
      assertStringIncludes(
        bytes,
        `it has ${png.length} bytes, the limit is 10; leave it out, or read it in a script of your own with larger limits.maxFileBytes`,
      );
      assertStringIncludes(
        await refusal(png, { limits: { maxPixels: 5 } }),
        "it says that it has 3 × 2 pixels, the limit is 5; ",
      );
      assertStringIncludes(
        await refusal(dicom, { limits: { maxPixels: 3 } }),
        "it says that it has 2 × 2 pixels, the limit is 3; ",
      );
      assertStringIncludes(await refusal(png, { limits: { maxPixels: NaN } }), "the limit maxPixels of NaN: ");
      const none = { maxPixels: Infinity, maxFileBytes: Infinity, deadlineMs: Infinity };
      assertEquals((await loadMammogram(png, { limits: none })).image.width, 3);
    }));

  it("needs no right but to read the file and to start deno, and says which one is missing", () =>
    inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/a.png`, png);
      const script = new URL("./_load_here.ts", import.meta.url).href;
      const say = async (...flags: string[]) => {
        const args = ["run", "-q", "--no-prompt", ...flags, script, `${folder}/a.png`];
        const { stdout } = await new Deno.Command("deno", { args, stderr: "null" }).output();
        return new TextDecoder().decode(stdout).trim();
      };
      assertEquals(await say("--allow-read", "--allow-run=deno"), "3 × 2");
      assertStringIncludes(
        await say("--allow-read"),
        "Cannot start a decoding process: this script may not run deno; ",
      );
      assertStringIncludes(
        await say("--allow-read=/nowhere"),
        `Cannot read ${folder}/a.png: this script may not read it; `,
      );
    }));
});

describe("decodingPool()", () => {
  it("is late with a hostile file only until its deadline, and ready for the next one", async () => {
    await using pool = decodingPool({ size: 1 });
    await loadMammogram(png, { salt, pool });
    // 8,000 × 8,000 pixels take longer to read than 20 ms.
    const large = encodePng(new Uint8Array(64e6), { height: 8_000, width: 8_000 });
    const start = performance.now();
    const message = await refusal(large, { pool, name: "a.png", limits: { deadlineMs: 20 } });
    assertStringIncludes(message, "Cannot read a.png: it took longer than 0.02 s and was stopped");
    assertLess(performance.now() - start, 5_000);
    assertEquals((await loadMammogram(png, { salt, pool })).image.width, 3);
  });
});

describe("inspectFile()", () => {
  it("gives the figures of stored and display values; what the file does not say is null", () =>
    inFolder(async (folder) => {
      const path = `${folder}/film.png`;
      await Deno.writeFile(path, png);
      const record = await inspectFile(path, { probes: true });
      const mean = film.reduce((sum, value) => sum + value, 0) / film.length;
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", film));
      const { stored: { probes, ...stored }, ...rest } = record;
      assertEquals(stored, { min: 0, max: 4095, mean, sha256: digest.toHex() });
      assertEquals(probes?.length, 25);
      assertEquals(probes?.at(-1), [0, 1, 2, 7]);
      assertEquals(rest, {
        file: path,
        format: "png",
        transferSyntax: null,
        rows: 2,
        columns: 3,
        frames: 1,
        bitsStored: 16,
        signed: false,
        photometric: null,
        view: null,
        laterality: null,
        spacing: null,
        display: { min: 0, max: 1, mean: mean / 4095, method: "0..4095" },
        warnings: ["No value is above 4095: shown over 0..4095, not over all 16 bits"],
      });
    }));

  it("lets nothing pass that identifies a person", () =>
    inFolder(async (folder) => {
      const path = `${folder}/film.dcm`;
      await Deno.writeFile(path, dicom);
      const record = await inspectFile(path);
      assertEquals([record.view, record.laterality, record.photometric], ["CC", "L", "MONOCHROME2"]);
      assertEquals(JSON.stringify(record).includes("4711"), false);
      assertEquals(record.dicom?.patient, undefined);
    }));
});

async function makePipe(path: string): Promise<void> {
  const script = new URL("../_processes.ts", import.meta.url).href;
  const { success } = await new Deno.Command("deno", { args: ["run", "-q", "-A", "--no-lock", script, "pipe", path] })
    .output();
  assert(success);
}
