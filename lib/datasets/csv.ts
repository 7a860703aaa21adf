import { type CsvError, parse } from "csv-parse/sync";
import { MammolabError } from "../base/mod.ts";

/** A table of text as it stands in the file: nothing is guessed, every cell is a trimmed string. */
export type CsvTable = {
  /** The headings, in order. */
  readonly columns: readonly string[];
  /** Cells by heading are read with {@linkcode CsvTable.cell}. */
  readonly rows: readonly CsvRow[];
  /** The separator that was found. */
  readonly delimiter: string;
  /** The cell of a row under a heading; `""` where the table has no such column. */
  readonly cell: (row: CsvRow, column: string) => string;
};

/** One record of a table. */
export type CsvRow = {
  /** As a spreadsheet counts: the heading is row 1, and an empty line is a row too. */
  readonly number: number;
  readonly cells: readonly string[];
};

/**
 * Reads comma, semicolon or tab separated text: with or without byte order mark, LF or CRLF, quoted line breaks,
 * UTF-8, UTF-16 (with its mark) or, where it is not UTF-8, Windows-1252 as spreadsheets write it.
 *
 * @param name how errors call the table
 * @throws MammolabError when quotes are not closed, a row is longer or shorter than the heading, or headings repeat
 */
export function parseCsv(bytes: Uint8Array, name: string): CsvTable {
  const text = decode(bytes);
  const delimiter = delimiterOf(text);
  let records: string[][];
  const numbers: number[] = []; // of the rows, with the empty ones that are skipped
  try {
    records = parse(text, {
      bom: true,
      delimiter,
      trim: true, // a space before a quotation mark is no part of the cell
      skip_empty_lines: true,
      relax_column_count: false,
      on_record(record: string[], { empty_lines: emptyLines }) {
        numbers.push(numbers.length + emptyLines + 1);
        return record;
      },
    });
  } catch (cause) {
    throw new MammolabError(`Cannot read ${name}: ${reasonOf(cause as CsvError)}`, { cause });
  }
  const [heading, ...body] = records.map((cells) => cells.map((cell) => cell.trim())); // `trim` leaves quoted cells
  if (!heading) throw new MammolabError(`Cannot read ${name}: the table is empty; give one with a row of headings`);
  const place = new Map(heading.map((column, index) => [column, index]));
  if (place.size < heading.length) {
    const twice = heading.find((column, index) => heading.indexOf(column) !== index);
    throw new MammolabError(
      `Cannot read ${name}: the heading "${twice}" stands there twice; rename one of the two columns`,
    );
  }
  return {
    columns: heading,
    rows: body.map((cells, index) => ({ number: numbers[index + 1]!, cells })),
    delimiter,
    cell: ({ cells }, column) => cells[place.get(column) ?? -1] ?? "",
  };
}

/** Reads a file with {@linkcode parseCsv}. */
export async function readCsv(path: string): Promise<CsvTable> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : (cause as Error).name;
    throw new MammolabError(`Cannot read ${path}: ${reason}; check the path and its rights`, { cause });
  }
  return parseCsv(bytes, path);
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The separator that the heading has most of, outside quotes; the comma where it has none. */
function delimiterOf(text: string): string {
  const heading = text.replace(/"[^"]*"/g, "").split(/\r?\n/, 1)[0] ?? "";
  const count = (mark: string) => heading.split(mark).length - 1;
  return [",", ";", "\t"].reduce((best, mark) => count(mark) > count(best) ? mark : best);
}

function reasonOf({ code, message, lines }: CsvError): string {
  const where = lines === undefined ? "" : ` near line ${lines}`;
  if (code === "CSV_QUOTE_NOT_CLOSED") return `a quotation mark${where} is never closed; close or double it`;
  if (code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH") {
    return `a row${where} has another number of cells than the heading; correct the row`;
  }
  if (code?.includes("QUOTE")) return `a quotation mark${where} stands inside a cell; double it`;
  return `${message.split("\n")[0]}; save it again as CSV`;
}
