// What the carriers of a flow do with one film, as a whole: decode → prepare → augment. Only the small image goes back.
import { type Preparation, prepare, type SourceMap } from "../image/mod.ts";
import { type Limits, loadMammogram } from "../io/mod.ts";
import { type DrawnStep, pipeline, type Step } from "./pipeline.ts";

/** One film to prepare: plain JSON; its bytes travel behind it. */
export type FilmJob = {
  /** For sentences. */
  readonly file: string;
  readonly frame?: number;
  readonly limits: Limits;
  readonly preparation: Preparation;
  /** What is drawn with which key; absent where the film is not augmented. */
  readonly augmentation?: {
    readonly steps: readonly Step[];
    readonly key: { readonly seed: number; readonly epoch: number; readonly record: string; readonly copy: number };
  };
};

/** The prepared image in parts, so that its pixels are handed over and not copied. */
export type FilmJobResult = {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly toSource: SourceMap;
  readonly drawn: readonly DrawnStep[];
  readonly warnings: readonly string[];
};

/** The work of a pool (lib/base/pool.ts). */
export async function work(job: FilmJob, bytes: Uint8Array): Promise<FilmJobResult> {
  const { file, frame, limits, preparation, augmentation } = job;
  const film = await loadMammogram(bytes, {
    trusted: true, // this is the process that may be stopped
    name: file,
    limits,
    salt: nobody,
    ...(room ? { into: room } : {}),
    ...(frame === undefined ? {} : { frame }),
  });
  if (film.image.data.length > (room?.length ?? 0)) room = film.image.data;
  const prepared = prepare(film.image, preparation); // an array of its own
  const { image, drawn } = augmentation
    ? pipeline(augmentation.steps).augment(prepared, augmentation.key)
    : { image: prepared, drawn: [] };
  return { ...image, drawn, warnings: film.warnings };
}

/**
 * The pixels of the film, kept from film to film (a carrier works on one at a time): a new array for each costs a third as much
 * time as decoding, most of it in the collection of garbage.
 */
let room: Float32Array | undefined;

/** The patient is known from the record; nothing that is made with this salt leaves here. */
const nobody = new Uint8Array(32);
