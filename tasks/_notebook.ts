// deno-lint-ignore-file camelcase -- nbformat's own names
// Notebook files: read, run from top to bottom, compare with what they state, write as Jupyter writes them.
import { dirname } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { MammolabError, sentenceOf, writeFileAtomic } from "../lib/base/mod.ts";
import { type Output, startKernel } from "./_notebook_kernel.ts";

/** A cell as in the file; `source` is a text or its lines. */
type Cell = {
  cell_type: "code" | "markdown" | "raw";
  id: string;
  metadata: { tags?: string[] };
  source: string | string[];
  outputs?: StoredOutput[];
  execution_count?: number | null;
};

/** An output as stored: texts may be lists of lines. */
type StoredOutput = {
  output_type: string;
  data?: Record<string, unknown>;
  text?: string | string[];
  [key: string]: unknown;
};

/** nbformat 4.5. */
export type Notebook = { cells: Cell[]; metadata: Record<string, unknown>; nbformat: number; nbformat_minor: number };

/** What came of a run. */
export type NotebookRun = {
  readonly seconds: number;
  readonly cells: number;
  /** One sentence each: cells that fail, figures in the prose that are not as stated. */
  readonly failures: readonly string[];
  /** One sentence each: outputs that are not as the file has them. */
  readonly differences: readonly string[];
};

/** The largest notebook that GitHub shows for certain. */
export const sizeLimit = 300_000;

export async function readNotebook(file: string): Promise<Notebook> {
  let notebook: Notebook;
  try {
    notebook = JSON.parse(await Deno.readTextFile(file));
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound ? "there is no such file" : cause instanceof SyntaxError // its words are a piece of the file
      ? "it is not JSON"
      : sentenceOf(cause);
    throw new MammolabError(`Cannot read ${file}: ${found}; give a notebook (.ipynb)`, { cause });
  }
  if (!Array.isArray(notebook.cells) || notebook.nbformat !== 4) {
    throw new MammolabError(
      `Cannot read ${file}: it holds no cells of notebook format 4; save it with JupyterLab or VS Code of today`,
    );
  }
  return notebook;
}

/**
 * Runs all code cells in a fresh kernel whose folder is the notebook's.
 *
 * @returns the notebook with its new outputs, and what is not as stated in the old one
 */
export async function runNotebook(
  file: string,
  { scratch, limitMs, signal }: { readonly scratch: string; readonly limitMs: number; readonly signal?: AbortSignal },
): Promise<{ readonly notebook: Notebook; readonly run: NotebookRun }> {
  const stated = await readNotebook(file);
  const start = performance.now();
  const failures: string[] = [];
  const changes: string[] = [];
  const cells: Cell[] = [];
  await using kernel = await startKernel({ folder: dirname(file), scratch });
  const options = { limitMs, ...(signal ? { signal } : {}) };
  let count = 0;
  for (const [index, cell] of stated.cells.entries()) {
    const id = cell.id ?? `cell-${index + 1}`;
    if (cell.cell_type === "markdown") {
      for (const { expression, value } of statedFigures(sourceOf(cell))) {
        const [output] = await kernel.run(`String(${expression})`, options);
        const found = output?.output_type === "execute_result"
          ? unquoted(String(output.data["text/plain"]))
          : "an error";
        if (!sameText(value, found)) failures.push(`Cell ${index + 1} states ${expression} = ${value}, found ${found}`);
      }
    }
    if (cell.cell_type !== "code") {
      cells.push({ ...cell, id });
      continue;
    }
    count++;
    let outputs: Output[];
    try {
      outputs = await kernel.run(sourceOf(cell), options);
    } catch (error) {
      if (signal?.aborted) throw error;
      failures.push(`Cell ${index + 1}: ${sentenceOf(error)}`);
      break;
    }
    const numbered = outputs.map((output) =>
      output.output_type === "execute_result" ? { ...output, execution_count: count } : output
    );
    cells.push({ ...cell, id, execution_count: count, outputs: numbered as unknown as StoredOutput[] });
    const error = outputs.find((output) => output.output_type === "error");
    if (error && !cell.metadata.tags?.includes("raises-exception")) {
      failures.push(`Cell ${index + 1} ends with ${error.ename}: ${error.evalue.split("\n")[0]}`);
      break;
    }
    changes.push(...differences(cell, outputs).map((difference) => `Cell ${index + 1}: ${difference}`));
  }
  const notebook = { ...stated, cells: [...cells, ...stated.cells.slice(cells.length)] };
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  return { notebook, run: { seconds, cells: count, failures, differences: changes } };
}

/** A number in prose that has to be true: `… 288 patches <!-- check: patches.length / 256 = 288 -->`. */
export function statedFigures(markdown: string): { readonly expression: string; readonly value: string }[] {
  return [...markdown.matchAll(/<!--\s*check:([^]*?)=([^=]*?)-->/g)].map(([comment, expression, value]) => {
    const stated = value!.trim();
    if (!markdown.replaceAll(/<!--[^]*?-->/g, "").includes(stated)) {
      throw new MammolabError(
        `Cannot check ${comment}: the text around it does not say ${stated}; change one of the two`,
      );
    }
    return { expression: expression!.trim(), value: stated };
  });
}

/** What the old outputs of a cell say that the new ones do not; nothing where the cell was never run. */
function differences(cell: Cell, found: readonly Output[]): string[] {
  const old = cell.outputs ?? [];
  if (cell.execution_count === null || cell.execution_count === undefined) return [];
  if (old.length !== found.length) return [`${old.length} outputs are in the file, ${found.length} came`];
  return old.flatMap((output, i) => {
    const now = found[i]! as unknown as StoredOutput;
    if (output.output_type !== now.output_type) {
      return [`output ${i + 1} was ${output.output_type}, is ${now.output_type}`];
    }
    const [before, after] = [textOf(output), textOf(now)];
    if (!sameText(before, after)) return [`the file states “${before.trim()}”, found “${after.trim()}”`];
    return "image/png" in (output.data ?? {}) === "image/png" in (now.data ?? {}) ? [] : ["a picture is missing"];
  });
}

const joined = (text: unknown): string => Array.isArray(text) ? text.join("") : String(text ?? "");
const sourceOf = ({ source }: Cell): string => joined(source);
const textOf = ({ text, data, evalue }: StoredOutput): string => joined(text ?? data?.["text/plain"] ?? evalue);

/** What the kernel prints for a text has quotes around it. */
const unquoted = (text: string): string => text.replace(/^(["'`])([^]*)\1$/, "$2");

/** The same words, and numbers that differ by at most one in the last digit stated: machines round differently. */
export function sameText(stated: string, found: string): boolean {
  const number = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi;
  const [left, right] = [stripVTControlCharacters(stated).trim(), found.trim()];
  if (left.replaceAll(number, "0") !== right.replaceAll(number, "0")) return false;
  const [want, got] = [left.match(number) ?? [], right.match(number) ?? []];
  return want.every((text, i) => {
    const [mantissa, exponent = "0"] = text.toLowerCase().split("e");
    const unit = mantissa!.includes(".") ? 10 ** (Number(exponent) - mantissa!.split(".")[1]!.length) : 0;
    return Math.abs(Number(text) - Number(got[i])) <= unit * 1.001;
  });
}

/**
 * The file as Jupyter writes it: keys in order, one space a level, texts as lines, a final newline. Where it would be too large for
 * GitHub, the largest plotly figures are left out: their pictures stay, and come alive when the reader runs the notebook.
 */
export function notebookText(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => ({
    ...cell,
    source: lines(sourceOf(cell)),
    ...(cell.outputs ? { outputs: cell.outputs.map(storedOutput) } : {}),
  }));
  const text = () => `${JSON.stringify(sorted({ ...notebook, cells }), null, 1)}\n`;
  const plotly = "application/vnd.plotly.v1+json";
  const figures = cells.flatMap(({ outputs = [] }) => outputs.filter(({ data }) => data && plotly in data))
    .map((output) => ({ output, size: JSON.stringify(output.data![plotly], null, 1).length }))
    .sort((a, b) => b.size - a.size);
  for (const { output } of figures) {
    if (text().length <= sizeLimit) break;
    delete output.data![plotly];
  }
  return text();
}

export async function writeNotebook(file: string, notebook: Notebook): Promise<void> {
  await writeFileAtomic(file, notebookText(notebook));
}

function storedOutput(output: StoredOutput): StoredOutput {
  const { text, data, ...rest } = output;
  const bundle = data && Object.fromEntries(
    Object.entries(data).map(([type, content]) => [type, type.startsWith("text/") ? lines(joined(content)) : content]),
  );
  return { ...rest, ...(text === undefined ? {} : { text: lines(joined(text)) }), ...(bundle ? { data: bundle } : {}) };
}

/** Lines with their ends, as nbformat splits them. */
const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** The same JSON with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, item]) => [key, sorted(item)]),
  );
}
