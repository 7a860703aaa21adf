// What all tasks that take a dataset share: which kind of source it is, and what its loader must be told.
import { MammolabError } from "../lib/base/mod.ts";
import {
  type CbisDdsmRule,
  type Dataset,
  datasetKinds,
  type DatasetOptions,
  loadDataset,
  readHeaders,
  type TableColumns,
} from "../lib/datasets/mod.ts";
import { loadMammogram } from "../lib/io/mod.ts";
import { oneOf, type OptionSpecs, type TaskContext, UsageError } from "./_task.ts";

const rules: readonly CbisDdsmRule[] = [
  "pathology",
  "pathology in three classes",
  "pathology of biopsied lesions",
  "assessment",
];
const columnNames = [
  "file",
  "label",
  "patient",
  "id",
  "exam",
  "laterality",
  "view",
  "split",
  "age",
  "density",
  "assessment",
];

/** To be spread into a task's options. */
export const sourceOptions = {
  as: { type: "string", value: "KIND", help: `${datasetKinds.join(", ")}; default: what the source looks like` },
  rule: { type: "string", value: "RULE", help: `cbis-ddsm: what makes the label, ${rules.join(" | ")}` },
  columns: { type: "string", value: "LIST", help: "table: file=COLUMN,label=COLUMN[,patient=COLUMN …]" },
  root: { type: "string", value: "DIR", help: "table: where relative paths start; default: the table's folder" },
  patient: {
    type: "string",
    value: "PATTERN",
    help: "table, folder: finds the patient in the path, such as ^(\\w+?)_",
  },
  headers: { type: "boolean", help: "read patient, side and view from the files where the source does not tell them" },
} as const satisfies OptionSpecs;

type Context = Pick<TaskContext<typeof sourceOptions>, "options" | "signal" | "progress" | "path">;

/** Loads the dataset that was named on the command line. */
export async function readSource(source: string, { options, signal, progress, path }: Context): Promise<Dataset> {
  const { as, rule, columns, root, patient, headers } = options;
  const kind = as === undefined ? undefined : oneOf("as", as, datasetKinds);
  const given: DatasetOptions = {
    ...(rule === undefined ? {} : { rule: oneOf("rule", rule, rules) }),
    ...(columns === undefined ? {} : { columns: columnsFrom(columns) }),
    ...(root === undefined ? {} : { root: path(root) }),
    ...(patient === undefined ? {} : { patient: patternFrom(patient) }),
  };
  const dataset = await loadDataset(source, given, kind);
  if (!headers) return dataset;
  return await readHeaders(dataset, {
    readFacts: ({ file, frame }, signal) => loadMammogram(file, { signal, ...(frame === undefined ? {} : { frame }) }),
    signal,
    onProgress: progress,
  });
}

function columnsFrom(typed: string): TableColumns {
  const pairs = typed.split(",").map((pair) => pair.split("=").map((word) => word.trim()));
  const columns = Object.fromEntries(pairs);
  const wrong = pairs.find(({ length }) => length !== 2)?.join("=") ??
    Object.keys(columns).find((name) => !columnNames.includes(name));
  if (wrong !== undefined || !columns.file || !columns.label) {
    throw new UsageError(
      `--columns takes file=COLUMN,label=COLUMN and any of ${columnNames.slice(2).join(", ")}${
        wrong === undefined ? "" : `, not "${wrong}"`
      }`,
    );
  }
  return columns as TableColumns;
}

function patternFrom(typed: string): RegExp {
  try {
    return new RegExp(typed);
  } catch (cause) {
    throw new MammolabError(`Cannot use the pattern ${typed}: it is no regular expression; correct it`, { cause });
  }
}
