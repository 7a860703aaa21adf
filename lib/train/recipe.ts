import { canonicalJson, MammolabError } from "../base/mod.ts";
import type { NetSpec } from "../nets/mod.ts";
import { pipeline, type Step } from "../prepare/mod.ts";
import { wrongSetting } from "./_recipe_settings.ts";
import type { LossOptions } from "./losses.ts";
import type { OptimizerOptions } from "./optimizers.ts";
import type { ScheduleOptions } from "./schedules.ts";

/** Which parameters are trained: the head; the last blocks with the last norm and the head; or all. */
export type Mode = "head" | "all" | { readonly lastBlocks: number };

/** All that decides a training, besides the data and the first weights. Plain JSON: it is written into every checkpoint. */
export type Recipe = {
  readonly seed: number;
  readonly epochs: number;
  /** Images a step; with `accumulate`, images a graph run. */
  readonly batchSize: number;
  /** Graph runs whose gradients make one step; default 1. */
  readonly accumulate?: number;
  /** The peak. */
  readonly learningRate: number;
  readonly schedule?: ScheduleOptions;
  /** Default: AdamW with a weight decay of 0.05. */
  readonly optimizer?: OptimizerOptions;
  readonly loss?: LossOptions;
  readonly labelSmoothing?: number;
  readonly mode?: Mode;
  /** Gradual unfreezing (Howard & Ruder 2018): from each epoch on, another mode. Replaces `mode`. */
  readonly unfreeze?: readonly { readonly epoch: number; readonly mode: Mode }[];
  /** Learning-rate decay from block to block towards the input; default 1. */
  readonly layerDecay?: number;
  /** Stochastic depth at the last block; default 0. */
  readonly dropPath?: number;
  /** Dropout: the chance of a zero for each value after the embedding and after each branch; default 0. */
  readonly dropout?: number;
  /** Where memory is short: attention maps are computed again in place of being kept (layer norms and GELUs always are). */
  readonly recomputeAttention?: boolean;
  /** Largest norm of the gradients; default: not clipped. */
  readonly clip?: number;
  /**
   * Exponential average of the weights from the first ones on, as timm's ModelEmaV2 with a decay of 1 − this: the share that
   * each step contributes; the average is what is kept. Default: none.
   */
  readonly average?: number;
  /** Epochs without a better validation result after which the training ends; default: never. */
  readonly patience?: number;
  /** What a sample goes through, each epoch anew; default: nothing. */
  readonly augmentation?: readonly Step[];
  /** Trains on patches of so many pixels that are cut from the prepared films, in place of whole films. */
  readonly patches?: number;
  /** What the head reads of the tokens; default: what the network was made for. A model that is trained so is saved so. */
  readonly pool?: NetSpec["pool"];
};

/** How a recipe trains that says nothing of the optimiser. */
export const usualOptimizer: OptimizerOptions = { kind: "adamw", weightDecay: 0.05 };

/** The mode of an epoch, from 0. */
export function modeAt({ mode = "all", unfreeze }: Recipe, epoch: number): Mode {
  return unfreeze?.findLast((stage) => stage.epoch <= epoch)?.mode ?? (unfreeze ? "head" : mode);
}

/**
 * Names of the parameters that a mode trains.
 *
 * @throws MammolabError when the network has fewer blocks
 *
 * @example
 * ```ts
 * import { trainedNames } from "mammolab/train";
 * import { assertEquals } from "@std/assert";
 * const names = ["cls_token", "blocks.0.attn.qkv.weight", "blocks.1.attn.qkv.weight", "norm.weight", "head.weight"];
 * assertEquals(trainedNames(names, { lastBlocks: 1 }, { depth: 2 }), names.slice(2));
 * ```
 */
export function trainedNames(
  names: readonly string[],
  mode: Mode,
  { depth }: Pick<NetSpec, "depth">,
): readonly string[] {
  if (mode === "all") return names;
  if (mode === "head") return names.filter((name) => /^(head|head_dist|pre_logits)\./.test(name));
  const { lastBlocks } = mode;
  if (!(Number.isSafeInteger(lastBlocks) && lastBlocks >= 0 && lastBlocks <= depth)) {
    throw new MammolabError(
      `Cannot train the last ${lastBlocks} blocks: the network has ${depth}; give a whole number up to ${depth}`,
    );
  }
  return names.filter((name) => {
    const block = name.match(/^blocks\.(\d+)\./)?.[1];
    return block === undefined
      ? /^(norm|fc_norm|head|head_dist|pre_logits)\./.test(name)
      : Number(block) >= depth - lastBlocks;
  });
}

/**
 * Makes sure that a recipe can be followed; it may come from a file.
 *
 * @throws MammolabError naming the first setting that cannot be, or that there is not
 *
 * @example
 * ```ts
 * import { checkRecipe } from "mammolab/train";
 * import { assertThrows } from "@std/assert";
 * const recipe = { seed: 1, epochs: 2, batchSize: 8, learningRate: 1e-3, dropot: 0.1 };
 * assertThrows(() => checkRecipe(recipe), Error, "dropot is no setting");
 * ```
 */
export function checkRecipe(recipe: Recipe): void {
  const wrong = wrongSetting(recipe);
  if (wrong) throw new MammolabError(`Cannot train: ${wrong}`);
  const { unfreeze = [], epochs } = recipe;
  const late = unfreeze.find(({ epoch }) => epoch >= epochs);
  if (late) {
    throw new MammolabError(
      `Cannot train: unfreeze has a stage at epoch ${late.epoch}, counted from 0, of ${epochs}; give more epochs, or leave it out`,
    );
  }
  pipeline(recipe.augmentation ?? []); // refuses here what would fail at each sample
}

/** The settings in which two recipes differ, with both values: `epochs (5, was 3)`; in which order they stand means nothing. */
export function recipeDifferences(now: Recipe, before: Recipe): readonly string[] {
  const keys = [...new Set([...Object.keys(now), ...Object.keys(before)])] as (keyof Recipe)[];
  const text = (value: unknown) => value === undefined ? "none" : JSON.stringify(value);
  return keys.filter((key) => canonicalJson([now[key]]) !== canonicalJson([before[key]]))
    .map((key) => `${key} (${text(now[key])}, was ${text(before[key])})`);
}
