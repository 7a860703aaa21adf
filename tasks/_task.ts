// What all tasks share: arguments, help, JSON, progress, Ctrl-C, exit codes. A task file holds only what is special about it.
import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";
import { inOrder, MammolabError, type OnProgress, type Progress, sentenceOf } from "../lib/base/mod.ts";

/** One `--option`: its kind, what stands for its value in the help, and a line of help. */
export type OptionSpec =
  | { readonly type: "boolean"; readonly help: string }
  | { readonly type: "string"; readonly value: string; readonly help: string; readonly default?: string }
  | {
    readonly type: "number";
    readonly value: string;
    readonly help: string;
    readonly default?: number;
    readonly min?: number;
    readonly max?: number;
    readonly integer?: boolean;
  };

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Of each task that runs a network. */
export const threadsOption = {
  type: "number",
  value: "N",
  help: "threads of the processor (default: its cores)",
  min: 1,
  integer: true,
} as const satisfies OptionSpec;

type ValueOf<S extends OptionSpec> = S extends { type: "boolean" } ? boolean
  : S extends { type: "number" } ? (S extends { default: number } ? number : number | undefined)
  : S extends { default: string } ? string
  : string | undefined;

/** What `run` is given. */
export type TaskContext<S extends OptionSpecs> = {
  /** The words after the options: paths made absolute from where the user stands, unless `words` was asked for. */
  readonly files: readonly string[];
  readonly options: { readonly [K in keyof S]: ValueOf<S[K]> };
  /** Makes a path that the user typed absolute. */
  readonly path: (typed: string) => string;
  /** Aborted by Ctrl-C: finish the item at hand, keep what is finished, return. */
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
  /** A line on standard error, unless --quiet. */
  readonly note: (line: string) => void;
  /**
   * Says that a part of the input failed: the task goes on and ends with exit code 1.
   *
   * @param sentence where `print` shows it too: it is said when it happens, but not twice on one terminal
   */
  readonly failure: (sentence?: string) => void;
};

export type TaskSpec<S extends OptionSpecs, R> = {
  /** `inspect` */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** `deno task inspect FILES` (the options are added) */
  readonly usage: string;
  readonly example: string;
  readonly options?: S;
  /** How many words may follow: default none. */
  readonly positionals?: {
    readonly min?: number;
    readonly max?: number;
    readonly words?: boolean;
    readonly what?: string;
  };
  readonly run: (context: TaskContext<S>) => Promise<R>;
  /** What a person reads on standard output. */
  readonly print: (result: R) => string;
};

const shared = {
  json: { type: "boolean", help: "print one JSON document on standard output, nothing else" },
  quiet: { type: "boolean", help: "no progress and no notes on standard error" },
  help: { type: "boolean", help: "this text" },
} as const satisfies OptionSpecs;

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

const encoder = new TextEncoder();
const toOut = (text: string) => write(Deno.stdout, text);
const toError = (text: string) => write(Deno.stderr, text);
function write(stream: typeof Deno.stdout, text: string): void {
  const bytes = encoder.encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // `… | head` is no failure
  }
}

/** Runs a task and ends the process with its exit code: 0, 1 (some input failed), 2 (wrong usage), 130 (Ctrl-C). */
export async function task<R, const S extends OptionSpecs = Record<never, never>>(
  spec: TaskSpec<S, R>,
): Promise<never> {
  let json = Deno.args.includes("--json");
  const quiet = Deno.args.includes("--quiet");
  const bar = progressBar(quiet);
  const note = (line: string) => {
    bar.clear();
    if (!quiet) toError(line + "\n");
  };
  const abort = new AbortController();
  let pressed: number | undefined;
  let failures = 0;
  const unsaid: string[] = [];
  const interrupt = () => {
    if (pressed === undefined) {
      pressed = performance.now();
      abort.abort(new MammolabError("Stopped by Ctrl-C; what was finished is kept"));
      note("Stopping; Ctrl-C again ends it at once, and what is under way is lost");
    } else if (performance.now() - pressed > 500) Deno.exit(130); // sooner it is the same press: both the terminal and deno task send it
  };
  Deno.addSignalListener("SIGINT", interrupt);

  try {
    const { values, words } = parse(spec, Deno.args);
    json = values.json === true;
    if (values.help) {
      toOut(helpOf(spec));
      Deno.exit(0);
    }
    const path = (typed: string) => isAbsolute(typed) ? typed : resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), typed);
    const result = await spec.run({
      files: spec.positionals?.words ? words : words.map(path),
      options: values as TaskContext<S>["options"],
      path,
      signal: abort.signal,
      progress: (progress) => bar.show(progress, failures),
      note,
      failure: (sentence) => {
        failures++;
        if (sentence === undefined) return;
        if (!json && Deno.stdout.isTerminal() && Deno.stderr.isTerminal()) unsaid.push(sentence);
        else note(sentence);
      },
    });
    bar.clear();
    toOut(json ? JSON.stringify({ schemaVersion: 1, ...result }, null, 2) + "\n" : spec.print(result).trimEnd() + "\n");
    Deno.exit(abort.signal.aborted ? 130 : failures > 0 ? 1 : 0);
  } catch (error) {
    bar.clear();
    for (const sentence of unsaid) note(sentence); // nothing else will say them
    if (error instanceof UsageError) {
      toError(`${error.message}\nTry: deno task ${spec.name} --help\n`);
      Deno.exit(2);
    }
    if (abort.signal.aborted) {
      toError("Stopped by Ctrl-C; what was finished is kept\n");
      Deno.exit(130);
    }
    const sentence = sentenceOf(error);
    if (json) toOut(JSON.stringify({ schemaVersion: 1, error: sentence }, null, 2) + "\n");
    toError(sentence + "\n");
    if (!(error instanceof MammolabError) && Deno.env.get("MAMMOLAB_DEBUG")) toError(`${(error as Error).stack}\n`);
    Deno.exit(1);
  }
}

/**
 * Does `work` for each file; a file that fails becomes `{ file, error }` and the rest goes on.
 *
 * @param options.atOnce how many files are worked on at the same time; default 1
 * @returns one entry a file, in the order of the files; shorter after Ctrl-C
 */
export async function eachFile<T extends object>(
  files: readonly string[],
  work: (file: string, signal: AbortSignal) => Promise<T>,
  { signal, progress, failure }: Pick<TaskContext<OptionSpecs>, "signal" | "progress" | "failure">,
  { atOnce = 1 }: { readonly atOnce?: number } = {},
): Promise<({ file: string } & T | { file: string; error: string })[]> {
  const out: ({ file: string } & T | { file: string; error: string })[] = [];
  // The signal ends the work under way, not the loop: what was finished before it is kept.
  const stoppable = (file: string, left: AbortSignal) => work(file, AbortSignal.any([signal, left]));
  for await (const outcome of inOrder(files, stoppable, { atOnce })) {
    const file = outcome.item;
    if ("result" in outcome) out.push({ file, ...outcome.result });
    else {
      if (signal.aborted) break;
      failure(sentenceOf(outcome.error));
      out.push({ file, error: sentenceOf(outcome.error) });
    }
    progress({ done: out.length, total: files.length, unit: "files" });
    if (signal.aborted) break;
  }
  return out;
}

/** The word of an option that takes one of a few. @throws UsageError naming them */
export function oneOf<const Word extends string>(option: string, given: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === given);
  if (found === undefined) throw new UsageError(`--${option} takes one of ${words.join(", ")}, not "${given}"`);
  return found;
}

/** Rows of text under their headings, columns as wide as their widest cell; numbers to the right. */
export function table(rows: readonly Readonly<Record<string, string | number | boolean | undefined>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => `${row[column] ?? ""}`));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((row) => row[i]!.length)));
  const right = columns.map((column) =>
    rows.every((row) => row[column] === undefined || typeof row[column] === "number")
  );
  const line = (words: readonly string[]) =>
    words.map((word, i) => right[i] ? word.padStart(widths[i]!) : word.padEnd(widths[i]!)).join("  ").trimEnd();
  return [line(columns), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n");
}

function parse<S extends OptionSpecs, R>(spec: TaskSpec<S, R>, args: readonly string[]) {
  const specs: OptionSpecs = { ...spec.options, ...shared };
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        Object.entries(specs).map(([name, { type }]) => [name, { type: type === "boolean" ? "boolean" : "string" }]),
      ),
    });
  } catch (error) {
    throw new UsageError(sentenceOf(error).replace(/\. To specify.*$/, ""));
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(specs)) {
    const given = parsed.values[name];
    if (option.type === "boolean") values[name] = given === true;
    else if (given === undefined) values[name] = option.default;
    else if (option.type === "string") values[name] = given;
    else values[name] = numberOf(name, String(given), option);
  }
  const words = parsed.positionals;
  if (!values.help) {
    const { min = 0, max = 0, what = "FILES" } = spec.positionals ?? {};
    if (words.length < min) throw new UsageError(`${spec.name}: ${what} missing`);
    if (words.length > max) throw new UsageError(`${spec.name}: "${words[max]}" is one word too many`);
  }
  return { values, words };
}

function numberOf(name: string, text: string, { min, max, integer }: Extract<OptionSpec, { type: "number" }>): number {
  const value = Number(text);
  const fits = text.trim() !== "" && Number.isFinite(value) && (!integer || Number.isInteger(value)) &&
    value >= (min ?? -Infinity) && value <= (max ?? Infinity);
  if (fits) return value;
  const range = [min === undefined ? "" : `at least ${min}`, max === undefined ? "" : `at most ${max}`].filter(Boolean);
  throw new UsageError(
    `--${name} takes ${integer ? "a whole number" : "a number"}${
      range.length ? ", " + range.join(" and ") : ""
    }, not "${text}"`,
  );
}

function helpOf<S extends OptionSpecs, R>({ usage, summary, example, options }: TaskSpec<S, R>): string {
  const lines = Object.entries({ ...options, ...shared } as OptionSpecs).map(([name, option]) => {
    const left = `--${name}${option.type === "boolean" ? "" : ` ${option.value}`}`;
    const fallback = option.type !== "boolean" && option.default !== undefined ? ` (default ${option.default})` : "";
    return { left, help: option.help + fallback };
  });
  const width = Math.max(...lines.map(({ left }) => left.length));
  return `${summary}\n\nUsage: ${usage} [options]\n\nOptions:\n${
    lines.map(({ left, help }) => `  ${left.padEnd(width)}  ${help}`).join("\n")
  }\n\nExample: ${example}\n\nExit code: 0 all done, 1 some input failed, 2 wrong usage, 130 stopped by Ctrl-C\n`;
}

/** A bar on a terminal, a line per 10 % otherwise, nothing with --quiet. */
function progressBar(quiet: boolean): { show: (progress: Progress, failures: number) => void; clear: () => void } {
  if (quiet) return { show: () => {}, clear: () => {} };
  const terminal = Deno.stderr.isTerminal();
  let tenth = -1;
  let drawn = false;
  const start = performance.now();
  const clear = () => {
    if (drawn) toError("\r\x1b[K");
    drawn = false;
  };
  const show = ({ done, total, unit, eta }: Progress, failures: number) => {
    const share = total ? done / total : 0;
    const seconds = eta ??
      (done > 0 && total ? ((performance.now() - start) / 1000 / done) * (total - done) : undefined);
    const rest = seconds === undefined || done === total ? "" : `, ${Math.ceil(seconds)} s left`;
    const failed = failures > 0 ? `, ${failures} failed` : "";
    const text = `${done}${total === undefined ? "" : `/${total}`} ${unit}${failed}${rest}`;
    if (terminal) {
      clear();
      toError(`[${"#".repeat(Math.round(share * 24)).padEnd(24)}] ${text}`);
      drawn = true;
    } else if (total !== undefined && total >= 10 && Math.floor(share * 10) > tenth) {
      tenth = Math.floor(share * 10);
      toError(text + "\n");
    }
  };
  return { show, clear };
}
