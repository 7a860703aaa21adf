import { join } from "node:path";
import { MammolabError } from "../base/mod.ts";
import { identityFromName } from "../io/mod.ts";
import { shortHash } from "./_hash.ts";
import { patientOf, sideNamed, unknownPatients } from "./_patients.ts";
import { type Dataset, datasetOf, type Oddity } from "./oddities.ts";
import type { FilmRecord } from "./records.ts";

/** How to read a folder of classes. */
export type FolderOptions = {
  /** The name of the dataset; default `"folder"`. */
  readonly name?: string;
  /** Finds the patient in the path below the folder, by its group `patient` or its first group: `/(\w+?)_[LR]_/`. */
  readonly patient?: RegExp;
};

const pictures = /\.(dcm|dicom|png|pgm|pnm|jpe?g|tiff?)$/i;

/**
 * A folder with a folder for each class: `root/malignant/**`, or with the publisher's sides above: `root/train/malignant/**`.
 *
 * The name of the class folder is the label. The id of a record is a hash of its path below `root`, so that file names, which
 * may name people, do not travel with it. Side and view are read from the name where it tells them (`P1_L_CC.png`). Where no pattern tells the patient, the patient is unknown, and the dataset says so.
 *
 * @throws MammolabError when there are no class folders, no pictures, other folders beside those of sides, or when the pattern
 * matches no name
 */
export async function loadFolder(root: string, { name = "folder", patient }: FolderOptions = {}): Promise<Dataset> {
  const top = await list(root);
  const sideFolders = top.folders.filter((folder) => sideNamed(folder) !== undefined);
  const sides = sideFolders.length > 0;
  if (sides && sideFolders.length < top.folders.length) { // else "train" and "test" would be classes
    throw new MammolabError(
      `Cannot read ${root} as a folder of classes: beside the sides (${sideFolders.join(", ")}) lies ${
        top.folders.find((folder) => !sideFolders.includes(folder))
      }, which is none; move it elsewhere`,
    );
  }
  const branches = sides
    ? await Promise.all(top.folders.map(async (side) => ({ path: [side], ...await list(join(root, side)) })))
    : [{ path: [] as string[], ...top }];

  const records: FilmRecord[] = [];
  let others = 0;
  for (const branch of branches) {
    others += branch.files.length;
    for (const label of branch.folders) {
      for await (const path of walk(root, [...branch.path, label])) {
        const below = path.join("/");
        if (!pictures.test(below)) {
          others++;
          continue;
        }
        const known = patient && patientOf(below, patient);
        const { laterality, view } = identityFromName(below);
        const split = sides ? sideNamed(branch.path[0]!) : undefined;
        records.push({
          id: shortHash(below, 12),
          ...(known === undefined ? { patientFrom: "unknown" } : { patient: known, patientFrom: "file name" }),
          ...(laterality ? { laterality } : {}),
          ...(view ? { view } : {}),
          labels: { image: { value: label, rule: "name of the folder" } },
          lesions: [],
          ...(split ? { split } : {}),
          file: join(root, ...path),
          dataset: name,
          oddities: [],
        });
      }
    }
  }
  if (records.length === 0) {
    throw new MammolabError(
      `Cannot read ${root} as a folder of classes: no picture (dcm, png, pgm, jpg, tif) lies in a folder below it; put each class in a folder of its own, or give a table`,
    );
  }
  const oddities: Oddity[] = unknownPatients(records, { pattern: patient, source: root });
  if (others > 0) oddities.push({ kind: "file passed over", files: others, why: "no picture, or in no class folder" });
  return datasetOf(name, records.sort((a, b) => a.file < b.file ? -1 : 1), oddities);
}

async function list(folder: string): Promise<{ folders: string[]; files: string[] }> {
  const [folders, files]: [string[], string[]] = [[], []];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.startsWith(".")) continue;
      const directory = entry.isDirectory ||
        (entry.isSymlink && (await Deno.stat(join(folder, entry.name)).catch(() => undefined))?.isDirectory);
      (directory ? folders : files).push(entry.name);
    }
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such folder" : (cause as Error).name;
    throw new MammolabError(`Cannot read ${folder}: ${reason}; check the path and its rights`, { cause });
  }
  return { folders: folders.sort(), files };
}

/** Every file below, as the parts of its path; a folder that is a link is followed once, so that a ring of links ends. */
async function* walk(
  root: string,
  path: readonly string[],
  seen = new Set<string>(),
): AsyncGenerator<readonly string[]> {
  const folder = join(root, ...path);
  const real = await Deno.realPath(folder);
  if (seen.has(real)) return;
  seen.add(real);
  const { folders, files } = await list(folder);
  for (const file of files) yield [...path, file];
  for (const inner of folders) yield* walk(root, [...path, inner], seen);
}
