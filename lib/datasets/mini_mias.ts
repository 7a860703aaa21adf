import { basename, dirname, join } from "node:path";
import { MammolabError } from "../base/mod.ts";
import { type Dataset, datasetOf, type Oddity } from "./oddities.ts";
import type { FilmRecord, Lesion } from "./records.ts";

/** Width and height of every film, in pixels of 0.2 mm. */
const size = 1024;

const kinds: Readonly<Record<string, string>> = {
  CALC: "calcification",
  CIRC: "circumscribed mass",
  SPIC: "spiculated mass",
  MISC: "ill-defined mass",
  ARCH: "architectural distortion",
  ASYM: "asymmetry",
};

/** Circles that lie in the black beside the breast; the original MIAS (v1.21) gives no coordinates for these two films. */
const inTheBackground = new Set(["mdb212", "mdb214"]);

const rule = "truth data of Info.txt: severity of the film's worst lesion, normal where it lists none";

/**
 * mini-MIAS (Suckling et al. 1994): 322 medio-lateral oblique films of 161 patients, 1024 × 1024 pixels of 0.2 mm, 8 bits.
 *
 * Takes the published layout (`Info.txt` and `mdb001.pgm` …) and PNG copies (`mdb001.png` …), in the folder or one below.
 * What differs from a plain reading of `Info.txt`, because the films say so:
 *
 * - `y` counts from the bottom there, from the top here (58 of 58 masses are brighter than their surroundings so, 41 otherwise).
 * - Odd numbers are **left** breasts, even ones right, by the original file names (`mdb001lm`) and the letters on the films;
 *   note 1 says the opposite. Two films in a row are one patient.
 * - All films are stored mirrored (letters read backwards): `mirrored: true`; the chest wall of a left breast is at the right edge.
 *
 * The tissue letters F, G, D are not BI-RADS densities.
 *
 * @param folder what the archive was unpacked to
 * @returns a record for each film that `Info.txt` lists; those whose file is missing say so
 * @throws MammolabError when `Info.txt` is missing or a row of it cannot be understood
 */
export async function loadMiniMias(folder: string): Promise<Dataset> {
  const rows = parseInfo(await readInfo(folder));
  const files = await findFilms(folder);
  const oddities: Oddity[] = [{
    kind: "source contradicts itself",
    note:
      "note 1 of Info.txt calls even numbers left, but the original file names and the letters on the films call odd numbers left: odd is left here",
  }];
  const records = [...Map.groupBy(rows, ({ film }) => film)].map(([id, listed]) => {
    const lesions = listed.filter(({ kind }) => kind !== "NORM").map(lesionOf);
    const pathologies = new Set(lesions.map(({ pathology }) => pathology));
    for (const { kind, region } of lesions) {
      if (!region) oddities.push({ kind: "lesion without region", record: id, lesion: kind });
      else if (inTheBackground.has(id)) oddities.push({ kind: "lesion in the background", record: id, lesion: kind });
    }
    if (pathologies.size > 1) oddities.push({ kind: "benign and malignant on one film", record: id });
    if (!files.has(id)) oddities.push({ kind: "file missing", record: id });

    const number = Number(id.slice(3));
    const label = pathologies.has("malignant") ? "malignant" : pathologies.has("benign") ? "benign" : "normal";
    const record: FilmRecord = {
      id,
      patient: `${Math.ceil(number / 2)}`,
      patientFrom: "dataset",
      laterality: number % 2 === 1 ? "L" : "R",
      view: "MLO",
      mirrored: true,
      spacing: { row: 0.2, column: 0.2, basis: "detector" },
      labels: { image: { value: label, rule } },
      density: listed[0]!.tissue,
      densityScale: "mini-MIAS F/G/D",
      lesions,
      file: files.get(id) ?? join(folder, `${id}.pgm`),
      dataset: "mini-mias",
      oddities: [],
    };
    return record;
  });
  return datasetOf("mini-mias", records, oddities);
}

/** True where a folder, or the one above it, holds the `Info.txt` of mini-MIAS. */
export async function isMiniMias(folder: string): Promise<boolean> {
  return /^mdb\d{3} [FGD] /m.test(await readInfo(folder).catch(() => ""));
}

type Row = {
  readonly film: string;
  readonly tissue: string;
  readonly kind: string;
  readonly severity?: "B" | "M";
  readonly circle?: readonly [x: number, y: number, radius: number];
};

function parseInfo(text: string): Row[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (!/^mdb\d{3}\s/.test(line)) return [];
    const [film, tissue, kind, severity, ...place] = line.trim().split(/\s+/);
    const circle = place.map(Number);
    const understood = /^[FGD]$/.test(tissue ?? "") && (kind === "NORM" || kind! in kinds) &&
      (kind === "NORM" ? severity === undefined : severity === "B" || severity === "M");
    if (!understood) {
      throw new MammolabError(
        `Cannot read Info.txt of mini-MIAS: line ${
          index + 1
        } is not "film tissue class severity x y radius" with the letters that its head explains; use the published file`,
      );
    }
    return [{
      film: film!,
      tissue: tissue!,
      kind: kind!,
      ...(severity === undefined ? {} : { severity: severity as "B" | "M" }),
      // Rows of widely spread calcifications have "*NOTE 3*" (note 4 is meant) or nothing in place of the numbers.
      ...(circle.length === 3 && circle.every(Number.isFinite) ? { circle: circle as [number, number, number] } : {}),
    }];
  });
}

function lesionOf({ kind, severity, circle }: Row): Lesion {
  return {
    kind: kinds[kind]!,
    pathology: severity === "M" ? "malignant" : "benign",
    stated: { class: kind, severity: severity! },
    ...(circle ? { region: { kind: "circle", x: circle[0], y: size - circle[1], radius: circle[2] } } : {}),
  };
}

async function readInfo(folder: string): Promise<string> {
  for (const path of [join(folder, "Info.txt"), join(dirname(folder), "Info.txt")]) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      const absent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
      if (!absent) {
        throw new MammolabError(`Cannot read ${path}: ${(error as Error).name}; check its rights`, { cause: error });
      }
    }
  }
  throw new MammolabError(
    `Cannot read mini-MIAS in ${folder}: it has no Info.txt, which holds the labels; give the folder to which the archive was unpacked`,
  );
}

/** Film → file, in the folder or in one below it; the published `.pgm` before a `.png` copy. */
async function findFilms(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const take = (path: string) => {
    const name = basename(path).toLowerCase();
    if (!/^mdb\d{3}\.(pgm|png)$/.test(name)) return;
    const film = name.slice(0, 6);
    if (name.endsWith(".pgm") || !found.has(film)) found.set(film, path);
  };
  const below: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) below.push(path);
    else take(path);
  }
  for (const inner of below.sort()) {
    for await (const entry of Deno.readDir(inner)) if (!entry.isDirectory) take(join(inner, entry.name));
  }
  return found;
}
