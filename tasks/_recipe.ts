// The recipe of a training, from a file or from the words of the command line.
import { MammolabError } from "../lib/base/mod.ts";
import { mildAugmentations } from "../lib/prepare/mod.ts";
import { checkRecipe, type Mode, type Recipe } from "../lib/train/mod.ts";
import { type OptionSpecs, type TaskContext, UsageError } from "./_task.ts";

const settings = {
  epochs: {
    type: "number",
    value: "N",
    help: "passes over the training side (default 10, head 100)",
    min: 1,
    integer: true,
  },
  batch: { type: "number", value: "N", help: "films a step (default 8, head 32)", min: 1, integer: true },
  "learning-rate": { type: "number", value: "RATE", help: "its peak (default 3e-4, head 1e-2)", min: 0 },
  mode: {
    type: "string",
    value: "MODE",
    help:
      "all, last:N, gradual (head first, then all), or head: the network runs once a film, no augmentation (default all)",
  },
  "drop-path": { type: "number", value: "SHARE", help: "stochastic depth (default 0)", min: 0, max: 0.9 },
  smoothing: { type: "number", value: "SHARE", help: "label smoothing (default 0)", min: 0, max: 0.9 },
  patience: {
    type: "number",
    value: "N",
    help: "stop after N epochs without a better validation result",
    min: 1,
    integer: true,
  },
  seed: {
    type: "number",
    value: "N",
    help: "of the order, the masks and the augmentation (default 1)",
    integer: true,
  },
  patches: {
    type: "number",
    value: "PIXELS",
    help: "train on patches of the prepared films that show a lesion, or tissue, in place of whole films",
    min: 1,
    integer: true,
  },
  plain: { type: "boolean", help: "no augmentation" },
} as const satisfies OptionSpecs;

/** To be spread into a task's options. */
export const recipeOptions = {
  recipe: { type: "string", value: "FILE", help: "the whole recipe as JSON; then the options below are not taken" },
  ...settings,
} as const satisfies OptionSpecs;

type Context = Pick<TaskContext<typeof recipeOptions>, "options" | "path">;

/**
 * The recipe that was asked for.
 *
 * @throws MammolabError for a file that holds none, or a setting that cannot be
 * @throws UsageError for settings beside a file
 */
export async function recipeOf({ options, path }: Context): Promise<Recipe> {
  const recipe = options.recipe === undefined ? fromOptions(options) : await fromFile(options.recipe, options, path);
  checkRecipe(recipe);
  return recipe;
}

async function fromFile(file: string, options: Context["options"], path: Context["path"]): Promise<Recipe> {
  const beside = (Object.keys(settings) as (keyof typeof settings)[]).find((name) =>
    options[name] || options[name] === 0
  );
  if (beside !== undefined) {
    throw new UsageError(
      `train: with --recipe the settings are those of the file; leave --${beside} out, or change the file`,
    );
  }
  const text = await Deno.readTextFile(path(file)).catch((cause) => {
    throw new MammolabError(
      `Cannot read the recipe ${file}: there is no such file, or no right to read it; check the path`,
      { cause },
    );
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MammolabError(`Cannot read the recipe ${file}: it is no JSON; correct it`, { cause });
  }
}

function fromOptions(
  {
    epochs,
    batch,
    "learning-rate": rate,
    mode = "all",
    "drop-path": dropPath,
    smoothing,
    patience,
    seed,
    patches,
    plain,
  }: Context["options"],
): Recipe {
  const head = mode === "head"; // its features are computed once, so that many short epochs are cheap
  return {
    seed: seed ?? 1,
    epochs: epochs ?? (head ? 100 : 10),
    batchSize: batch ?? (head ? 32 : 8),
    learningRate: rate ?? (head ? 1e-2 : 3e-4),
    schedule: { kind: "cosine", warmUp: 0.1 },
    optimizer: { kind: "adamw", weightDecay: 0.05 },
    clip: 1,
    ...modeFrom(mode),
    ...(dropPath === undefined ? {} : { dropPath }),
    ...(smoothing === undefined ? {} : { labelSmoothing: smoothing }),
    ...(patience === undefined ? {} : { patience }),
    ...(patches === undefined ? {} : { patches }),
    augmentation: plain || head ? [] : mildAugmentations, // what `prepare` shows
  };
}

function modeFrom(typed: string): Pick<Recipe, "mode" | "unfreeze"> {
  if (typed === "gradual") return { unfreeze: [{ epoch: 0, mode: "head" }, { epoch: 1, mode: "all" }] };
  const last = typed.match(/^last:(\d+)$/)?.[1];
  if (typed !== "all" && typed !== "head" && last === undefined) {
    throw new UsageError(`--mode takes all, head, last:N or gradual, not "${typed}"`);
  }
  return { mode: (last === undefined ? typed : { lastBlocks: Number(last) }) as Mode };
}
