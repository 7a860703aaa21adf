import { MammolabError, type OnProgress } from "../base/mod.ts";
import type { FilmRecord } from "../datasets/mod.ts";
import { adaptModel, type Model, type ModelDefinition, type ModelWeights } from "../model/mod.ts";
import { pipeline } from "../prepare/mod.ts";
import { lockFolder, refuseCheckpoint } from "./checkpoint.ts";
import { fit, type FitEvent, type FitOptions, type Samples } from "./fit.ts";
import { fitHead, whyNotHeadAlone } from "./fit_head.ts";
import { patchSamples } from "./patch_samples.ts";
import type { PreparedFilms } from "./prepared_films.ts";
import { type ClassRule, type FilmItem, filmSamples } from "./samples.ts";
import type { Numbers } from "./trainer.ts";

/** Which model is trained, on which films, how. */
export type FineTuneOptions =
  & Pick<
    FitOptions,
    "recipe" | "folder" | "checkpointEvery" | "engine" | "provider" | "threads" | "signal"
  >
  & {
    /** The model for whole films, with outputs for the classes: see `adaptModel`. */
    readonly model: { readonly definition: ModelDefinition; readonly weights: ModelWeights };
    /** Opens the same network, whatever its head: for the head alone. It is closed again. */
    readonly open: () => Promise<Model>;
    readonly films: PreparedFilms;
    readonly classes: ClassRule;
    readonly training: readonly FilmItem[];
    readonly validation: readonly FilmRecord[];
    /** Where what the head reads of the films is kept; default: nowhere. */
    readonly features?: string;
    /** Called while the network runs over films for the head alone. */
    readonly onProgress?: OnProgress;
  };

/**
 * Trains a model on films as the recipe says: whole films or patches of them, the network or the head alone, which is a
 * thousand times faster where the recipe allows it ({@linkcode whyNotHeadAlone}).
 *
 * @returns the events of {@linkcode fit} (for the head alone its epochs, told together at the end, and the last); the numbers of
 * the last one are those of the model for whole films: `saveModel(folder, { definition, weights: event.weights })`
 * @throws MammolabError as {@linkcode fit} and {@linkcode fitHead}
 */
export async function* fineTune(options: FineTuneOptions): AsyncGenerator<FitEvent> {
  const { recipe, model: { definition: { spec } }, engine = "onnx" } = options;
  const alone = recipe.mode === "head" && engine === "onnx" && whyNotHeadAlone(recipe, spec) === undefined;
  yield* alone ? headAlone(options) : network(options);
}

async function* headAlone(
  { model, open, training, folder, features, ...rest }: FineTuneOptions,
): AsyncGenerator<FitEvent> {
  using _lock = folder === undefined ? undefined : await lockFolder(folder);
  if (folder !== undefined) await refuseCheckpoint(folder);
  await using network = await open();
  const { head, history } = await fitHead({
    ...rest,
    model: network,
    training: training.map(({ film }) => film),
    ...(features === undefined ? {} : { folder: features }),
  });
  for (const report of history) yield { kind: "epoch", report, best: false }; // the last numbers are kept, not the best
  const { epochs, batchSize } = rest.recipe;
  yield {
    kind: "done",
    weights: { ...numbersOf(model.weights), "head.weight": head.weight, "head.bias": head.bias },
    history,
    steps: epochs * Math.ceil(training.length / batchSize),
  };
}

async function* network(
  { model, films, classes, training, validation, recipe, ...rest }: FineTuneOptions,
): AsyncGenerator<FitEvent> {
  const { patches, augmentation = [], seed } = recipe;
  const { height, width } = model.definition.preparation.resize;
  if (patches !== undefined && patches > Math.min(height, width)) {
    throw new MammolabError(
      `Cannot train on patches of ${patches} pixels: the films are prepared to ${height} × ${width}; make the patches smaller`,
    );
  }
  // Positions of a patch are those of the whole film, resampled; at the end they go back.
  const given = patches === undefined
    ? model
    : adaptModel(model, { imageSize: { height: patches, width: patches }, seed: 1 });
  const samples = (items: readonly FilmItem[], augment: object): Samples =>
    patches === undefined
      ? filmSamples(items, { films, classes, ...augment })
      : patchSamples(items, { films, classes, size: patches, seed, ...augment });
  const judges = samples(validation.map((film) => ({ film, copy: 0 })), {});
  for await (
    const event of fit({
      ...rest,
      spec: given.definition.spec,
      normalization: given.definition.preparation,
      inputChannels: 1,
      weights: numbersOf(given.weights),
      training: samples(training, augmentation.length ? { augment: { pipeline: pipeline(augmentation), seed } } : {}),
      ...(judges.ids.length === 0 ? {} : { validation: judges }),
      recipe,
    })
  ) {
    const last = event.kind === "done" || event.kind === "stopped";
    yield last ? { ...event, weights: forWholeFilms(event.weights, given, model.definition) } : event;
  }
}

function forWholeFilms(
  numbers: Numbers,
  { definition, weights }: FineTuneOptions["model"],
  { spec: { imageSize } }: ModelDefinition,
): Numbers {
  const trained = new Map([...weights].map(([name, { shape }]) => [name, { shape, data: numbers[name]! }]));
  return numbersOf(adaptModel({ definition, weights: trained }, { imageSize, seed: 1 }).weights);
}

function numbersOf(weights: ModelWeights): Numbers {
  return Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
}
