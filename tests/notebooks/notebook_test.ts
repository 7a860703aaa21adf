// deno-lint-ignore-file camelcase -- nbformat's own names
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import {
  type Notebook,
  notebookText,
  readNotebook,
  runNotebook,
  sameText,
  sizeLimit,
  statedFigures,
} from "../../tasks/_notebook.ts";
import { type Output, startKernel } from "../../tasks/_notebook_kernel.ts";
import raw from "../fixtures/notebooks/raw.json" with { type: "json" };

const fixtures = new URL("../fixtures/notebooks/", import.meta.url);

/** Runs cells in one kernel. */
async function outputsOf(cells: readonly string[], limitMs = 30_000): Promise<Output[][]> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await using kernel = await startKernel({ folder, scratch: folder });
    const all: Output[][] = [];
    for (const cell of cells) all.push(await kernel.run(cell, { limitMs }));
    return all;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const texts = (outputs: readonly Output[]) =>
  outputs.map((output) =>
    output.output_type === "stream"
      ? output.text
      : output.output_type === "error"
      ? output.ename
      : output.data["text/plain"]
  );

const display = (name: string) =>
  `await Deno.jupyter.display({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "${name}" }) });`;

describe("a kernel of the executor", () => {
  it("loses no output and moves none to another cell, in ten runs of what plain clients mangle", async () => {
    const cells = [
      `for (let i = 0; i < 200; i++) console.log("line " + i)`,
      `${display("A")} ${display("B")} 1 + 1`,
      `console.log("a"); console.error("b"); console.log("c"); console.log("d"); "end"`,
      `await Deno.jupyter.display({ "text/plain": "large", "image/png": "A".repeat(1_400_000) }, { raw: true }); 3`,
    ];
    const many = await outputsOf(Array.from({ length: 10 }, () => cells).flat());
    for (let run = 0; run < 10; run++) {
      const [lines, shown, streams, large] = many.slice(4 * run, 4 * run + 4).map(texts);
      assertEquals(lines, [Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join("")]);
      assertEquals(shown, ["A", "B", "2"]);
      assertEquals(streams, ["a\n", "b\n", "c\nd\n", '"end"']);
      assertEquals(large, ["large", "3"]);
    }
  });

  it("updates a display where it was shown, also from a later cell", async () => {
    const show = (text: string, update: boolean) =>
      `await Deno.jupyter.display({ "text/plain": "${text}" }, { raw: true, display_id: "bar", update: ${update} });`;
    const [first, second] = await outputsOf([show("0 %", false) + show("50 %", true), `${show("100 %", true)} "done"`]);
    assertEquals([texts(first!), texts(second!)], [["100 %"], ['"done"']]);
  });

  it("says that it ended, instead of waiting for ever", async () => {
    const error = await outputsOf(["1", "Deno.exit(3)"]).catch((error) => error);
    assert(error instanceof MammolabError);
    assertMatch(error.message, /^Cannot go on with the notebook: its kernel ended \(exit code 3\).*; .*$/);
  });

  it("is stopped at the time limit, however busy it is", async () => {
    const start = performance.now();
    const error = await outputsOf(["for (;;);"], 500).catch((error) => error);
    assertMatch(
      error.message,
      /^Cannot go on with the notebook: the cell did not end in 0.5 s; allow more with --limit$/,
    );
    assert(performance.now() - start < 15_000);
  });
});

describe("runNotebook()", () => {
  const run = async (sources: readonly (string | { markdown: string })[], outputs: unknown[] = []) => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    try {
      const cells = sources.map((source, i) =>
        typeof source === "string"
          ? {
            cell_type: "code",
            id: `c${i}`,
            metadata: {},
            source,
            outputs,
            execution_count: outputs.length ? 1 : null,
          }
          : { cell_type: "markdown", id: `c${i}`, metadata: {}, source: source.markdown }
      );
      await Deno.writeTextFile(
        `${folder}/a.ipynb`,
        JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
      );
      return await runNotebook(`${folder}/a.ipynb`, { scratch: folder, limitMs: 30_000 });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };

  it("holds the prose to its numbers", async () => {
    const { run: { failures } } = await run([
      "const patches = 24 * 12; const auc = 0.83333;",
      {
        markdown: "There are 288 patches<!-- check: patches = 288 -->, AUC 0.83 <!-- check: auc.toFixed(4) = 0.83 -->",
      },
      { markdown: "Of 300 <!-- check: patches = 300 --> and 2 <!-- check: nothing.there = 2 -->" },
    ]);
    assertEquals(failures, [
      "Cell 3 states patches = 300, found 288",
      "Cell 3 states nothing.there = 2, found an error",
    ]);
  });

  it("says which output is not as the file has it", async () => {
    const stored = [{ output_type: "execute_result", execution_count: 1, metadata: {}, data: { "text/plain": ["2"] } }];
    assertEquals((await run(["1 + 1"], stored)).run.differences, []);
    const { run: { differences } } = await run(["1 + 2"], stored);
    assertEquals(differences, ["Cell 1: the file states “2”, found “3”"]);
  });

  it("stops at a cell that fails and names its error", async () => {
    const { run: { failures, cells }, notebook } = await run(["1", `throw new TypeError("oh")`, "3"]);
    assertEquals([failures, cells], [["Cell 2 ends with TypeError: oh"], 2]);
    assertEquals(notebook.cells.map(({ execution_count }) => execution_count), [1, 2, null]);
  });
});

describe("notebookText()", () => {
  it("writes the bytes that Jupyter's own writer writes", async () => {
    const written = await Deno.readTextFile(new URL("written.ipynb", fixtures)); // nbformat 5.11.1, fixtures/notebooks/make.py
    assertEquals(notebookText(raw as unknown as Notebook), written);
    assertEquals(notebookText(JSON.parse(written)), written);
  });

  it("leaves out the largest plotly figures where the file would be too large, and keeps their pictures", () => {
    const output = (numbers: number) => ({
      output_type: "display_data",
      metadata: {},
      data: { "image/png": "iVBO", "application/vnd.plotly.v1+json": { data: [{ y: Array(numbers).fill(1) }] } },
    });
    const cell = { cell_type: "code", id: "a", metadata: {}, source: "", execution_count: 1 } as const;
    const notebook = {
      metadata: {},
      nbformat: 4,
      nbformat_minor: 5,
      cells: [{ ...cell, outputs: [output(30_000), output(100)] }],
    };
    const text = notebookText(notebook);
    assert(text.length < sizeLimit);
    const [large, small] = JSON.parse(text).cells[0].outputs;
    assertEquals(Object.keys(large.data), ["image/png"]);
    assertEquals(Object.keys(small.data).length, 2);
  });
});

describe("readNotebook()", () => {
  it("says that a file is no notebook without a word of what is in it", async () => {
    const file = await Deno.makeTempFile({ prefix: "mammolab-" });
    await Deno.writeTextFile(file, "Anna Smith, 1950");
    const error = await assertRejects(() => readNotebook(file), MammolabError);
    assertEquals(error.message, `Cannot read ${file}: it is not JSON; give a notebook (.ipynb)`);
    await Deno.remove(file);
  });
});

describe("statedFigures()", () => {
  it("refuses a check whose number the reader does not see", () => {
    assertThrows(() => statedFigures("There are many <!-- check: n = 288 -->"), MammolabError, "does not say 288");
  });
});

describe("sameText()", () => {
  const cases: [string, string, boolean][] = [
    ["AUC 0.83 of 120", "AUC 0.84 of 120", true], // one in the last digit: rounding
    ["AUC 0.83 of 120", "AUC 0.85 of 120", false],
    ["AUC 0.83 of 120", "AUC 0.83 of 121", false], // counts are exact
    ["1.20e-3", "1.21e-3", true],
    ["1.20e-3", "1.20e-2", false],
    ["untrained", "trained", false],
  ];
  for (const [stated, found, same] of cases) {
    it(`${same ? "takes" : "refuses"} “${found}” for “${stated}”`, () => assertEquals(sameText(stated, found), same));
  }
});

describe("notebooks/kernel/kernel.json", () => {
  it("starts the Deno of this project through npx, with the project's names", async () => {
    const spec = JSON.parse(await Deno.readTextFile(new URL("../../notebooks/kernel/kernel.json", import.meta.url)));
    assertEquals(spec.argv.slice(0, 3), ["npx", "-y", `deno@${Deno.version.deno}`]);
    assertEquals([spec.language, spec.interrupt_mode], ["typescript", "message"]);
    if (!await npxWorks(spec.argv[2])) return;
    const scratch = await Deno.makeTempDir({ prefix: "mammolab-" });
    try {
      const folder = new URL("../../notebooks", import.meta.url).pathname;
      await using kernel = await startKernel({ argv: spec.argv, folder, scratch });
      const [result] = await kernel.run(`(await import("mammolab/base")).MammolabError.name`, { limitMs: 30_000 });
      assertEquals(texts([result!]), ['"MammolabError"']);
    } finally {
      await Deno.remove(scratch, { recursive: true });
    }
  });
});

async function npxWorks(name: string): Promise<boolean> {
  const output = new Deno.Command("npx", { args: ["-y", name, "--version"], stdout: "null", stderr: "null" }).output();
  const works = await output.then(({ success }) => success, () => false);
  // deno-lint-ignore no-console -- the one line that says what was not tested
  if (!works) console.log(`skipped: the kernel through npx, as \`npx -y ${name} --version\` does not work here`);
  return works;
}
