import { MammolabError, type OnProgress } from "../base/mod.ts";
import type { FilmRecord } from "../datasets/mod.ts";
import type { Model } from "../model/mod.ts";
import type { NetSpec } from "../nets/mod.ts";
import { filmFeatures } from "./features.ts";
import type { EpochReport } from "./fit.ts";
import { headLogits, type LinearHead, trainLinearHead } from "./head.ts";
import { judge, type Judgement } from "./judge.ts";
import { smoothed } from "./losses.ts";
import type { PreparedFilms } from "./prepared_films.ts";
import { checkRecipe, type Recipe, usualOptimizer } from "./recipe.ts";
import { type ClassRule, targetOf } from "./samples.ts";

/** What a head is trained on, how. */
export type FitHeadOptions = {
  /** The network below the head; its own head is not used. */
  readonly model: Model;
  readonly films: PreparedFilms;
  readonly classes: ClassRule;
  readonly training: readonly FilmRecord[];
  readonly validation: readonly FilmRecord[];
  /** Of it count: seed, epochs, batch size, learning rate, schedule, weight decay, class weights, label smoothing, clipping. */
  readonly recipe: Recipe;
  /** Where features are kept. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
};

/**
 * Head only, without augmentation: the network runs once for each film, or not at all where its features are kept, and the
 * head is trained on the features alone (linear probing). The same as `fit` with `mode: "head"`, in a thousandth of the time;
 * the head is that of the last epoch, and the validation side is only looked at.
 *
 * @throws MammolabError for a recipe that needs `fit` ({@linkcode whyNotHeadAlone}), a side with one class, or a film that
 * cannot be read
 */
export async function fitHead(
  { model, classes, training, validation, recipe, ...rest }: FitHeadOptions,
): Promise<{ readonly head: LinearHead; readonly history: readonly EpochReport[] }> {
  checkRecipe(recipe);
  const why = whyNotHeadAlone(recipe);
  if (why) {
    throw new MammolabError(
      `Cannot train the head on kept features: the recipe ${why}; leave that out, or train with fit`,
    );
  }
  const { loss, optimizer: { weightDecay } = usualOptimizer } = recipe;
  const targetsOf = (films: readonly FilmRecord[]) => films.map((film) => targetOf(film, classes));
  const targets = [targetsOf(training), targetsOf(validation)] as const; // a film without a class is told first
  const { data, dim } = await filmFeatures([...training, ...validation], { model, ...rest });
  const asked = data.subarray(training.length * dim);
  const judgements: Judgement[] = [];
  const head = await trainLinearHead(
    data.subarray(0, training.length * dim),
    Float32Array.from(targets[0].flatMap((target) => [...smoothed(target, recipe.labelSmoothing ?? 0)])),
    {
      dim,
      classes: Object.keys(classes).length,
      seed: recipe.seed,
      epochs: recipe.epochs,
      batchSize: recipe.batchSize,
      learningRate: recipe.learningRate,
      ...(recipe.schedule ? { schedule: recipe.schedule } : {}),
      ...(weightDecay === undefined ? {} : { weightDecay }),
      ...(loss?.kind === "crossEntropy" && loss.classWeights ? { classWeights: loss.classWeights } : {}),
      ...(recipe.clip === undefined ? {} : { clip: recipe.clip }),
      ...(rest.signal ? { signal: rest.signal } : {}),
      ...(validation.length > 0
        ? { onEpoch: (now) => judgements.push(judge(headLogits(now, asked), targets[1])) }
        : {}),
    },
  );
  const history = head.losses.map((trainingLoss, epoch) => ({
    epoch,
    trainingLoss,
    ...(validation.length > 0 ? { validation: judgements[epoch]! } : {}),
  }));
  return { head, history };
}

/**
 * What in a recipe needs the whole network at every step, so that the head cannot be trained on kept features.
 *
 * @param spec the network, of which the head may be of several layers
 * @returns the rest of a sentence that begins with "the recipe"; undefined where nothing does
 *
 * @example
 * ```ts
 * import { whyNotHeadAlone } from "mammolab/train";
 * import { assertEquals } from "@std/assert";
 * const recipe = { seed: 1, epochs: 100, batchSize: 32, learningRate: 1e-2 };
 * assertEquals(whyNotHeadAlone(recipe), undefined);
 * assertEquals(whyNotHeadAlone({ ...recipe, patches: 96 }), "cuts patches");
 * ```
 */
export function whyNotHeadAlone(
  recipe: Recipe,
  spec?: Pick<NetSpec, "head" | "distilled">,
): string | undefined {
  const { augmentation = [], patches, pool, mode = "head", unfreeze, loss, optimizer, patience, average } = recipe;
  if (augmentation.length > 0) return "augments the films";
  if (patches !== undefined) return "cuts patches";
  if (pool !== undefined) return "says what the head reads, which the model says here";
  if (unfreeze !== undefined) return "unfreezes other layers";
  if (mode !== "head") return "trains other layers";
  if (recipe.dropPath || recipe.dropout) return "drops branches or values";
  if (patience !== undefined) return "stops early";
  if (average !== undefined) return "averages the numbers";
  if ((recipe.accumulate ?? 1) > 1) return "accumulates gradients";
  if (loss && loss.kind !== "crossEntropy") return `has the loss ${loss.kind}`;
  if (optimizer && optimizer.kind !== "adamw") return `has the optimiser ${optimizer.kind}`;
  if (optimizer?.betas || optimizer?.epsilon) return "sets the optimiser's betas or epsilon";
  if (spec && (spec.head !== "linear" || spec.distilled)) return "is for a head of several layers";
  return undefined;
}
