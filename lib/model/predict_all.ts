import { inOrder, MammolabError, type OnProgress, progressCounter, sentenceOf } from "../base/mod.ts";
import { type Image, prepare } from "../image/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import {
  type Film,
  imageOf,
  type OpenNetwork,
  type PredictionOf,
  type PredictOptions,
  predictPrepared,
} from "./predict.ts";

/** What is asked of many predictions. */
export type PredictAllOptions<Attention extends boolean = boolean> = PredictOptions<Attention> & {
  /** Films a run of the network. Default 8, with attention 2: a large network's maps take 22 MB a film. */
  readonly batchSize?: number;
  /** Films that are read at the same time, ahead of the network. Default 2. */
  readonly readers?: number;
  /** Give the film beside its prediction, to draw on it. Default false: it is let go as soon as it is prepared. */
  readonly keepFilm?: boolean;
  /** Called after each film. */
  readonly onProgress?: OnProgress;
};

/** One film of many: what came out, or why nothing did. */
export type FilmResult<Attention extends boolean = boolean> =
  | {
    /** The path, or the source file of a film that was given as a value. */
    readonly file: string;
    readonly prediction: PredictionOf<Attention>;
    /** There when `keepFilm` was asked for and a path or a film was given. */
    readonly film?: Mammogram;
  }
  | { readonly file: string; readonly error: MammolabError };

/**
 * Predicts many films in batches, in their order. While the network runs, the next films are read; a film that cannot be
 * read or run is a result with its error, and the rest goes on. After an abort the batch under way is still given, then
 * the loop throws the signal's reason.
 */
export async function* predictFilms<Attention extends boolean>(
  network: OpenNetwork,
  films: Iterable<Film> | AsyncIterable<Film>,
  options: PredictAllOptions<Attention>,
): AsyncGenerator<FilmResult<Attention>, void, void> {
  if (typeof films === "string") { // it would be taken letter by letter
    throw new MammolabError(`Cannot predict ${films}: predictAll takes a list of films; give [film], or call predict`);
  }
  const { signal, onProgress, attention, batchSize = attention ? 2 : 8 } = options;
  const count = progressCounter("films", Array.isArray(films) ? films.length : undefined, onProgress);
  let running: Promise<FilmResult<Attention>[]> | undefined;
  async function* finished(batch: Promise<FilmResult<Attention>[]> | undefined) {
    for (const result of await batch ?? []) {
      count();
      yield result;
    }
  }
  try {
    for await (const batch of batches(readAhead(network, films, options), batchSize)) {
      const next = runBatch(network, batch, options);
      yield* finished(running); // while the engine works on the next batch
      running = next;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  yield* finished(running);
  signal?.throwIfAborted();
}

type Ready =
  & { readonly file: string }
  & (
    | { readonly prepared: Image; readonly warnings: readonly string[]; readonly film?: Mammogram }
    | { readonly error: MammolabError }
  );

async function* readAhead(
  { preparation }: OpenNetwork,
  films: Iterable<Film> | AsyncIterable<Film>,
  { load, readers = 2, keepFilm = false, signal }: PredictAllOptions,
): AsyncGenerator<Ready, void, void> {
  const read = async (film: Film, stop: AbortSignal) => {
    const { image, mammogram } = await imageOf(film, { ...load, signal: stop });
    const warnings = mammogram?.warnings ?? [];
    return { prepared: prepare(image, preparation), warnings, ...(keepFilm && mammogram ? { film: mammogram } : {}) };
  };
  for await (const outcome of inOrder(films, read, { atOnce: readers, ...(signal ? { signal } : {}) })) {
    const { item } = outcome;
    const file = typeof item === "string" ? item : "source" in item ? item.source.file : "image";
    yield "error" in outcome ? { file, error: asSentence(outcome.error) } : { file, ...outcome.result };
  }
}

async function* batches(items: AsyncIterable<Ready>, size: number): AsyncGenerator<Ready[], void, void> {
  let batch: Ready[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.filter((ready) => "prepared" in ready).length >= size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function runBatch<Attention extends boolean>(
  network: OpenNetwork,
  batch: readonly Ready[],
  { attention, signal }: PredictAllOptions<Attention>,
): Promise<FilmResult<Attention>[]> {
  const images = batch.flatMap((ready) => "prepared" in ready ? [ready.prepared] : []);
  const ran = await predictPrepared<Attention>(network, images, { attention: attention as Attention, signal })
    .catch(asSentence);
  if (signal?.aborted && ran instanceof MammolabError) return []; // it waited in the queue and was dropped
  let next = 0;
  return batch.map((ready) => {
    if ("error" in ready) return { file: ready.file, error: ready.error };
    if (ran instanceof MammolabError) return { file: ready.file, error: ran };
    const prediction = { ...ran[next++] as PredictionOf<Attention>, warnings: ready.warnings };
    return { file: ready.file, prediction, ...(ready.film ? { film: ready.film } : {}) };
  });
}

function asSentence(error: unknown): MammolabError {
  return error instanceof MammolabError ? error : new MammolabError(sentenceOf(error), { cause: error });
}
