// deno task notebooks: runs the notebooks in fresh kernels and holds them to what they state.
import { fileURLToPath } from "node:url";
import { sentenceOf } from "../lib/base/mod.ts";
import { notebookText, runNotebook, sizeLimit, writeNotebook } from "./_notebook.ts";
import { table, task } from "./_task.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

async function allNotebooks(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${root}notebooks`)) if (name.endsWith(".ipynb")) names.push(name);
  return names.sort().map((name) => `${root}notebooks/${name}`);
}

await task({
  name: "notebooks",
  summary: "Runs notebooks from top to bottom without Jupyter and checks the figures that they state.",
  usage: "deno task notebooks [FILES]",
  example: "deno task notebooks notebooks/01-load-and-look.ipynb --write",
  options: {
    write: {
      type: "boolean",
      help: "write the new outputs into the files (otherwise they are compared with the old ones)",
    },
    limit: { type: "number", value: "SECONDS", help: "time for one cell", default: 180, min: 1 },
  },
  positionals: { max: Infinity },
  run: async ({ files, options, signal, progress, failure }) => {
    const notebooks: { file: string; seconds: number; cells: number; ok: boolean; problems: string[] }[] = [];
    const chosen = files.length ? files : await allNotebooks();
    for (const file of chosen) {
      if (signal.aborted) break;
      let result: Omit<typeof notebooks[number], "file">;
      try {
        const { notebook, run } = await runNotebook(file, {
          scratch: `${root}.cache/kernels`,
          limitMs: options.limit * 1000,
          signal,
        });
        const problems = [...run.failures, ...options.write ? [] : run.differences];
        const bytes = new TextEncoder().encode(notebookText(notebook)).length;
        if (bytes > sizeLimit) {
          problems.push(`The file has ${Math.ceil(bytes / 1000)} kB, at most ${sizeLimit / 1000} are shown on GitHub`);
        }
        if (options.write && problems.length === 0) await writeNotebook(file, notebook);
        result = { seconds: run.seconds, cells: run.cells, ok: problems.length === 0, problems };
      } catch (error) {
        if (signal.aborted) break;
        result = { seconds: 0, cells: 0, ok: false, problems: [sentenceOf(error)] };
      }
      for (const problem of result.problems) failure(said(file, problem));
      notebooks.push({ file, ...result });
      progress({ done: notebooks.length, total: chosen.length, unit: "notebooks" });
    }
    return { notebooks };
  },
  print: ({ notebooks }) => {
    const problems = notebooks.flatMap(({ file, problems }) => problems.map((problem) => said(file, problem)));
    const rows = notebooks.map(({ problems, ...row }) => ({ ...row, problems: problems.length }));
    return [table(rows), ...(problems.length > 0 ? ["", ...problems] : [])].join("\n");
  },
});

/** A problem with the file that has it: some name it themselves. */
function said(file: string, problem: string): string {
  return problem.includes(file) ? problem : `${file}: ${problem}`;
}
