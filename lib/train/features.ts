import { createHash } from "node:crypto";
import { join } from "node:path";
import { MammolabError, type OnProgress, progressCounter, writeFileAtomic } from "../base/mod.ts";
import type { FilmRecord } from "../datasets/mod.ts";
import type { Model } from "../model/mod.ts";
import { type PreparedFilms, preparedName } from "./prepared_films.ts";

/** Whose features, of which films, and where they are kept. */
export type FilmFeaturesOptions = {
  /** Its head is not used, and may be that of another task. */
  readonly model: Model;
  readonly films: PreparedFilms;
  /** Where features are kept, by film, preparation and weights; several trainings may use one folder. Default: nowhere. */
  readonly folder?: string;
  /** Films a run of the network; default 8. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
};

/**
 * What a model's head reads of each film: the input of `trainLinearHead`. The network runs once for a film that is not in
 * the folder yet, and not at all for the others.
 *
 * @returns `[films, dim]`, in the order of the films
 * @throws MammolabError naming the film that cannot be read; what was computed until then is kept
 */
export async function filmFeatures(
  films: readonly FilmRecord[],
  { model, films: prepared, folder, batchSize = 8, signal, onProgress }: FilmFeaturesOptions,
): Promise<{ readonly data: Float32Array; readonly dim: number }> {
  if (films.length === 0) throw new MammolabError("Cannot compute features: there are no films; give some");
  if (!(Number.isSafeInteger(batchSize) && batchSize > 0)) {
    throw new MammolabError(`Cannot compute features of ${batchSize} films at a time; give a whole number above 0`);
  }
  const weights = folder === undefined ? "" : await weightsHash(model);
  const pathOf = async (film: FilmRecord) =>
    folder && join(folder, `${await preparedName(film, model.preparation)}-${weights}.features`);
  const count = progressCounter("films", films.length, onProgress);
  const found = new Map<FilmRecord, Float32Array>();
  const missing: FilmRecord[] = [];
  for (const film of new Set(films)) {
    const path = await pathOf(film);
    const bytes = path === undefined ? undefined : await Deno.readFile(path).catch(() => undefined);
    if (bytes && bytes.length > 0 && bytes.length % 4 === 0) {
      found.set(film, new Float32Array(bytes.slice().buffer));
      count();
    } else missing.push(film);
  }
  for (let start = 0; start < missing.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = missing.slice(start, start + batchSize);
    const predictions = await model.predictPrepared(await Promise.all(batch.map(prepared)));
    for (const [k, film] of batch.entries()) {
      const { features } = predictions[k]!;
      found.set(film, features);
      const path = await pathOf(film);
      if (path !== undefined) await writeFileAtomic(path, new Uint8Array(features.slice().buffer));
      count();
    }
  }
  const dim = found.get(films[0]!)!.length;
  const other = films.find((film) => found.get(film)!.length !== dim);
  if (other) {
    throw new MammolabError(
      `Cannot use the features kept in ${folder}: film ${other.id} has ${
        found.get(other)!.length
      } numbers, others ${dim}; delete the folder, they are computed again`,
    );
  }
  const data = new Float32Array(films.length * dim);
  films.forEach((film, index) => data.set(found.get(film)!, index * dim));
  return { data, dim };
}

async function weightsHash({ folder }: Model): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(join(folder, "model.safetensors"));
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex").slice(0, 16);
}
