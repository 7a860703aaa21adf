import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { MammolabError } from "mammolab/base";
import {
  checkDataset,
  countKinds,
  type Dataset,
  datasetOf,
  type FilmRecord,
  loadCbisDdsm,
  loadFolder,
  loadMiniMias,
  sentenceOfLeak,
  sentenceOfOddity,
  split,
} from "mammolab/datasets";
import { imageOf } from "mammolab/image";
import { copiesByBytes } from "../../lib/datasets/duplicates.ts";
import { turn } from "../../lib/datasets/_fingerprint.ts";
import { realData, withFiles } from "./_files.ts";
import { film } from "./_records.ts";

const dataset = (records: readonly FilmRecord[]): Dataset => datasetOf("made up", records, []);

/** Checks without looking for files: what the records alone tell. */
async function leaksOf(records: readonly FilmRecord[]) {
  return (await checkDataset(dataset(records), { readFiles: false })).leaks;
}

/** A published mini-MIAS film, whose layout is a header of 17 bytes and 1024 × 1024 bytes. */
async function readPgm(file: string) {
  const bytes = (await Deno.readFile(file)).subarray(17);
  return imageOf(Float32Array.from(bytes, (value) => value / 255), { height: 1024, width: 1024 });
}

describe("checkDataset()", () => {
  it("finds patients and views on several sides of a published split", async () => {
    const view = { laterality: "L", view: "CC" } as const;
    const records = [
      film("a", { patient: "1", split: "training", ...view }),
      film("b", { patient: "1", split: "test", ...view }),
      film("c", { patient: "2", split: "training", ...view }),
      film("d", { patient: "3", split: "test", ...view }),
      film("e", { patient: "2", split: "validation", laterality: "R", view: "CC" }),
    ];
    assertEquals(await leaksOf(records), [
      { kind: "patient on several sides", patient: "1", sides: ["training", "test"], records: ["a", "b"] },
      { kind: "patient on several sides", patient: "2", sides: ["training", "validation"], records: ["c", "e"] },
      { kind: "film on several sides", film: "1 L CC", sides: ["training", "test"], records: ["a", "b"] },
    ]);
  });

  it("checks the sides of a given split in place of the publisher's", async () => {
    const records = Array.from(
      { length: 20 },
      (_, i) => film(`${i}`, { patient: `${i >> 1}`, label: "x", split: i % 2 ? "test" : "training" }),
    );
    const holdOut = { test: 0.3 };
    const check = async (by: "patient" | "record") =>
      (await checkDataset(dataset(records), { readFiles: false, split: split(records, { by, seed: 1, holdOut }) }))
        .leaks.length;
    assertEquals(await check("patient"), 0);
    assert(await check("record") > 0);
    assertEquals((await leaksOf(records)).length, 10);
  });

  it("calls copies by name a leak where nothing says that they are of one patient, or where they are on several sides", async () => {
    const copies = (facts: Partial<FilmRecord>) =>
      [1, 2].map((n) => film(`7-${n}`, { file: `7 (${n}).png`, ...facts }));
    const unknown = await checkDataset(dataset(copies({})), { readFiles: false });
    assertEquals(unknown.leaks.map(sentenceOfLeak), [
      "7-1, 7-2 are copies of one film, as seen by their names; nothing says that they are of one patient",
    ]);
    const known = await checkDataset(dataset(copies({ patient: "P" })), { readFiles: false });
    assertEquals(known.leaks, []);
    assertEquals(known.oddities.map(sentenceOfOddity).slice(1), [
      "the names of 7-1, 7-2 speak of copies of one film ( (1),  (2)); keep them on one side of a split",
    ]);
  });

  it("finds equal files, whatever their names, and conflicting labels on them", async () => {
    await withFiles({ "a/1.png": "same", "b/2.png": "same", "b/3.png": "else", "b/4.png": "longer" }, async (root) => {
      const { leaks, oddities } = await checkDataset(await loadFolder(root));
      assertEquals(leaks.map(({ kind, records }) => [kind, records.length]), [["copies under different names", 2]]);
      assertEquals(countKinds(oddities), { "conflicting labels": 1, "patients unknown": 1 });
    });
  });

  it("finds conflicting labels of one view, one breast and one patient", async () => {
    const said = (value: string) => ({ value, rule: "made up" });
    const view = { laterality: "L", view: "CC" } as const;
    const { oddities } = await checkDataset(
      dataset([
        film("a", { patient: "1", label: "benign", ...view }),
        film("b", { patient: "1", label: "malignant", ...view }),
        film("c", { patient: "2", labels: { breast: said("x") }, ...view }),
        film("d", { patient: "2", labels: { breast: said("y") }, laterality: "L", view: "MLO" }),
        film("e", { patient: "3", labels: { patient: said("x") } }),
        film("f", { patient: "3", labels: { patient: said("y") } }),
        film("g", { patient: "4", label: "benign", ...view }),
        film("h", { patient: "4", label: "malignant", laterality: "R", view: "CC" }),
      ]),
      { readFiles: false },
    );
    assertEquals(oddities.flatMap((o) => o.kind === "conflicting labels" ? [o.records.join("")] : []), [
      "ab",
      "cd",
      "ef",
    ]);
  });

  it("tells of missing files, of views that a breast lacks, and of tables that came without pictures", async () => {
    await withFiles({ "a.png": "" }, async (root) => {
      const there = film("a", { file: join(root, "a.png"), patient: "1", laterality: "L", view: "CC" });
      const gone = film("b", { file: join(root, "b.png"), patient: "1", laterality: "R", view: "CC" });
      const both = ["CC", "MLO"] as const;
      const whole = both.map((view) => film(view, { file: join(root, "a.png"), patient: "2", laterality: "L", view }));
      const found = await checkDataset(dataset([there, gone, ...whole]), { readFiles: false });
      assertEquals(found.oddities.map(sentenceOfOddity), [
        "the file is not there",
        "breast L of patient 1 has CC but no MLO",
        "breast R of patient 1 has CC but no MLO",
      ]);
      const tables = await checkDataset(dataset([gone]));
      assertEquals(tables.oddities, [{ kind: "no file is there", files: 1 }]);
    });
  });

  it("finds lesions that reach beyond the image, and goes on after a picture that cannot be read", async () => {
    await withFiles({ "a.png": "1", "b.png": "22", "c.png": "333" }, async (root) => {
      const circle = (x: number, y: number) => ({ kind: "mass", region: { kind: "circle", x, y, radius: 5 } as const });
      const at = (id: string, lesions: FilmRecord["lesions"]) =>
        film(id, { file: join(root, `${id}.png`), patient: id, lesions });
      const { oddities, images } = await checkDataset(
        dataset([at("a", [circle(5, 5)]), at("b", []), at("c", [circle(5, 60), circle(200, 9)])]),
        {
          readImage: (record) => {
            if (record.id === "b") {
              return Promise.reject(new MammolabError("Cannot read b.png: it is empty; copy it again"));
            }
            return Promise.resolve(imageOf(new Float32Array(64 * 64), { height: 64, width: 64 }));
          },
        },
      );
      assertEquals(images, 2);
      assertEquals(countKinds(oddities), { "file unreadable": 1, "lesion outside the image": 1 });
    });
  });

  it("stops when asked to and keeps what it has", async () => {
    await withFiles({ "a.png": "1", "b.png": "22" }, async (root) => {
      const abort = new AbortController();
      const { images } = await checkDataset(
        dataset(["a", "b"].map((id) => film(id, { file: join(root, `${id}.png`) }))),
        {
          signal: abort.signal,
          readImage: () => {
            abort.abort();
            return Promise.resolve(imageOf(new Float32Array(4), { height: 2, width: 2 }));
          },
        },
      );
      assertEquals(images, 1);
    });
  });

  const cbis = realData("tables/cbis-ddsm");
  (cbis ? it : it.skip)(
    "finds exactly the 31 patients and 29 films on both sides of the pooled CBIS-DDSM split",
    async () => {
      const { pooled } = JSON.parse(await Deno.readTextFile(realData("tables/counts.json")!))["cbis-ddsm"];
      const dataset = await loadCbisDdsm(cbis!);
      const { leaks, oddities } = await checkDataset(dataset);
      const patients = leaks.flatMap((leak) => leak.kind === "patient on several sides" ? [leak] : []);
      assertEquals(patients.map(({ patient }) => patient).sort(), pooled["their ids"]);
      assertEquals(countKinds(leaks), {
        "film on several sides": pooled["films on both sides, of those"],
        "patient on several sides": pooled["patients on both sides"],
      });
      const films = new Map(dataset.records.map((record) => [record.id, record.split]));
      const sides = patients.flatMap(({ records }) => records.map((id) => films.get(id)));
      assertEquals(sides.filter((side) => side === "training").length, pooled["train images of those patients"]);
      assertEquals(sides.filter((side) => side === "test").length, pooled["test images of those patients"]);
      assertEquals(oddities.filter(({ kind }) => kind === "no file is there").length, 1);
      const one = await checkDataset({
        ...dataset,
        records: dataset.records.filter(({ id }) => id.startsWith("Mass")),
      });
      assertEquals(one.leaks, []);
    },
  );

  const mias = realData("mini-mias");
  (mias ? it : it.skip)(
    "finds no copy among the published films, and a turned one that is put among them",
    async () => {
      const { records } = await loadMiniMias(mias!);
      const six = records.filter(({ file }) => file.endsWith(".pgm"));
      const stranger: FilmRecord = { ...six[2]!, id: "stranger", patient: "stranger", lesions: [] };
      const { leaks, oddities, images } = await checkDataset(dataset([...six, stranger]), {
        readFiles: false,
        readImage: async (record) => {
          const image = await readPgm(record.file);
          return record.id === "stranger" ? { ...image, data: turn(image.data, 1024, 5) } : image;
        },
      });
      assertEquals([images, leaks.length, countKinds(oddities)["lesion outside the image"]], [7, 1, undefined]);
      const [leak] = leaks;
      assert(leak?.kind === "copies under different names" && leak.evidence === "pixels");
      assertEquals([leak.records, leak.match!.orientation], [[six[2]!.id, "stranger"], "mirrored and turned by 90°"]);
    },
  );
});

describe("copiesByBytes()", () => {
  it("reads only files that share their size, and passes over what is not there", async () => {
    await withFiles({ "a": "12", "b": "12", "c": "13", "d": "123" }, async (root) => {
      const records = ["a", "b", "c", "d", "gone"].map((name) => film(name, { file: join(root, name) }));
      let seen = 0;
      const found = await copiesByBytes(records, { onFile: () => seen++ });
      assertEquals(found.map(({ records }) => records.map(({ id }) => id)), [["a", "b"]]);
      assertEquals(seen, 5);
    });
  });
});
