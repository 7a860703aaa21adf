import { dirname, isAbsolute, join, normalize } from "node:path";
import { MammolabError } from "../base/mod.ts";
import { type Laterality, viewNames } from "../io/mod.ts";
import { shortHash } from "./_hash.ts";
import { patientOf, sideNamed, unknownPatients } from "./_patients.ts";
import { type CsvRow, type CsvTable, readCsv } from "./csv.ts";
import { type Dataset, datasetOf, type Oddity } from "./oddities.ts";
import type { FilmRecord } from "./records.ts";

/** Which column of a table holds what. `file` and `label` must be named; what is not named is not read. */
export type TableColumns = {
  /** Path of the picture, absolute or below `root`. */
  readonly file: string;
  readonly label: string;
  readonly patient?: string;
  /** A name for the film that may be shown; default: a hash of its path. */
  readonly id?: string;
  readonly exam?: string;
  /** `L`, `R`, `left`, `right`. */
  readonly laterality?: string;
  /** `CC`, `MLO` … */
  readonly view?: string;
  /** `train`, `val`, `dev`, `test`. */
  readonly split?: string;
  readonly age?: string;
  readonly density?: string;
  readonly assessment?: string;
};

/** How to read a table of files. */
export type TableOptions = {
  readonly columns: TableColumns;
  /** The folder that relative paths start from; default: the folder of the table. */
  readonly root?: string;
  /** Finds the patient in the path, where no column names it. */
  readonly patient?: RegExp;
  /** The name of the dataset; default `"table"`. */
  readonly name?: string;
};

/**
 * A table of files (CSV with commas, semicolons or tabs), a row a film, with the columns that the caller names.
 *
 * A film that is listed again with the same label is one record; with another label, side or patient it is an error, since
 * nobody but the owner of the table knows which is right. Cells that do not fit their scale are left out, and the record says so.
 *
 * @throws MammolabError when a named column is missing, a film has two labels, sides or patients, a row names no file, or a
 *   pattern matches nothing
 */
export async function loadTable(path: string, options: TableOptions): Promise<Dataset> {
  const { columns, root = dirname(path), patient: pattern, name = "table" } = options;
  const table = await readCsv(path);
  for (const [what, column] of Object.entries(columns)) {
    if (!table.columns.includes(column)) {
      throw new MammolabError(
        `Cannot read ${path}: it has no column "${column}" for the ${what}, only ${
          table.columns.map((name) => `"${name}"`).join(", ")
        }; name one of them`,
      );
    }
  }
  const fileOf = (row: CsvRow): string => {
    const file = table.cell(row, columns.file);
    if (file === "") {
      throw new MammolabError(`Cannot read ${path}: row ${row.number} names no file; complete or remove it`);
    }
    return isAbsolute(file) ? file : join(root, file);
  };
  const oddities: Oddity[] = [];
  const films = [...Map.groupBy(table.rows, fileOf)];
  refuseTorn(films.map(([, rows]) => rows), { table, path, columns });
  const records: FilmRecord[] = [];
  for (const [file, rows] of films) {
    const record = recordOf(file, rows[0]!, { table, columns, pattern, name, oddities });
    if (rows.length > 1) {
      oddities.push({
        kind: "listed twice",
        record: record.id,
        rows: rows.map(({ number }) => number),
      });
    }
    if (!await exists(file)) oddities.push({ kind: "file missing", record: record.id });
    records.push(record);
  }
  if (records.length === 0) {
    throw new MammolabError(`Cannot read ${path}: it has headings but no rows; give a table of films`);
  }
  refuseTwoFiles(records, path);
  oddities.push(...unknownPatients(records, { pattern: columns.patient ? undefined : pattern, source: path }));
  return datasetOf(name, records, oddities);
}

type Context = {
  readonly table: CsvTable;
  readonly columns: TableColumns;
  readonly pattern: RegExp | undefined;
  readonly name: string;
  readonly oddities: Oddity[];
};

function recordOf(file: string, row: CsvRow, { table, columns, pattern, name, oddities }: Context): FilmRecord {
  const at = (column: keyof TableColumns): string =>
    columns[column] === undefined ? "" : table.cell(row, columns[column]);
  const id = at("id") || shortHash(normalize(at("file").replaceAll("\\", "/")), 12);
  const read = <T>(
    field: keyof TableColumns,
    scale: string,
    meaning: (text: string) => T | undefined,
  ): T | undefined => {
    const text = at(field);
    const value = text === "" ? undefined : meaning(text);
    if (text !== "" && value === undefined) {
      oddities.push({ kind: "value outside its scale", record: id, field, value: text, scale });
    }
    return value;
  };
  const found = at("patient") || (pattern && patientOf(at("file"), pattern));
  const laterality = read("laterality", "L or R", lateralityNamed);
  const view = read("view", viewNames.join(" "), (text) => viewNames.find((view) => view === text.toUpperCase()));
  const split = read("split", "train, val or test", sideNamed);
  const age = read("age", "0 … 120 years", yearsNamed);
  if (at("label") === "") {
    oddities.push({ kind: "no label", record: id, why: `the cell of row ${row.number} is empty` });
  }
  return {
    id,
    ...(found ? { patient: found, patientFrom: at("patient") ? "column" : "file name" } : { patientFrom: "unknown" }),
    ...(at("exam") ? { exam: at("exam") } : {}),
    ...(laterality ? { laterality } : {}),
    ...(view ? { view } : {}),
    labels: at("label") ? { image: { value: at("label"), rule: `column "${columns.label}"` } } : {},
    ...(at("density") ? { density: at("density") } : {}),
    ...(at("assessment") ? { assessment: at("assessment") } : {}),
    ...(age === undefined ? {} : { age }),
    lesions: [],
    ...(split ? { split } : {}),
    file,
    dataset: name,
    oddities: [],
  };
}

function lateralityNamed(text: string): Laterality | undefined {
  return /^(l|left)$/i.test(text) ? "L" : /^(r|right)$/i.test(text) ? "R" : undefined;
}

/** Ages above 89 would single people out: they become 89, as in DICOM PS3.15 and the privacy rules behind it. */
function yearsNamed(text: string): number | undefined {
  const years = Number(text.replace(",", "."));
  return years >= 0 && years <= 120 ? Math.min(89, years) : undefined;
}

/** A film has one label, one side and is of one patient. Patients are not named, since their cells may hold names. */
function refuseTorn(
  films: readonly CsvRow[][],
  { table, path, columns }: Pick<Context, "table" | "columns"> & { path: string },
): void {
  const differ = (column: string | undefined) =>
    column === undefined ? [] : films.filter((rows) => new Set(rows.map((row) => table.cell(row, column))).size > 1);
  const refuse = (torn: readonly CsvRow[][], said: (row: CsvRow, index: number) => string, remedy: string) => {
    const [first] = torn;
    if (!first) return;
    const rows = first.slice(0, 3).map(said).join(" and ") + (first.length > 3 ? " …" : "");
    const more = torn.length > 1 ? ` (and ${torn.length - 1} more files are like it)` : "";
    const file = table.cell(first[0]!, columns.file);
    throw new MammolabError(`Cannot read ${path}: ${file} is ${rows}${more}; ${remedy}`);
  };
  const inColumn = (column: string) => (row: CsvRow) => `"${table.cell(row, column)}" in row ${row.number}`;
  refuse(differ(columns.label), inColumn(columns.label), "keep one label a file");
  refuse(differ(columns.split), inColumn(columns.split ?? ""), "keep one side a file");
  refuse(
    differ(columns.patient),
    ({ number }, i) => `of ${i === 0 ? "one patient" : "another"} in row ${number}`,
    "keep one patient a file",
  );
}

function refuseTwoFiles(records: readonly FilmRecord[], path: string): void {
  for (const [id, same] of Map.groupBy(records, ({ id }) => id)) {
    if (same.length > 1) {
      throw new MammolabError(
        `Cannot read ${path}: ${same.length} files have the id "${id}"; name a column with one id a film`,
      );
    }
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    return (await Deno.stat(file)).isFile;
  } catch {
    return false;
  }
}
