import { join } from "node:path";
import { MammolabError } from "../../base/mod.ts";
import type { FilmRecord } from "../records.ts";
import { notAPatient } from "./dicom.ts";
import type { PhantomOptions } from "./phantom.ts";
import { phantomDataset } from "./records.ts";

/** The tables of a folder of phantoms: name → text. JSON for programs, CSV for spreadsheets. */
export function phantomTable(
  records: readonly FilmRecord[],
  options: PhantomOptions,
): Readonly<Record<string, string>> {
  const json = { schemaVersion: 1, dataset: phantomDataset, note: notAPatient, options, records };
  return {
    "table.json": JSON.stringify(json, null, 1) + "\n",
    "films.csv": csv(records.map(filmRow)),
    "lesions.csv": csv(records.flatMap(lesionRows)),
  };
}

/**
 * Reads `table.json` back.
 *
 * @returns records whose `file` and mask pictures are paths below `folder`
 * @throws MammolabError when the table is missing or not one that `deno task phantom` wrote
 */
export async function loadPhantoms(folder: string): Promise<readonly FilmRecord[]> {
  const path = join(folder, "table.json");
  let table: { dataset?: unknown; records?: unknown };
  try {
    table = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file; make phantoms with `deno task phantom`, or give their folder"
      : "it is not JSON; make the phantoms again";
    throw new MammolabError(`Cannot read ${path}: ${why}`, { cause });
  }
  if (table.dataset !== phantomDataset || !Array.isArray(table.records)) {
    throw new MammolabError(
      `Cannot read ${path}: it is no table of phantoms; give a folder that \`deno task phantom\` wrote`,
    );
  }
  return (table.records as FilmRecord[]).map((record) => ({
    ...record,
    file: join(folder, record.file),
    lesions: record.lesions.map((lesion) => ({
      ...lesion,
      ...(lesion.pictures ? { pictures: lesion.pictures.map((picture) => join(folder, picture)) } : {}),
    })),
  }));
}

type Row = Readonly<Record<string, string | number>>;

function filmRow(
  { id, patient, exam, laterality, view, labels, density, assessment, age, spacing, lesions, file }: FilmRecord,
): Row {
  return {
    id,
    file,
    patient: patient ?? "",
    exam: exam ?? "",
    laterality: laterality ?? "",
    view: view ?? "",
    label: labels.image?.value ?? "",
    breast_label: labels.breast?.value ?? "",
    patient_label: labels.patient?.value ?? "",
    density: density ?? "",
    assessment: assessment ?? "",
    age: age ?? "",
    mm: spacing?.row ?? "",
    lesions: lesions.length,
  };
}

function lesionRows({ id, exam, laterality, view, lesions }: FilmRecord): Row[] {
  return lesions.map(({ kind, pathology, stated, pictures }) => ({
    film: id,
    exam: exam ?? "",
    laterality: laterality ?? "",
    view: view ?? "",
    kind,
    pathology: pathology ?? "",
    x: stated?.centerX ?? "",
    y: stated?.centerY ?? "",
    radius_mm: stated?.radiusMm ?? "",
    contrast: stated?.contrast ?? "",
    ring_cnr: stated?.ringCnr ?? "",
    mask: pictures?.[0] ?? "",
  }));
}

/** Nothing that is written here needs quotes. */
function csv(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  return [columns, ...rows.map((row) => columns.map((column) => row[column]!))].map((cells) => cells.join(",") + "\n")
    .join("");
}
