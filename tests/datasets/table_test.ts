import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import fc from "../_fast_check.ts";
import { MammolabError } from "mammolab/base";
import { loadTable, type TableOptions } from "mammolab/datasets";
import { parseCsv } from "../../lib/datasets/csv.ts";
import { realData, withFiles } from "./_files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("parseCsv()", () => {
  const plain = { columns: ["file", "label"], rows: [["a.png", "benign"], ["b.png", "malignant"]] };
  const read = (content: Uint8Array) => {
    const { columns, rows } = parseCsv(content, "t.csv");
    return { columns: [...columns], rows: rows.map(({ cells }) => [...cells]) };
  };
  const text = "file,label\na.png,benign\nb.png,malignant\n";
  const utf16 = (text: string) =>
    new Uint8Array(Uint16Array.from([0xfeff, ...text].map((c) => typeof c === "string" ? c.charCodeAt(0) : c)).buffer);
  const cases: Readonly<Record<string, Uint8Array>> = {
    "a byte order mark": bytes("\ufeff" + text),
    "CRLF": bytes(text.replaceAll("\n", "\r\n")),
    "semicolons": bytes(text.replaceAll(",", ";")),
    "tabs": bytes(text.replaceAll(",", "\t")),
    "quotes with spaces and line breaks inside": bytes(
      text.replaceAll("a.png", '"a.png\n"').replace("label", '" label "'),
    ),
    "blank lines and no line break at the end": bytes(text.replaceAll("\n", "\n\n").trimEnd()),
    "UTF-16 as spreadsheets write it": utf16(text),
    "semicolons, a mark, CRLF and quotes at once": bytes(
      "\ufeff" + '"file";"label"\r\n"a.png";benign\r\nb.png;"malignant"',
    ),
  };
  for (const [what, content] of Object.entries(cases)) it(`reads ${what}`, () => assertEquals(read(content), plain));

  it("reads Windows-1252 where a table is not UTF-8", () => {
    assertEquals(read(Uint8Array.of(...bytes("a,b\nM"), 0xfc, ...bytes("ller,1\n"))).rows, [["Müller", "1"]]);
  });

  it("keeps a column that is called __proto__ as a column", () => {
    const table = parseCsv(bytes("__proto__,b\nx,1\n"), "t.csv");
    assertEquals(table.cell(table.rows[0]!, "__proto__"), "x");
    assertEquals(table.cell(table.rows[0]!, "constructor"), "");
  });

  it("refuses open quotes, ragged rows, headings that repeat, and nothing", () => {
    assertThrows(() => read(bytes('a,b\n"x,1\n')), MammolabError, "never closed");
    assertThrows(() => read(bytes("a,b\n1,2\n3\n")), MammolabError, "near line 3 has another number of cells");
    assertThrows(() => read(bytes('a,b\n1,2"3\n')), MammolabError, "stands inside a cell");
    assertThrows(() => read(bytes("a,b,a\n1,2,3\n")), MammolabError, 'the heading "a" stands there twice');
    assertThrows(() => read(bytes("")), MammolabError, "the table is empty");
  });

  it("gives a table or a sentence for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
        try {
          parseCsv(content, "t.csv");
        } catch (error) {
          if (!(error instanceof MammolabError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("loadTable()", () => {
  const load = (csv: string, options: Partial<TableOptions> = {}, files: Record<string, string> = {}) =>
    withFiles(
      { "t.csv": csv, ...files },
      (folder) => loadTable(join(folder, "t.csv"), { columns: { file: "file", label: "label" }, ...options }),
    );

  it("reads the columns that the user names, in their many spellings", async () => {
    const columns = {
      file: "Path",
      label: "Result",
      patient: "Who",
      id: "No",
      laterality: "Side",
      view: "View",
      split: "Set",
      age: "Age",
      density: "ACR",
    };
    const { records, oddities } = await load(
      "Who;No;Path;Side;View;Result;Set;Age;ACR;Name\n7;x1;a.png;left;mlo;cancer;train;93;b;Muster\n7;x2;b.png;R;CC;none;dev;45,5;;\n",
      { columns },
      { "a.png": "", "b.png": "" },
    );
    assertEquals(oddities, []);
    const { file: _, ...first } = records[0]!;
    assertEquals(first, {
      id: "x1",
      patient: "7",
      patientFrom: "column",
      laterality: "L",
      view: "MLO",
      labels: { image: { value: "cancer", rule: 'column "Result"' } },
      density: "b",
      age: 89,
      lesions: [],
      split: "training",
      dataset: "table",
      oddities: [],
    });
    assertEquals([records[1]!.split, records[1]!.age, records[1]!.density], ["validation", 45.5, undefined]);
  });

  it("takes patients from a pattern on the path", async () => {
    const { records, oddities } = await load("file,label\nP1/a.png,x\nP2/a.png,y\n", { patient: /^(P\d)/ });
    assertEquals(records.map(({ patient, patientFrom }) => [patient, patientFrom]), [["P1", "file name"], [
      "P2",
      "file name",
    ]]);
    assertEquals(oddities.map(({ kind }) => kind), ["file missing", "file missing"]);
    await assertRejects(
      () => load("file,label\na.png,x\n", { patient: /^P/ }),
      MammolabError,
      "matches none of 1 file names",
    );
  });

  it("counts a file that is listed twice with one label once, and says so", async () => {
    const { records, oddities } = await load("file,label\na.png,x\nb.png,y\n./a.png,x\n", {}, {
      "a.png": "",
      "b.png": "",
    });
    assertEquals(records.length, 2);
    assertEquals(records[0]!.oddities, ["listed 2 times with the same label (rows 2, 4); counted once"]);
    assertEquals(oddities.map(({ kind }) => kind), ["listed twice", "patients unknown"]);
  });

  it("refuses a file in two classes, and names it and its rows", async () => {
    await assertRejects(
      () => load("file,label\na.png,benign\nb.png,x\na.png,malignant\n"),
      MammolabError,
      'a.png is "benign" in row 2 and "malignant" in row 4; keep one label a file',
    );
  });

  it("refuses a file on two sides, which would be on the side of its first row", async () => {
    await assertRejects(
      () =>
        load("file,label,set\na.png,x,train\nb.png,x,test\na.png,x,test\n", {
          columns: { file: "file", label: "label", split: "set" },
        }),
      MammolabError,
      'a.png is "train" in row 2 and "test" in row 4; keep one side a file',
    );
  });

  it("refuses a file of two patients without naming them", async () => {
    await assertRejects(
      () =>
        load("file,label,who\na.png,x,Anna\na.png,x,Berta\n", {
          columns: { file: "file", label: "label", patient: "who" },
        }),
      MammolabError,
      "a.png is of one patient in row 2 and of another in row 3; keep one patient a file",
    );
  });

  it("refuses a column that is not there and lists those that are", async () => {
    await assertRejects(
      () => load("path,label\na.png,x\n"),
      MammolabError,
      'it has no column "file" for the file, only "path", "label"; name one of them',
    );
  });

  it("refuses rows without a file, two files with one id, no rows, and no table", async () => {
    await assertRejects(() => load("file,label\n,x\n"), MammolabError, "row 2 names no file");
    await assertRejects(() => load("file,label\n\na,x\n\n\n,x\n"), MammolabError, "row 6 names no file");
    await assertRejects(() => load('\nfile,label\n"a\n b",x\n,x\n'), MammolabError, "row 4 names no file");
    await assertRejects(
      () => load("file,label,id\na,x,1\nb,x,1\n", { columns: { file: "file", label: "label", id: "id" } }),
      MammolabError,
      '2 files have the id "1"',
    );
    await assertRejects(() => load("file,label\n"), MammolabError, "headings but no rows");
    await assertRejects(
      () => loadTable("/nowhere/t.csv", { columns: { file: "file", label: "label" } }),
      MammolabError,
      "there is no such file",
    );
  });

  it("leaves out what does not fit its scale and films without a label, and says so", async () => {
    const { records } = await load("file,label,side,age\na.png,,X,old\n", {
      columns: { file: "file", label: "label", laterality: "side", age: "age" },
    }, { "a.png": "" });
    assertEquals(records[0]!.labels, {});
    assertEquals(records[0]!.oddities, [
      "laterality is X, outside its scale L or R",
      "age is old, outside its scale 0 … 120 years",
      "no label: the cell of row 2 is empty",
    ]);
  });

  const mirai = realData("tables/mirai/sample_metadata.csv");
  (mirai ? it : it.skip)(
    "reads Mirai's own sample: a byte order mark, and four films that stand there for eight patients",
    async () => {
      const columns = { file: "file_path", laterality: "laterality", view: "view", label: "view" };
      const { records, oddities } = await loadTable(mirai!, { columns });
      assertEquals([records.length, oddities.filter(({ kind }) => kind === "listed twice").length], [4, 4]);
      await assertRejects(
        () => loadTable(mirai!, { columns: { ...columns, label: "years_to_cancer" } }),
        MammolabError,
        'is "0" in row 2 and "100" in row 6 and "100" in row 10 … (and 3 more files are like it); keep one label a file',
      );
      await assertRejects(
        () => loadTable(mirai!, { columns: { ...columns, patient: "patient_id" } }),
        MammolabError,
        "is of one patient in row 2 and of another in row 6",
      );
    },
  );
});
