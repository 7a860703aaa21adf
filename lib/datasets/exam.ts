import { basename, join, resolve } from "node:path";
import { MammolabError } from "../base/mod.ts";
import { type Laterality, loadMammogram, type LoadOptions, type Mammogram, type View } from "../io/mod.ts";

/** The four standard views by their names. */
export type StandardView = "leftCc" | "rightCc" | "leftMlo" | "rightMlo";

/** The films of one patient at one time. */
export type Exam = {
  /** The name of its folder, or of its phantom. */
  readonly id: string;
  /** As in {@linkcode Mammogram}; absent when unknown. */
  readonly patient?: string;
  /** The first film of each standard view. */
  readonly views: Readonly<Partial<Record<StandardView, Mammogram>>>;
  /** All other films: other views, repeated views, films that do not say what they show. */
  readonly others: readonly Mammogram[];
  /**
   * The film of one view.
   *
   * @throws MammolabError when the exam has none, saying which it has
   */
  readonly view: (laterality: Laterality, view: View) => Mammogram;
};

/**
 * Loads all films in a folder (not in folders below it) as one exam. Side and view come from the file's header, else from its name.
 *
 * @param options as for `loadMammogram`, for each film
 * @throws MammolabError when the folder is missing or holds no film, when a film cannot be read, or when films are of two patients
 */
export async function loadExam(folder: string, options: LoadOptions = {}): Promise<Exam> {
  const films: Mammogram[] = [];
  for (const name of await filmsIn(folder)) films.push(await loadMammogram(join(folder, name), options));
  const patients = new Set(films.flatMap(({ patient }) => patient === undefined ? [] : [patient]));
  if (patients.size > 1) {
    const named = films.some(({ patientFrom }) => patientFrom === "file name");
    throw new MammolabError(
      `Cannot load ${folder} as one exam: its films are of ${patients.size} patients${
        named ? ", by the numbers that their names begin with" : ""
      }; keep each patient in a folder${named ? ", and number the films elsewhere (L-CC_1.png)" : ""}`,
    );
  }
  return examOf(basename(resolve(folder)), films);
}

const endings = /\.(dcm|dicom|ima|png|pgm|pnm|jpe?g)$/i;

/** DICOM files often have no ending at all, or a UID for a name; a DICOMDIR is the table of contents of a disk. */
async function filmsIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const isFilm = endings.test(name) || /^([0-9.]+|[^.]+)$/.test(name);
      if (isFile && !name.startsWith(".") && isFilm && name.toUpperCase() !== "DICOMDIR") names.push(name);
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
    const found = cause instanceof Deno.errors.NotFound ? "there is no such folder" : "it is a file, not a folder";
    throw new MammolabError(`Cannot load the exam ${folder}: ${found}; check the path`, { cause });
  }
  if (names.length === 0) {
    throw new MammolabError(`Cannot load the exam ${folder}: no film lies in it; give the folder that holds the films`);
  }
  return names.sort();
}

/**
 * Films as an exam.
 *
 * @example
 * ```ts
 * import { phantomAsExam, phantomExam } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * const exam = phantomAsExam(phantomExam(1, { mm: 1 }));
 * assertEquals(exam.view("L", "MLO").laterality, "L");
 * ```
 */
export function examOf(id: string, films: readonly Mammogram[]): Exam {
  const views: Partial<Record<StandardView, Mammogram>> = {};
  const others: Mammogram[] = [];
  for (const film of films) {
    const name = standardView(film);
    if (name === undefined || views[name] !== undefined) others.push(film);
    else views[name] = film;
  }
  const patient = films.find(({ patient }) => patient !== undefined)?.patient;
  return {
    id,
    ...(patient === undefined ? {} : { patient }),
    views,
    others,
    view(laterality, view) {
      const film = [...Object.values(views), ...others].find((one) =>
        one.laterality === laterality && one.view === view
      );
      if (film) return film;
      const known = films.map((one) => `${one.laterality ?? "?"}-${one.view ?? "?"}`).join(", ");
      throw new MammolabError(
        `Cannot find ${laterality}-${view} in exam ${id}: it has ${known || "no film"}; choose one of them`,
      );
    },
  };
}

function standardView({ laterality, view }: Mammogram): StandardView | undefined {
  if (laterality === undefined || (view !== "CC" && view !== "MLO")) return undefined;
  return `${laterality === "L" ? "left" : "right"}${view === "CC" ? "Cc" : "Mlo"}`;
}
