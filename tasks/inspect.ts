import { availableParallelism } from "node:os";
import { type FileRecord, inspectFile } from "../lib/io/mod.ts";
import { eachFile, table, task } from "./_task.ts";

await task({
  name: "inspect",
  summary: "What is in each file: its kind, size, side, view, and the figures of its stored and display values.",
  usage: "deno task inspect FILES",
  example: "deno task inspect exams/*.dcm --json",
  options: {
    voi: {
      type: "string",
      value: "WHICH",
      help:
        "display setting of DICOM files: a number, a name in the file, lut, range (default: the first LUT, else window)",
    },
    probes: { type: "boolean", help: "also stored values on a 5 × 5 grid, to compare with other readers (in --json)" },
    deadline: { type: "number", value: "SECONDS", help: "time for one file", default: 30, min: 0.1 },
  },
  positionals: { min: 1, max: Infinity },
  run: async ({ files, options: { voi, probes, deadline }, ...context }) => {
    const options = {
      probes,
      limits: { deadlineMs: 1000 * deadline },
      ...(voi === undefined ? {} : { voi: /^\d+$/.test(voi) ? Number(voi) : voi }),
    };
    const inspect = (file: string, signal: AbortSignal) => inspectFile(file, { ...options, signal });
    return { files: await eachFile(files, inspect, context, { atOnce: Math.min(4, availableParallelism()) }) };
  },
  print: ({ files }) => {
    const rows = files.map((record) => "error" in record ? { file: record.file, kind: "-" } : rowOf(record));
    const remarks = files.flatMap((record) =>
      "error" in record ? [record.error] : record.warnings.map((warning) => `${record.file}: ${warning}`)
    );
    return [table(rows), ...(remarks.length > 0 ? ["", ...remarks] : [])].join("\n");
  },
});

function rowOf(
  { file, format, rows, columns, frames, bitsStored, laterality, view, spacing, stored, display }: FileRecord,
) {
  return {
    file,
    kind: format,
    size: `${columns} × ${rows}${frames > 1 ? ` × ${frames}` : ""}`,
    bits: bitsStored,
    side: laterality ?? "-",
    view: view ?? "-",
    mm: spacing ? +spacing.row.toFixed(4) : undefined,
    stored: `${stored.min} .. ${stored.max}`,
    mean: +display.mean.toFixed(4),
    shown: display.method,
  };
}
