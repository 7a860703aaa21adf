import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "node:path";
import { MammolabError } from "mammolab/base";
import { countKinds, countRecords, type FilmRecord, type Lesion, loadMiniMias } from "mammolab/datasets";
import { realData, withFiles } from "./_files.ts";

const info = [
  "1st column: MIAS database reference number.",
  "mdb001 G CIRC B 535 425 197",
  "mdb002 F NORM ",
  "mdb003 D MISC B 233 994 29",
  "mdb003 D MISC M 313 540 27",
  "mdb004 D CALC M *NOTE 3*",
  "mdb005 F CIRC B",
  "",
].join("\n");

describe("loadMiniMias()", () => {
  it("measures y from the top, joins the lesions of a film and calls odd films left", async () => {
    await withFiles({
      "Info.txt": info,
      "mdb001.pgm": "",
      "png/mdb002.png": "",
      "mdb003.pgm": "",
      "png/mdb003.png": "",
    }, async (
      folder,
    ) => {
      const { records } = await loadMiniMias(folder);
      assertEquals(
        records.map(({ id, patient, laterality, labels }) => [id, patient, laterality, labels.image?.value]),
        [
          ["mdb001", "1", "L", "benign"],
          ["mdb002", "1", "R", "normal"],
          ["mdb003", "2", "L", "malignant"],
          ["mdb004", "2", "R", "malignant"],
          ["mdb005", "3", "L", "benign"],
        ],
      );
      assertEquals(records[0]!.lesions[0]!.region, { kind: "circle", x: 535, y: 599, radius: 197 });
      assertEquals(records[2]!.lesions.map(({ pathology }) => pathology), ["benign", "malignant"]);
      assertEquals(records.slice(0, 3).map(({ file }) => file.slice(folder.length + 1)), [
        "mdb001.pgm",
        "png/mdb002.png",
        "mdb003.pgm",
      ]);
    });
  });

  it("tells of lesions without a place, of mixed films and of missing files", async () => {
    await withFiles(
      { "Info.txt": info.replaceAll("\n", "\r\n"), "mdb001.PGM": "", "mdb002.pgm": "" },
      async (folder) => {
        const { records, oddities } = await loadMiniMias(folder);
        assertEquals(countKinds(oddities), {
          "benign and malignant on one film": 1,
          "file missing": 3,
          "lesion without region": 2,
          "source contradicts itself": 1,
        });
        assertEquals(records[3]!.oddities, [
          "the source names a lesion (calcification) but not where it is",
          "the file is not there",
        ]);
      },
    );
  });

  it("finds Info.txt above a folder of PNG copies", async () => {
    await withFiles({ "Info.txt": info, "png/mdb001.png": "" }, async (folder) => {
      const { records } = await loadMiniMias(join(folder, "png"));
      assertEquals(basename(records[0]!.file), "mdb001.png");
    });
  });

  it("refuses a folder without Info.txt and a row that it does not understand", async () => {
    await withFiles({ "mdb001.pgm": "" }, async (folder) => {
      await assertRejects(() => loadMiniMias(folder), MammolabError, "it has no Info.txt");
    });
    await withFiles({ "Info.txt": "mdb001 G CIRC X 1 2 3\n" }, async (folder) => {
      await assertRejects(() => loadMiniMias(folder), MammolabError, "line 1 is not");
    });
  });

  const [folder, oracle] = [realData("mini-mias"), realData("tables/mias/mini-mias-expected.jsonl")];
  const real = folder && oracle ? it : it.skip;

  real("gives each of the 322 published films as the independent table of expected records has it", async () => {
    const { records } = await loadMiniMias(folder!);
    const expected = (await Deno.readTextFile(oracle!)).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(records.length, 322);
    for (const [index, record] of records.entries()) assertEquals(asExpected(record), expected[index]);
    for (const { file } of records) assert((await Deno.stat(file)).isFile);
  });

  real("counts films, patients and labels as counts.json does", async () => {
    const { records } = await loadMiniMias(folder!);
    const { "mini-mias": counts } = JSON.parse(await Deno.readTextFile(realData("tables/counts.json")!));
    const { label, ...rest } = countRecords(records);
    assertEquals(label, {
      benign: counts["films by label (worst)"].B,
      malignant: counts["films by label (worst)"].M,
      normal: counts["films by label (worst)"].N,
    });
    assertEquals(rest, {
      records: counts.films,
      patients: counts.patients,
      recordsWithoutPatient: 0,
      lesions: counts["lesion rows by severity"].B + counts["lesion rows by severity"].M,
      view: { MLO: 322 },
      laterality: { L: 161, R: 161 },
      split: { unknown: 322 },
    });
  });
});

/** The expected table's words for a record; the original file name is kept out, since nothing but its letter is used. */
function asExpected(record: FilmRecord): unknown {
  const { id, patient, laterality, mirrored, view, density, labels, lesions } = record;
  const letter = laterality === "L" ? "l" : "r";
  return {
    file: `${id}.pgm`,
    original: originals.get(id)!.replace(/[lr](?=.$)/, letter),
    patient: Number(patient),
    laterality,
    mirrored,
    chestWallAt: (laterality === "L") === mirrored ? "right" : "left",
    view,
    tissue: density,
    label: labels.image!.value,
    lesions: lesions.map(({ stated, region }: Lesion) => ({
      class: stated!.class,
      severity: stated!.severity,
      ...(region?.kind === "circle" ? { x: region.x, yTop: region.y, radius: region.radius } : {}),
    })),
    odd: record.oddities.map((sentence) => odd[sentence.replace(/\(.*?\) ?/, "")]),
  };
}

const odd: Readonly<Record<string, string>> = {
  "the source names a lesion but not where it is": "lesion without circle",
  "the film has a benign and a malignant lesion; its label is the worse one": "benign and malignant on one film",
  "the circle of a lesion lies beside the breast; cut no patches":
    "circle in the background; the original MIAS gives none",
};

/** Names in the original MIAS, from its own table: the side letter is the fifth from `mdb`. */
const originals = new Map<string, string>();
const original = realData("tables/mias/mias-v1.21-table.txt");
if (original) {
  for (const [name] of (await Deno.readTextFile(original)).matchAll(/^mdb\d{3}[lr][smlx]/gm)) {
    originals.set(name.slice(0, 6), name);
  }
}
