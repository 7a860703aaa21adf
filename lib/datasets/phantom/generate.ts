import { join } from "node:path";
import {
  checkFolder,
  createPool,
  inOrder,
  MammolabError,
  type OnProgress,
  progressCounter,
  writeFileAtomic,
} from "../../base/mod.ts";
import type { WriteSyntax } from "../../io/mod.ts";
import type { FilmRecord } from "../records.ts";
import type { PhantomOptions } from "./phantom.ts";
import { checkOptions, checkSeed } from "./refuse.ts";
import { phantomTable } from "./table.ts";
import type { PhantomJob } from "./write.ts";

/** What is written where, and how. */
export type GenerateOptions = PhantomOptions & {
  readonly folder: string;
  /** Default `"explicit"`, which everything opens; `"deflated"` takes a third of the space. */
  readonly syntax?: WriteSyntax;
  /** How many are drawn at once; the bytes do not depend on it. Default: the number of cores, at most 4. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
};

/**
 * Writes exams as DICOM, their masks as PNG, and three tables: `table.json`, `films.csv`, `lesions.csv`.
 *
 * @param seeds one exam each
 * @returns the records of all films, in the order of the seeds. After an abort: those of the exams that were finished, which
 * are also what the tables hold
 * @throws MammolabError when an option makes no sense, a seed comes twice or the folder cannot be written
 */
export async function generatePhantoms(
  seeds: readonly number[],
  { folder, syntax = "explicit", workers, signal, onProgress, ...options }: GenerateOptions,
): Promise<readonly FilmRecord[]> {
  seeds.forEach(checkSeed);
  checkOptions(options);
  if (new Set(seeds).size < seeds.length) {
    throw new MammolabError(
      "Cannot draw the phantoms: a seed comes twice, and would be two exams of one name; leave one out",
    );
  }
  await checkFolder(folder);
  await using pool = createPool<PhantomJob, readonly FilmRecord[]>({
    carrier: "worker",
    module: new URL("./write.ts", import.meta.url),
    deadlineMs: 600_000,
    ...(workers === undefined ? {} : { size: workers }),
  });
  const count = progressCounter("exams", seeds.length, onProgress);
  const records: FilmRecord[] = [];
  const draw = (seed: number) => pool.run({ seed, options, folder, syntax }, { what: `draw phantom ${seed}` });
  for await (const outcome of inOrder(seeds, draw, { atOnce: pool.size + 1 })) {
    if ("error" in outcome) throw outcome.error;
    records.push(...outcome.result);
    count();
    if (signal?.aborted) break;
  }
  for (const [name, text] of Object.entries(phantomTable(records, options))) {
    await writeFileAtomic(join(folder, name), text);
  }
  return records;
}
