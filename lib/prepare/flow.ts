import {
  checkWord,
  createPool,
  inOrder,
  MammolabError,
  type OnProgress,
  type Outcome,
  progressCounter,
} from "../base/mod.ts";
import { type FilmRecord, isTrainingSide, recordKey, type TrainingSide } from "../datasets/mod.ts";
import {
  type Image,
  imageOf,
  type PixelStatistics,
  pixelStatistics,
  type Preparation,
  readPreparation,
} from "../image/mod.ts";
import { jpegDecoderAsks, type Limits, limitsOf, openSource } from "../io/mod.ts";
import type { FilmJob, FilmJobResult } from "./_film_job.ts";
import { type DrawnStep, pipeline, type Step } from "./pipeline.ts";
import type { Items } from "./stream.ts";

/** A film to prepare; items of a balance plan, with their films, are such. */
export type FilmItem = {
  readonly film: FilmRecord;
  /** 0 is the film itself; repeats have other draws. Default 0. */
  readonly copy?: number;
  /** Whether a plan asks for augmentation. */
  readonly augment?: boolean;
};

/** What a network will be given. */
export type PreparedFilm = {
  /** `[preparation.resize.height, preparation.resize.width, 1]`, 3 channels after color augmentation; `toSource` leads to the film. */
  readonly image: Image;
  /** What was drawn: `replay` does it again. */
  readonly drawn: readonly DrawnStep[];
  /** What is strange about the file, one sentence each. */
  readonly warnings: readonly string[];
};

/** How films become images. */
export type FlowOptions = {
  readonly preparation: Preparation;
  /** Steps of a {@linkcode pipeline}; default none. */
  readonly augmentations?: readonly Step[];
  /** Which items are augmented: `all` (default), or only those whose balance plan asks for it. */
  readonly augment?: "all" | "planned";
  /** Of the augmentations; default 0. */
  readonly seed?: number;
  /** How many films are worked on at once; the pixels do not depend on it. Default: the number of cores, at most 4. */
  readonly workers?: number;
  /** Works in Workers in place of processes: only for files that we made ourselves, such as phantoms. */
  readonly trusted?: boolean;
  /** What reading one file may cost; what is left out is as `limitsOf` says. */
  readonly limits?: Partial<Limits>;
};

/** Of one walk through the films. */
export type WalkOptions = {
  /** Part of the key of all draws; default 0. */
  readonly epoch?: number;
  readonly signal?: AbortSignal;
};

/** Films → prepared images by several workers; close it with `await using`, or `close()`. */
export type Flow = AsyncDisposable & {
  /** How many films are worked on at once. */
  readonly workers: number;
  /** Decodes, prepares and augments one film. @throws MammolabError what is wrong with it, in a sentence */
  readonly prepare: (item: FilmItem, options?: WalkOptions) => Promise<PreparedFilm>;
  /**
   * All films in their order. One more than there are workers is under way before the consumer has taken the oldest, so that
   * memory does not grow with the number of films. A film that fails is an outcome with its error, and the rest goes on.
   * Leaving the loop stops what is under way.
   */
  readonly prepareAll: <Item extends FilmItem>(
    items: Items<Item>,
    options?: WalkOptions & { readonly onProgress?: OnProgress },
  ) => AsyncGenerator<Outcome<Item, PreparedFilm>, void, void>;
  /** Ends all workers, also those that work. */
  readonly close: () => Promise<void>;
};

/**
 * Opens workers that turn films into what a network is given. A job is decode → prepare → augment as a whole: only the small
 * image comes back. Files from outside are worked on in processes that are stopped when they are late.
 *
 * The same (seed, epoch, record, copy) gives the same image, whatever the number of workers and the order of the films.
 *
 * @throws MammolabError for a preparation or augmentations that cannot be, and for `augment: "planned"` without any
 *
 * @example
 * ```ts ignore
 * await using flow = createFlow({ preparation, augmentations: [{ name: "rotation", options: { degrees: 15 } }], seed: 1 });
 * for await (const outcome of flow.prepareAll(recordsOfPlan(plan, training, epochOf(plan, 0)))) {
 *   if ("result" in outcome) train(outcome.result.image, labelOf(outcome.item.film));
 * }
 * ```
 */
export function createFlow(options: FlowOptions): Flow {
  const { preparation, augmentations = [], augment = "all", seed = 0, workers, trusted = false } = options;
  checkWord("Cannot augment: the choice of films", augment, ["all", "planned"]);
  if (augmentations.length === 0 && augment === "planned") {
    throw new MammolabError(
      "Cannot augment the planned copies: no augmentation is given, they would be the same film again; give some",
    );
  }
  readPreparation(preparation, "the flow"); // refuses here what would fail at each film
  pipeline(augmentations);
  const limits = limitsOf(options.limits);
  const pool = createPool<FilmJob, FilmJobResult>({
    carrier: trusted ? "worker" : "child",
    module: new URL("./_film_job.ts", import.meta.url),
    env: [jpegDecoderAsks],
    deadlineMs: limits.deadlineMs,
    ...(workers === undefined ? {} : { size: workers }),
  });

  async function prepare(
    { film, copy = 0, augment: planned = false }: FilmItem,
    { epoch = 0, signal }: WalkOptions = {},
  ): Promise<PreparedFilm> {
    const { file, frame } = film;
    const { body } = await openSource(file, { maxFileBytes: limits.maxFileBytes });
    const augmented = augmentations.length > 0 && (augment === "all" || planned);
    const job: FilmJob = {
      file,
      limits,
      preparation,
      ...(frame === undefined ? {} : { frame }),
      ...(augmented
        ? { augmentation: { steps: augmentations, key: { seed, epoch, record: recordKey(film), copy } } }
        : {}),
    };
    const done = await pool.run(job, { what: `read ${file}`, body, ...(signal ? { signal } : {}) });
    const { data, drawn, warnings, ...place } = done;
    return { image: imageOf(data, place), drawn, warnings };
  }

  async function* prepareAll<Item extends FilmItem>(
    items: Items<Item>,
    { epoch = 0, signal, onProgress }: WalkOptions & { readonly onProgress?: OnProgress } = {},
  ): AsyncGenerator<Outcome<Item, PreparedFilm>, void, void> {
    const count = progressCounter("films", Array.isArray(items) ? items.length : undefined, onProgress);
    const one = (item: Item, stop: AbortSignal) => prepare(item, { epoch, signal: stop });
    for await (const outcome of inOrder(items, one, { atOnce: pool.size + 1, ...(signal ? { signal } : {}) })) {
      count();
      yield outcome;
    }
  }

  return { workers: pool.size, prepare, prepareAll, close: pool.close, [Symbol.asyncDispose]: pool.close };
}

/**
 * The `mean` and `std` of a preparation, from the films of a training side, which alone may be looked at for it.
 *
 * @param flow with the preparation, without augmentations
 * @throws MammolabError for anything but a training side, and the first film's that cannot be prepared
 */
export async function trainingStatistics(side: TrainingSide, flow: Flow): Promise<PixelStatistics> {
  if (!isTrainingSide(side)) {
    throw new MammolabError(
      "Cannot take the mean of films that are no training side: what is fitted on others makes their results too good; split first, and give its training side",
    );
  }
  async function* images(): AsyncGenerator<Image, void, void> {
    for await (const outcome of flow.prepareAll(side.records.map((film) => ({ film })))) {
      if ("error" in outcome) throw outcome.error;
      yield outcome.result.image;
    }
  }
  return await pixelStatistics(images());
}

/** Images of one size as a tensor. */
export type ImageBatch = {
  readonly data: Float32Array;
  /** `[images, channels, height, width]` */
  readonly shape: readonly [images: number, channels: number, height: number, width: number];
};

/**
 * Puts images of one size into one array, channels first, as networks take them.
 *
 * @throws MammolabError when there is none, or their sizes differ
 *
 * @example
 * ```ts
 * import { imageOf } from "mammolab/image";
 * import { stackImages } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const color = imageOf(Float32Array.of(1, 2, 3, 4, 5, 6), { height: 1, width: 2, channels: 3 });
 * assertEquals(stackImages([color]), { data: Float32Array.of(1, 4, 2, 5, 3, 6), shape: [1, 3, 1, 2] });
 * ```
 */
export function stackImages(images: readonly Image[]): ImageBatch {
  const first = images[0];
  if (!first) throw new MammolabError("Cannot stack images: there is none; leave out empty batches");
  const { height, width, channels } = first;
  const pixels = height * width;
  const data = new Float32Array(images.length * channels * pixels);
  images.forEach((image, index) => {
    if (image.height !== height || image.width !== width || image.channels !== channels) {
      throw new MammolabError(
        `Cannot stack images of ${height} × ${width} × ${channels} and ${image.height} × ${image.width} × ${image.channels}: they must agree; prepare them all in the same way`,
      );
    }
    for (let channel = 0; channel < channels; channel++) {
      const start = (index * channels + channel) * pixels;
      for (let pixel = 0; pixel < pixels; pixel++) data[start + pixel] = image.data[pixel * channels + channel]!;
    }
  });
  return { data, shape: [images.length, channels, height, width] };
}
