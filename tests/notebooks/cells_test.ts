import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Notebook, notebookText, readNotebook, sizeLimit, statedFigures } from "../../tasks/_notebook.ts";

const root = new URL("../../", import.meta.url).pathname;
const files = [...Deno.readDirSync(`${root}notebooks`)].map(({ name }) => name).filter((name) =>
  name.endsWith(".ipynb")
);

const textOf = (text: string | readonly string[]) => typeof text === "string" ? text : text.join("");
const cellsOf = ({ cells }: Notebook, kind: string) =>
  cells.filter(({ cell_type }) => cell_type === kind).map(({ source }) => textOf(source));

describe("each notebook", () => {
  for (const file of files.sort()) {
    it(`${file} says first what the reader will be able to do, and ends with three exercises`, async () => {
      const words = cellsOf(await readNotebook(`${root}notebooks/${file}`), "markdown");
      assertMatch(words[0]!, /^# \d · .+\n\nAfter this notebook you can /);
      assertMatch(words.at(-1)!, /^## Exercises\n\n1\. [^]+\n2\. [^]+\n3\. [^\n]+$/);
      words.forEach(statedFigures); // throws where a check's number does not stand in the text
    });

    it(`${file} was run from top to bottom, as Jupyter would save it, with pictures that GitHub shows`, async () => {
      const text = await Deno.readTextFile(`${root}notebooks/${file}`);
      const notebook: Notebook = JSON.parse(text);
      assertEquals(text, notebookText(notebook));
      assert(new TextEncoder().encode(text).length <= sizeLimit);
      const code = notebook.cells.filter(({ cell_type }) => cell_type === "code");
      assertEquals(code.map(({ execution_count }) => execution_count), code.map((_, i) => i + 1));
      const bundles = code.flatMap(({ outputs = [] }) => outputs).flatMap(({ data }) => data ? [data] : []);
      assert(bundles.some((data) => "image/png" in data));
      for (const data of bundles) assert(!("application/vnd.plotly.v1+json" in data) || "image/png" in data);
      assert(!/\/(home|work|Users|tmp)\//.test(text), "a path of somebody's machine");
    });
  }
});

describe("the cells of all notebooks", () => {
  it("have the right types, which the kernel does not check", async () => {
    const folder = `${root}.cache/cells`; // inside the project, so that its names resolve
    await Deno.mkdir(folder, { recursive: true });
    const scripts: string[] = [];
    for (const file of files) {
      const script = `${folder}/${file.replace(/\W+/g, "_")}.ts`;
      const code = cellsOf(await readNotebook(`${root}notebooks/${file}`), "code");
      await Deno.writeTextFile(script, code.join("\n;\n"));
      scripts.push(script);
    }
    const args = ["check", "-q", ...scripts];
    const { success, stderr } = await new Deno.Command("deno", { args, env: { NO_COLOR: "1" } }).output();
    assert(success, new TextDecoder().decode(stderr));
  });
});
