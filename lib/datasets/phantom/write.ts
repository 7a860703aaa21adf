import { join } from "node:path";
import { type FileSystem, writeFileAtomic } from "../../base/mod.ts";
import { encodePng, writeDicom, type WriteSyntax } from "../../io/mod.ts";
import type { FilmRecord } from "../records.ts";
import { phantomDataSet } from "./dicom.ts";
import { type PhantomExam, phantomExam, type PhantomOptions } from "./phantom.ts";
import { filesOf, phantomRecords } from "./records.ts";

/** One exam to write: plain JSON, so that it can be a job of a pool. */
export type PhantomJob = {
  readonly seed: number;
  readonly options: PhantomOptions;
  /** The exam gets a folder in it. */
  readonly folder: string;
  readonly syntax: WriteSyntax;
};

/**
 * Draws one exam and writes it.
 *
 * @returns the records of its films, with paths from `folder`
 */
export async function writePhantomExam({ seed, options, folder, syntax }: PhantomJob): Promise<readonly FilmRecord[]> {
  const exam = phantomExam(seed, options);
  await writeFilms(exam, { folder, syntax });
  return portable(phantomRecords(exam));
}

/** Writes the films of an exam as DICOM and the masks of its lesions as PNG. */
export async function writeFilms(
  exam: PhantomExam,
  { folder, syntax, ...disk }: Pick<PhantomJob, "folder" | "syntax"> & { readonly fileSystem?: FileSystem },
): Promise<void> {
  for (const film of exam.views) {
    const files = filesOf(exam, film);
    await writeFileAtomic(join(folder, files.film), writeDicom(phantomDataSet(exam, film), { syntax }), disk);
    for (const [k, { mask }] of film.lesions.entries()) {
      const png = encodePng(mask.map((value) => 255 * value), { width: film.width, height: film.height });
      await writeFileAtomic(join(folder, files.mask(k)), png, disk);
    }
  }
}

/** Records for a table: masks are in files, so a lesion's region is the circle that it was drawn in. */
function portable(records: readonly FilmRecord[]): readonly FilmRecord[] {
  return records.map((record) => ({
    ...record,
    lesions: record.lesions.map((lesion) => {
      const { centerX, centerY, radiusMm } = lesion.stated!;
      const radius = Number(radiusMm) / record.spacing!.row;
      return { ...lesion, region: { kind: "circle", x: Number(centerX), y: Number(centerY), radius } };
    }),
  }));
}

/** The work of a pool (lib/base/pool.ts). */
export function work(job: PhantomJob): Promise<readonly FilmRecord[]> {
  return writePhantomExam(job);
}
