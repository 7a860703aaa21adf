import { join } from "node:path";
import { checkWord, MammolabError } from "../base/mod.ts";
import { type CsvRow, type CsvTable, readCsv } from "./csv.ts";
import { type Dataset, datasetOf, type Oddity } from "./oddities.ts";
import type { FilmRecord, Label, Lesion } from "./records.ts";

/**
 * What makes a film of CBIS-DDSM positive. `BENIGN_WITHOUT_CALLBACK` (682 of 3,568 lesions) was never biopsied:
 *
 * - `pathology`: it is benign
 * - `pathology in three classes`: it is a class of its own
 * - `pathology of biopsied lesions`: it does not count; films that have nothing else get no label
 * - `assessment`: BI-RADS 4 and 5 are `suspicious`, 1 to 3 `not suspicious`; 0 (incomplete) does not count
 */
export type CbisDdsmRule = "pathology" | "pathology in three classes" | "pathology of biopsied lesions" | "assessment";

/**
 * CBIS-DDSM (Lee et al. 2017, Sci Data 170177) from its four case description tables; no image is opened.
 *
 * A row of the tables is a lesion, a record here is a film with all its lesions. `split` is the publisher's side, of which
 * there is one division for masses and another for calcifications: 31 patients are on both sides of the two pooled, and
 * 29 films even lie on both sides, under two names. `checkRecords` finds them.
 *
 * @param folder holds any of `{mass,calc}_case_description_{train,test}_set.csv`
 * @param options.rule what makes the label of a film, from its worst lesion
 */
export async function loadCbisDdsm(
  folder: string,
  { rule = "pathology" }: { readonly rule?: CbisDdsmRule } = {},
): Promise<Dataset> {
  checkWord("Cannot label CBIS-DDSM: the rule", rule, Object.keys(labelBy) as CbisDdsmRule[]);
  const tables = await findTables(folder);
  if (tables.length === 0) {
    throw new MammolabError(
      `Cannot read CBIS-DDSM in ${folder}: none of its tables ({mass,calc}_case_description_{train,test}_set.csv) is there; give the folder that holds them`,
    );
  }
  const oddities: Oddity[] = [];
  const records: FilmRecord[] = [];
  for (const path of tables) {
    const table = await readCsv(path);
    const rows = table.rows.map((row) => rowOf(table, row, path));
    for (const [id, lesions] of Map.groupBy(rows, ({ film }) => film)) {
      records.push(recordOf(id, lesions, { folder, rule, oddities }));
    }
  }
  oddities.push(...filmsUnderTwoIds(records), ...densitiesOfPatients(records));
  return datasetOf("cbis-ddsm", records, oddities);
}

/** True where a folder holds tables of CBIS-DDSM. */
export async function isCbisDdsm(folder: string): Promise<boolean> {
  return (await findTables(folder).catch(() => [])).length > 0;
}

type Row = {
  readonly film: string;
  readonly path: string;
  readonly patient: string;
  readonly laterality: "L" | "R";
  readonly view: "CC" | "MLO";
  readonly density: string;
  readonly lesion: Lesion & { readonly stated: Readonly<Record<string, string>> };
  readonly number: string;
  readonly twoFolders: boolean;
};

async function findTables(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && /^(mass|calc)_case_description_(train|test)_set\.csv$/i.test(name)) names.push(name);
  }
  return names.sort().map((name) => join(folder, name));
}

/** What the lesion is called in the columns of masses and in those of calcifications. */
const descriptors = ["mass shape", "mass margins", "calc type", "calc distribution"] as const;

function rowOf({ columns, cell }: CsvTable, row: CsvRow, path: string): Row {
  const density = columns.includes("breast_density") ? "breast_density" : "breast density"; // mass and calc differ
  const at = (column: string): string => {
    if (!columns.includes(column)) {
      throw new MammolabError(`Cannot read ${path}: it has no column "${column}"; use the table as published`);
    }
    return cell(row, column);
  };
  const [side, view, pathology] = [at("left or right breast"), at("image view"), at("pathology")];
  const parts = at("image file path").split(/[/\\]/); // third parties write backslashes
  const film = parts[0] ?? "";
  const known = /^(LEFT|RIGHT)$/.test(side) && /^(CC|MLO)$/.test(view) && pathology in severity &&
    /^(Mass|Calc)-(Training|Test)_/.test(film);
  if (!known) {
    throw new MammolabError(
      `Cannot read ${path}: row ${row.number} has a side, view, pathology or image path that CBIS-DDSM does not know; use the table as published`,
    );
  }
  const pictures = [at("cropped image file path"), at("ROI mask file path")];
  const [crop, mask] = pictures.map((picture) => picture.split(/[/\\]/).slice(0, -1).join("/"));
  const stated = Object.fromEntries(
    ["pathology", "assessment", "subtlety", ...descriptors]
      .filter((column) => columns.includes(column) && cell(row, column) !== "N/A").map((
        column,
      ) => [column, cell(row, column)]),
  );
  return {
    film,
    path: parts.join("/"),
    patient: at("patient_id"),
    laterality: side === "LEFT" ? "L" : "R",
    view: view as "CC" | "MLO",
    density: at(density),
    number: at("abnormality id"),
    twoFolders: crop !== mask,
    lesion: {
      kind: at("abnormality type"),
      pathology: pathology === "MALIGNANT" ? "malignant" : "benign",
      assessment: at("assessment"),
      stated,
      pictures,
    },
  };
}

function recordOf(
  id: string,
  rows: readonly Row[],
  { folder, rule, oddities }: { readonly folder: string; readonly rule: CbisDdsmRule; readonly oddities: Oddity[] },
): FilmRecord {
  const { patient, laterality, view, density, path } = rows[0]!;
  const stated = rows.map(({ lesion }) => lesion.stated);
  const outside = (field: string, value: string | undefined, scale: string, fits: RegExp) => {
    if (value !== undefined && !fits.test(value)) {
      oddities.push({ kind: "value outside its scale", record: id, field, value, scale });
    }
  };
  outside("breast density", density, "1 … 4", /^[1-4]$/);
  for (const { subtlety } of stated) outside("subtlety", subtlety, "1 … 5", /^[1-5]$/);
  for (const { twoFolders, number } of rows) {
    if (twoFolders) oddities.push({ kind: "crop and mask in two folders", record: id, lesion: number });
  }
  const pathologies = new Set(stated.map(({ pathology }) => pathology));
  if (pathologies.has("MALIGNANT") && pathologies.size > 1) {
    oddities.push({ kind: "benign and malignant on one film", record: id });
  }
  const label = labelBy[rule](stated);
  if (!label) oddities.push({ kind: "no label", record: id, why: `no lesion counts under the rule "${rule}"` });
  const assessments = new Set(stated.map(({ assessment }) => assessment!));
  return {
    id,
    patient,
    patientFrom: "dataset",
    laterality,
    view,
    labels: label ? { image: label } : {},
    ...(/^[1-4]$/.test(density) ? { density, densityScale: "BI-RADS 1-4" } : {}),
    ...(assessments.size === 1 ? { assessment: [...assessments][0]! } : {}),
    lesions: rows.map(({ lesion }) => lesion),
    split: id.includes("-Training_") ? "training" : "test",
    file: join(folder, path),
    dataset: "cbis-ddsm",
    oddities: [],
  };
}

const severity: Readonly<Record<string, number>> = { MALIGNANT: 2, BENIGN: 1, BENIGN_WITHOUT_CALLBACK: 0 };

type Stated = readonly Readonly<Record<string, string>>[];

const worst = (lesions: Stated): string | undefined =>
  lesions.map(({ pathology }) => pathology!).sort((a, b) => severity[b]! - severity[a]!)[0];

const labelBy: Readonly<Record<CbisDdsmRule, (lesions: Stated) => Label | undefined>> = {
  "pathology": (lesions) => ({
    value: worst(lesions) === "MALIGNANT" ? "malignant" : "benign",
    rule: "pathology of the worst lesion, benign without callback taken as benign",
  }),
  "pathology in three classes": (lesions) => ({
    value: worst(lesions)!.toLowerCase().replaceAll("_", " "),
    rule: "pathology of the worst lesion, benign without callback as a third class",
  }),
  "pathology of biopsied lesions": (lesions) => {
    const biopsied = worst(lesions.filter(({ pathology }) => pathology !== "BENIGN_WITHOUT_CALLBACK"));
    return biopsied === undefined
      ? undefined
      : { value: biopsied.toLowerCase(), rule: "pathology of the worst biopsied lesion" };
  },
  "assessment": (lesions) => {
    const known = lesions.map(({ assessment }) => Number(assessment)).filter((category) => category >= 1);
    if (known.length === 0) return undefined;
    return {
      value: Math.max(...known) >= 4 ? "suspicious" : "not suspicious",
      rule: "highest BI-RADS assessment of a lesion, 4 and 5 against 1 to 3, 0 left out",
    };
  },
};

/** Films that have masses and calcifications stand in both pairs of tables, under two ids. */
function filmsUnderTwoIds(records: readonly FilmRecord[]): Oddity[] {
  const films = Map.groupBy(records, ({ patient, laterality, view }) => `${patient} ${laterality} ${view}`);
  return [...films.values()].flatMap((same) => {
    const [first, second] = same;
    if (!first || !second) return [];
    return [{ kind: "film under two ids" as const, record: first.id, other: second.id }];
  });
}

function densitiesOfPatients(records: readonly FilmRecord[]): Oddity[] {
  return [...Map.groupBy(records, ({ patient }) => patient!)].flatMap(([patient, films]) => {
    const densities = [...new Set(films.flatMap(({ density }) => density ?? []))].sort();
    return densities.length > 1 ? [{ kind: "patient with several densities" as const, patient, densities }] : [];
  });
}
