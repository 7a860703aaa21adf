import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { type CbisDdsmRule, countBy, countKinds, countRecords, type FilmRecord, loadCbisDdsm } from "mammolab/datasets";
import { realData, withFiles } from "./_files.ts";

const heading = {
  mass:
    "patient_id,breast_density,left or right breast,image view,abnormality id,abnormality type,mass shape,mass margins,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path",
  calc:
    "patient_id,breast density,left or right breast,image view,abnormality id,abnormality type,calc type,calc distribution,assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path",
};
const massRow = (film: string, n: number, words: string, crop = "s/1") =>
  `${
    film.replace(/^.*?_(P_\d+)_.*$/, "$1")
  },3,LEFT,CC,${n},mass,${words},${film}/a/b/000000.dcm,${film}_${n}/${crop}/000000.dcm,"${film}_${n}/s/1/000001.dcm\n"`;

const tables = {
  "mass_case_description_train_set.csv": [
    heading.mass,
    massRow("Mass-Training_P_00001_LEFT_CC", 1, "IRREGULAR,SPICULATED,4,MALIGNANT,4"),
    massRow("Mass-Training_P_00001_LEFT_CC", 2, "OVAL,N/A,3,BENIGN_WITHOUT_CALLBACK,0", "s/2"),
    massRow("Mass-Training_P_00002_LEFT_CC", 1, "OVAL,CIRCUMSCRIBED,2,BENIGN_WITHOUT_CALLBACK,5").replaceAll("/", "\\")
      .replace("N\\A", "N/A"),
    "",
  ].join("\r\n"),
  "calc_case_description_test_set.csv": [
    heading.calc,
    `P_00001,0,LEFT,CC,1,calcification,PUNCTATE,N/A,0,BENIGN,4,Calc-Test_P_00001_LEFT_CC/a/b/000000.dcm,"Calc-Test_P_00001_LEFT_CC_1/s/1/000001.dcm\n",Calc-Test_P_00001_LEFT_CC_1/s/1/000000.dcm`,
    "",
  ].join("\r\n"),
};

describe("loadCbisDdsm()", () => {
  it("makes one record of the lesions of a film, by patient, with the publisher's side", async () => {
    const { records } = await withFiles(tables, (folder) => loadCbisDdsm(folder));
    assertEquals(
      records.map((
        { id, patient, laterality, view, split, lesions },
      ) => [id, patient, laterality, view, split, lesions.length]),
      [
        ["Calc-Test_P_00001_LEFT_CC", "P_00001", "L", "CC", "test", 1],
        ["Mass-Training_P_00001_LEFT_CC", "P_00001", "L", "CC", "training", 2],
        ["Mass-Training_P_00002_LEFT_CC", "P_00002", "L", "CC", "training", 1],
      ],
    );
    assertEquals(records[1]!.lesions[1], {
      kind: "mass",
      pathology: "benign",
      assessment: "3",
      stated: { pathology: "BENIGN_WITHOUT_CALLBACK", assessment: "3", subtlety: "0", "mass shape": "OVAL" },
      pictures: ["Mass-Training_P_00001_LEFT_CC_2/s/2/000000.dcm", "Mass-Training_P_00001_LEFT_CC_2/s/1/000001.dcm"],
    });
  });

  it("labels by the rule that was asked for and says which", async () => {
    const labels = async (rule: CbisDdsmRule) => {
      const { records } = await withFiles(tables, (folder) => loadCbisDdsm(folder, { rule }));
      return records.map(({ labels }) => labels.image?.value);
    };
    assertEquals(await labels("pathology"), ["benign", "malignant", "benign"]);
    assertEquals(await labels("pathology in three classes"), ["benign", "malignant", "benign without callback"]);
    assertEquals(await labels("pathology of biopsied lesions"), ["benign", "malignant", undefined]);
    assertEquals(await labels("assessment"), [undefined, "suspicious", "not suspicious"]);
  });

  it("tells what is strange: films under two ids, unordered crops, values outside their scales", async () => {
    const { records, oddities } = await withFiles(tables, (folder) => loadCbisDdsm(folder));
    assertEquals(countKinds(oddities), {
      "benign and malignant on one film": 1,
      "crop and mask in two folders": 1,
      "film under two ids": 1,
      "value outside its scale": 2,
    });
    assertEquals(records[0]!.density, undefined);
  });

  it("refuses a folder without tables and a table that lacks a column", async () => {
    await withFiles({ "a.csv": "" }, async (folder) => {
      await assertRejects(() => loadCbisDdsm(folder), MammolabError, "none of its tables");
    });
    await withFiles({ "mass_case_description_test_set.csv": "patient_id,pathology\nP_1,BENIGN\n" }, async (folder) => {
      await assertRejects(() => loadCbisDdsm(folder), MammolabError, 'no column "left or right breast"');
    });
  });

  const folder = realData("tables/cbis-ddsm");
  const real = folder ? it : it.skip;

  real("counts the four published tables as counts.json does", async () => {
    const { "cbis-ddsm": expected } = JSON.parse(await Deno.readTextFile(realData("tables/counts.json")!));
    const { records, oddities } = await loadCbisDdsm(folder!, { rule: "pathology in three classes" });
    for (const kind of ["mass", "calc"]) {
      for (const side of ["train", "test"] as const) {
        const prefix = `${kind === "mass" ? "Mass" : "Calc"}-${side === "train" ? "Training" : "Test"}_`;
        const part = records.filter(({ id }) => id.startsWith(prefix));
        assertEquals(countsOf(part), pick(expected[`${kind} ${side}`], Object.keys(countsOf(part))), `${kind} ${side}`);
      }
    }
    const { pooled } = expected;
    const counts = countRecords(records);
    assertEquals([counts.records, counts.patients, counts.lesions], [
      pooled.images,
      pooled.patients,
      pooled["lesion rows"],
    ]);
    assertEquals(countKinds(oddities), {
      "benign and malignant on one film": 17,
      "crop and mask in two folders": 104,
      "film under two ids": pooled["films present in mass and in calc (patient, side, view)"],
      "patient with several densities": pooled["patients with several densities"],
      "value outside its scale": 4,
    });
  });
});

function countsOf(records: readonly FilmRecord[]) {
  const rows = records.flatMap(({ lesions }) => lesions);
  const upper = (counts: Record<string, number>) =>
    Object.fromEntries(Object.entries(counts).map(([name, n]) => [name.toUpperCase().replaceAll(" ", "_"), n]));
  return {
    "lesion rows": rows.length,
    "patients": new Set(records.map(({ patient }) => patient)).size,
    "images": records.length,
    "breasts": new Set(records.map(({ patient, laterality }) => `${patient} ${laterality}`)).size,
    "pathology of rows": countBy(rows, ({ stated }) => stated!.pathology),
    "pathology of images (worst lesion)": upper(countBy(records, ({ labels }) => labels.image!.value)),
    "assessment of rows": countBy(rows, ({ assessment }) => assessment),
    "subtlety of rows": countBy(rows, ({ stated }) => stated!.subtlety),
    "images with several lesions": records.filter(({ lesions }) => lesions.length > 1).length,
  };
}

function pick(record: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, record[name]]));
}
