import { join } from "node:path";
import { checkWord, MammolabError } from "../base/mod.ts";
import { type CbisDdsmRule, isCbisDdsm, loadCbisDdsm } from "./cbis_ddsm.ts";
import { loadFolder } from "./folder.ts";
import { isMiniMias, loadMiniMias } from "./mini_mias.ts";
import { type Dataset, datasetOf } from "./oddities.ts";
import { loadPhantoms } from "./phantom/mod.ts";
import { loadTable, type TableColumns } from "./table.ts";

/** The kinds of source that are known. */
export const datasetKinds = ["mini-mias", "cbis-ddsm", "phantom", "table", "folder"] as const;

/** One of {@linkcode datasetKinds}. */
export type DatasetKind = typeof datasetKinds[number];

/** What loaders may need to be told; each kind of source takes some of it. */
export type DatasetOptions = {
  /** CBIS-DDSM. */
  readonly rule?: CbisDdsmRule;
  /** Tables. */
  readonly columns?: TableColumns;
  /** Tables. */
  readonly root?: string;
  /** Tables and folders. */
  readonly patient?: RegExp;
};

/** Which options a kind of source takes. */
export const optionsOf: Readonly<Record<DatasetKind, readonly (keyof DatasetOptions)[]>> = {
  "mini-mias": [],
  "cbis-ddsm": ["rule"],
  "phantom": [],
  "table": ["columns", "root", "patient"],
  "folder": ["patient"],
};

/**
 * What a source is: a file is a table; a folder is known by what lies in it, else it is a folder of classes.
 *
 * @throws MammolabError when there is nothing at the path
 */
export async function datasetKind(source: string): Promise<DatasetKind> {
  let file: Deno.FileInfo;
  try {
    file = await Deno.stat(source);
  } catch (cause) {
    throw new MammolabError(`Cannot read ${source}: there is no such file or folder; check the path`, { cause });
  }
  if (file.isFile) return "table";
  if (await isMiniMias(source)) return "mini-mias";
  if (await isCbisDdsm(source)) return "cbis-ddsm";
  const phantom = await Deno.stat(join(source, "table.json")).then(({ isFile }) => isFile, () => false);
  return phantom ? "phantom" : "folder";
}

/**
 * Loads any dataset that is known.
 *
 * @param kind default: what {@linkcode datasetKind} sees
 * @throws MammolabError for options that this kind of source does not take, and what its loader throws
 */
export async function loadDataset(source: string, options: DatasetOptions = {}, kind?: DatasetKind): Promise<Dataset> {
  const known = kind ?? await datasetKind(source);
  checkWord(`Cannot read ${source}: the kind`, known, datasetKinds);
  const idle = (Object.keys(options) as (keyof DatasetOptions)[]).find((option) => !optionsOf[known].includes(option));
  if (idle) {
    const takes = optionsOf[known].join(", ") || "no options";
    throw new MammolabError(
      `Cannot read ${source} as ${known} with the option "${idle}": it takes ${takes}; leave it out`,
    );
  }
  const { rule, columns, root, patient } = options;
  switch (known) {
    case "mini-mias":
      return await loadMiniMias(source);
    case "cbis-ddsm":
      return await loadCbisDdsm(source, { ...(rule ? { rule } : {}) });
    case "phantom":
      return datasetOf("phantom", await loadPhantoms(source), []);
    case "folder":
      return await loadFolder(source, { ...(patient ? { patient } : {}) });
    case "table":
      if (!columns && /\.(dcm|png|pgm|jpe?g)$/i.test(source)) {
        throw new MammolabError(
          `Cannot read ${source} as a table: it is named like one film; give the folder of its dataset, or a table of films`,
        );
      }
      if (!columns) {
        throw new MammolabError(
          `Cannot read the table ${source}: nothing says which columns hold the file and the label; name them, on the command line with --columns file=COLUMN,label=COLUMN`,
        );
      }
      return await loadTable(source, { columns, ...(root ? { root } : {}), ...(patient ? { patient } : {}) });
  }
}
