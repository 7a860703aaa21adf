import { basename, dirname } from "node:path";
import { openSession, type ProviderChoice } from "../engine/mod.ts";
import { type AttentionTap, toOnnx, type WeightPlace } from "../graph/mod.ts";
import type { Image, Preparation } from "../image/mod.ts";
import { buildNet } from "../nets/mod.ts";
import { compareWeights, requireFit, type TensorEntry } from "../weights/mod.ts";
import {
  type Film,
  type OpenNetwork,
  predictFilm,
  type PredictionOf,
  type PredictOptions,
  predictPrepared,
} from "./predict.ts";
import type { TrainedOn } from "./definition.ts";
import { type FilmResult, type PredictAllOptions, predictFilms } from "./predict_all.ts";
import { type ModelSource, modelSource } from "./source.ts";

/** How a model is opened. */
export type ModelOptions = {
  /** Where it runs; default `auto`: the fastest that works here. */
  readonly provider?: ProviderChoice;
  /** Threads of the processor; default: the physical cores. */
  readonly threads?: number;
  /** Idle threads wait busily: faster for one model alone, much slower where two are open. Default false. */
  readonly spinning?: boolean;
  /** Take a network of the catalogue with random numbers of this seed: every result says `trained: false`. */
  readonly seed?: number;
  /** Where random and converted numbers are kept; default `models` in the cache folder. */
  readonly cache?: string;
  /** Where models of the hub are looked for; default: the project's cache, then that of Hugging Face's programs. */
  readonly hubCaches?: readonly string[];
};

/** A network, its weights, its preparation and its class names, open in an engine. */
export type Model = AsyncDisposable & {
  readonly name: string;
  readonly classes: readonly string[];
  readonly preparation: Preparation;
  /** False where the weights are random. */
  readonly trained: boolean;
  /** The films that it was trained on, where a training has said so. */
  readonly trainedOn?: TrainedOn;
  /** The folder it was read from. */
  readonly folder: string;
  /** Where it runs. */
  readonly provider: string;
  /** Where the choice was left to mammolab: why it does not run on what might be faster. */
  readonly providerReason?: string;
  /** The attention that can be asked for, layer by layer. */
  readonly layers: readonly AttentionTap[];
  /**
   * Predicts one film.
   *
   * @param film a path, a film, or an image of one channel in 0..1
   * @throws MammolabError when the file cannot be read or the network cannot run
   */
  readonly predict: <Attention extends boolean = false>(
    film: Film,
    options?: PredictOptions<Attention>,
  ) => Promise<PredictionOf<Attention>>;
  /** Predicts images that are prepared already, all in one run of the network. */
  readonly predictPrepared: <Attention extends boolean = false>(
    images: readonly Image[],
    options?: Pick<PredictOptions<Attention>, "attention" | "signal">,
  ) => Promise<PredictionOf<Attention>[]>;
  /** Predicts many films, in their order; one that fails is a result with its error, and the rest goes on. */
  readonly predictAll: <Attention extends boolean = false>(
    films: Iterable<Film> | AsyncIterable<Film>,
    options?: PredictAllOptions<Attention>,
  ) => AsyncIterable<FilmResult<Attention>>;
};

/**
 * Opens a model.
 *
 * @param model the name of a model that comes with mammolab (`"vit-phantom"`), a folder that `saveModel` wrote, a model of
 * the Hugging Face hub that `deno task fetch` brought (`"hf:owner/name"`) or a folder as it has them, or with `seed` any
 * network of the catalogue
 * @throws MammolabError when there is no such model, its files are broken, or the provider asked for cannot run here
 *
 * @example
 * ```ts
 * import { loadModel } from "mammolab/model";
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * await using model = await loadModel("vit-phantom", { provider: "cpu" });
 * const film = imageOf(new Float32Array(64 * 48).fill(0.5), { height: 64, width: 48 });
 * const { scores, trained, attention } = await model.predict(film, { attention: true });
 * assertEquals(Object.keys(scores), ["negative", "malignant"]);
 * assertEquals(attention.length, model.layers.length);
 * ```
 */
export async function loadModel(model: string = "vit-phantom", options: ModelOptions = {}): Promise<Model> {
  const source = await modelSource(model, options);
  const { folder } = source;
  const network = await openNetwork(source, options);
  const { session, taps, name, classes, preparation, trained } = network;
  return {
    name,
    classes,
    preparation,
    trained,
    ...(source.definition.trainedOn ? { trainedOn: source.definition.trainedOn } : {}),
    folder,
    provider: session.provider,
    ...(session.reason === undefined ? {} : { providerReason: session.reason }),
    layers: taps,
    predict: (film, options = {}) => predictFilm(network, film, options),
    predictPrepared: (images, options = {}) => predictPrepared(network, images, options),
    predictAll: (films, options = {}) => predictFilms(network, films, options),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

async function openNetwork(
  { definition, file, tensors }: ModelSource,
  { provider, threads, spinning }: ModelOptions,
): Promise<OpenNetwork> {
  const { name, classes, scores = "softmax", preparation, trained } = definition;
  const net = buildNet(definition.spec, { normalization: preparation });
  requireFit(compareWeights(net.parameters, tensors), file);
  const graph = toOnnx(
    {
      logits: net.logits,
      ...(definition.spec.classes === 0 ? {} : { features: net.features }),
      ...Object.fromEntries(net.attention.map(({ tap, tensor }) => [tap.name, tensor])),
    },
    { weights: { places: placesOf(file, tensors) }, graphName: name },
  );
  const session = await openSession({
    model: graph,
    weightsFolder: dirname(file),
    name,
    ...(provider === undefined ? {} : { provider }),
    ...(threads === undefined ? {} : { threads }),
    ...(spinning === undefined ? {} : { spinning }),
  });
  return { name, classes, scores, preparation, trained, session, taps: net.attention.map(({ tap }) => tap) };
}

/** The engine reads the weights from the file by itself: they never pass through JavaScript. */
function placesOf(file: string, tensors: ReadonlyMap<string, TensorEntry>): Map<string, WeightPlace> {
  const places = new Map<string, WeightPlace>();
  for (const [name, { type, offset, length }] of tensors) {
    if (type === "F32" || type === "F16" || type === "BF16") {
      places.set(name, { location: basename(file), offset, length, type });
    }
  }
  return places;
}
