import { createHash } from "node:crypto";
import { canonicalJson, disk, type FileSystem, MammolabError, seededRandom, shuffled } from "../base/mod.ts";
import type { Provider } from "../engine/mod.ts";
import { buildNet, type NetSpec, type Normalization } from "../nets/mod.ts";
import { judge, type Judgement } from "./judge.ts";
import { lockFolder, type Progress, readBest, readCheckpoint, writeBest, writeCheckpoint } from "./checkpoint.ts";
import { trainerLogits } from "./logits.ts";
import { smoothed } from "./losses.ts";
import { drawMask, masksOf } from "./masks.ts";
import { checkFollowed, checkSamples, checkWeights } from "./_fit_checks.ts";
import { checkRecipe, modeAt, type Recipe, trainedNames, usualOptimizer } from "./recipe.ts";
import { scheduleAt } from "./schedules.ts";
import { type Numbers, openTrainer, type Trainer, type TrainerState, type TrainingEngine } from "./trainer.ts";

/** One side of the data. */
export type Samples = {
  /** Record ids, one an item; an item that is taken twice stands twice. */
  readonly ids: readonly string[];
  /** The label of each item as shares of the classes. */
  readonly targets: readonly (readonly number[])[];
  /** Pixels in 0..1, `[channels, height, width]`, of an item in an epoch (from 0; −1 for what is not augmented: validation). */
  readonly image: (item: number, epoch: number) => Promise<Float32Array> | Float32Array;
  /** That they differ from epoch to epoch as the recipe's `augmentation` says, which `fit` cannot see. */
  readonly augmented?: boolean;
};

/** What is trained, on what, how. */
export type FitOptions = {
  readonly spec: NetSpec;
  readonly normalization: Normalization;
  readonly inputChannels?: number;
  /** First numbers of all parameters, by name. */
  readonly weights: Numbers;
  readonly training: Samples;
  readonly validation?: Samples;
  readonly recipe: Recipe;
  /** Where checkpoints are written and looked for; without it nothing is kept on disk. */
  readonly folder?: string;
  /** Steps between two checkpoints within an epoch; default: at the end of each epoch only. */
  readonly checkpointEvery?: number;
  /** Default `onnx`. */
  readonly engine?: TrainingEngine;
  readonly provider?: Provider;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly fileSystem?: FileSystem;
};

/** What an epoch gave. */
export type EpochReport = {
  readonly epoch: number;
  readonly trainingLoss: number;
  readonly validation?: Judgement;
};

/** What happens during a training. The last event is `done` or `stopped`. */
export type FitEvent =
  | {
    readonly kind: "step";
    readonly epoch: number;
    /** Steps done, of `steps`. */
    readonly step: number;
    readonly steps: number;
    readonly loss: number;
    readonly learningRate: number;
    readonly gradientNorm: number;
    readonly imagesPerSecond: number;
    /** Seconds to go. */
    readonly eta: number;
  }
  | { readonly kind: "epoch"; readonly report: EpochReport; readonly best: boolean }
  | { readonly kind: "resumed"; readonly step: number; readonly steps: number }
  | {
    /** The network is open for training; again where other layers are trained from then on. */
    readonly kind: "opened";
    /** What runs it: `onnxruntime-node on cpu`, `@tensorflow/tfjs on cpu`. */
    readonly ranBy: string;
  }
  | {
    readonly kind: "done" | "stopped";
    /** The best numbers by validation, or the last ones without it. */
    readonly weights: Numbers;
    readonly history: readonly EpochReport[];
    readonly bestEpoch?: number;
    readonly steps: number;
  };

/**
 * Trains a network. The same options give the same bits, in one go or continued from a checkpoint, on the same machine and
 * with the same number of threads.
 *
 * The last batch of an epoch is filled up with the first images of that epoch. An abort ends after the step under way,
 * with a checkpoint; one that comes while films are read ends at once.
 *
 * @throws MammolabError for a recipe that cannot be, data that do not fit, a checkpoint of another training, or a loss that
 * is no number (naming the layer)
 */
export async function* fit(options: FitOptions): AsyncGenerator<FitEvent> {
  const { recipe, folder, signal } = options;
  checkRecipe(recipe);
  checkSamples(options);
  checkFollowed(options);
  using _lock = folder === undefined ? undefined : await lockFolder(folder);
  const run = planOf(options);
  checkWeights(options.weights, run.shapes);
  begunAt(options, run, recipe.epochs - 1); // a mode that the network does not have is told now, not hours later
  const images = folder === undefined ? undefined : await unlessAborted(hashOfImages(options), signal);
  const identity = { ...run.identity, ...(images === undefined ? {} : { images }) };
  const known = folder === undefined ? undefined : await readCheckpoint(folder, identity);
  let progress: Progress = known?.progress ?? { schemaVersion: 1, ...identity, step: 0, history: [], lossSum: 0 };
  let state = known?.state;
  if (known) yield { kind: "resumed", step: progress.step, steps: run.steps };
  let bestValues = progress.best && await readBest(folder!);
  let trainer: Trainer | undefined;
  try {
    let saved = progress.step;
    const save = async () => {
      if (folder === undefined || saved === progress.step) return;
      await writeCheckpoint(folder, await trainer!.read(), progress, run.shapes, run.disk);
      saved = progress.step;
    };
    const finished = () => progress.step >= run.steps || waitedEnough(progress, recipe);
    let mode = "";

    let next = batchAt(options, run, progress.step);
    next.catch(() => {}); // a batch that fails is told when it is awaited
    while (!finished()) {
      const epoch = Math.floor(progress.step / run.perEpoch);
      const wanted = modeAt(recipe, epoch);
      if (JSON.stringify(wanted) !== mode) {
        if (trainer) state = await trainer.read();
        await trainer?.[Symbol.asyncDispose]();
        trainer = await openFor(options, run, epoch, state);
        mode = JSON.stringify(wanted);
        yield { kind: "opened", ranBy: trainer.ranBy };
      }
      const start = performance.now();
      const batches = await unlessAborted(next, signal).catch(async (error) => {
        await save().catch(() => {}); // a film that cannot be read costs no steps; the first failure is the one to tell
        throw error;
      });
      if (!batches || signal?.aborted) break;
      next = batchAt(options, run, progress.step + 1); // prepared while the step runs
      next.catch(() => {});
      const learningRate = recipe.learningRate *
        scheduleAt(recipe.schedule ?? { kind: "cosine" }, progress.step, run.steps);
      const { loss, gradientNorm } = await trainer!.step({
        batches,
        learningRate,
        step: progress.step + 1,
        ...(recipe.clip === undefined ? {} : { clip: recipe.clip }),
        ...(recipe.average === undefined ? {} : { average: recipe.average }),
      });
      const seconds = (performance.now() - start) / 1000;
      progress = { ...progress, step: progress.step + 1, lossSum: progress.lossSum + loss };
      yield {
        kind: "step",
        epoch,
        step: progress.step,
        steps: run.steps,
        loss,
        learningRate,
        gradientNorm,
        imagesPerSecond: run.perStep / seconds,
        eta: seconds * (run.steps - progress.step),
      };

      if (progress.step % run.perEpoch === 0) {
        const report = await reportOf(options, trainer!, epoch, progress.lossSum / run.perEpoch);
        const score = scoreOf(report);
        const loss = report.validation?.loss ?? Infinity;
        const better = report.validation !== undefined && isBetter({ score, loss }, progress.best);
        progress = {
          ...progress,
          lossSum: 0,
          history: [...progress.history, report],
          ...(better ? { best: { epoch, score, loss } } : {}),
        };
        if (better) {
          bestValues = valuesOf(await trainer!.read());
          // Before the checkpoint that names it: a kill between the two only repeats this epoch.
          if (folder !== undefined) await writeBest(folder, bestValues, run.shapes, run.disk);
        }
        await save();
        yield { kind: "epoch", report, best: better };
      } else if (options.checkpointEvery !== undefined && progress.step % options.checkpointEvery === 0) {
        await save();
      }
      if (signal?.aborted) break;
    }
    await save();
    yield {
      kind: finished() ? "done" : "stopped",
      weights: bestValues ?? valuesOf(trainer ? await trainer.read() : state!),
      history: progress.history,
      steps: progress.step,
      ...(progress.best ? { bestEpoch: progress.best.epoch } : {}),
    };
  } finally {
    await trainer?.[Symbol.asyncDispose]();
  }
}

/** The result of work, or nothing as soon as there is an abort: films may take long to read. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  if (!signal) return await work;
  const aborted = Promise.withResolvers<undefined>();
  const end = () => aborted.resolve(undefined);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

type Plan = ReturnType<typeof planOf>;

function planOf(
  { spec, normalization, inputChannels = 1, weights, recipe, training, validation, folder, fileSystem = disk }:
    FitOptions,
) {
  const perStep = recipe.batchSize * (recipe.accumulate ?? 1);
  const perEpoch = Math.ceil(training.ids.length / perStep);
  const hash = createHash("sha256");
  for (const side of [training, validation]) hash.update(JSON.stringify([side?.ids, side?.targets]));
  const identity = {
    recipe,
    spec,
    data: hash.digest("hex").slice(0, 16),
    ...(folder === undefined ? {} : { weights: hashOf(weights) }),
  };
  return {
    identity,
    perStep,
    perEpoch,
    steps: perEpoch * recipe.epochs,
    shapes: buildNet(spec, { normalization, inputChannels }).parameters,
    masks: masksOf(spec, recipe),
    disk: { fileSystem },
  };
}

function hashOf(weights: Numbers): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(weights).toSorted()) {
    const { buffer, byteOffset, byteLength } = weights[name]!;
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

/** One image stands for all, with what is known of their preparation: `fineTune` gives the whole of it as normalization. */
async function hashOfImages({ training, normalization, inputChannels = 1 }: FitOptions): Promise<string> {
  const { buffer, byteOffset, byteLength } = await training.image(0, -1);
  const hash = createHash("sha256").update(canonicalJson({ normalization, inputChannels }));
  return hash.update(new Uint8Array(buffer, byteOffset, byteLength)).digest("hex").slice(0, 16);
}

/** The pixels, labels and masks of a step: all follow from the seed and its number. */
async function batchAt(
  options: FitOptions,
  { perStep, perEpoch, steps, masks }: Plan,
  step: number,
): Promise<Numbers[]> {
  if (step >= steps) return [];
  const { recipe, training, spec } = options;
  const epoch = Math.floor(step / perEpoch);
  const order = shuffled(training.ids.map((_, i) => i), seededRandom(recipe.seed, "order", epoch));
  const start = (step % perEpoch) * perStep;
  const items = Array.from({ length: perStep }, (_, k) => order[(start + k) % order.length]!);
  const images = await Promise.all(items.map((item) => training.image(item, epoch)));
  const { height, width } = spec.imageSize;
  const size = (options.inputChannels ?? 1) * height * width;
  return Array.from({ length: perStep / recipe.batchSize }, (_, run) => {
    const image = new Float32Array(recipe.batchSize * size);
    const targets = new Float32Array(recipe.batchSize * spec.classes);
    for (let k = 0; k < recipe.batchSize; k++) {
      const i = run * recipe.batchSize + k;
      if (images[i]!.length !== size) {
        throw new MammolabError(
          `Cannot train on ${training.ids[items[i]!]}: it has ${
            images[i]!.length
          } values, the network takes ${size}; prepare it to ${height} × ${width}`,
        );
      }
      image.set(images[i]!, k * size);
      targets.set(smoothed(training.targets[items[i]!]!, recipe.labelSmoothing ?? 0), k * spec.classes);
    }
    const drawn = masks.map((mask) => [mask.name, drawMask(mask, { seed: recipe.seed, step, run })] as const);
    return { image, targets, ...Object.fromEntries(drawn) };
  });
}

async function openFor(
  options: FitOptions,
  run: Plan,
  epoch: number,
  state?: TrainerState,
): Promise<Trainer> {
  const { spec, normalization, inputChannels = 1, recipe, engine = "onnx", provider = "cpu", threads } = options;
  const begun = begunAt(options, run, epoch);
  const trained = Object.keys(begun);
  const trainer = await openTrainer({
    spec,
    normalization,
    inputChannels,
    batchSize: recipe.batchSize,
    loss: recipe.loss ?? { kind: "crossEntropy" },
    dropPath: recipe.dropPath ?? 0,
    dropout: recipe.dropout ?? 0,
    recomputeAttention: recipe.recomputeAttention ?? false,
    trained,
    optimizer: recipe.optimizer ?? usualOptimizer,
    layerDecay: recipe.layerDecay ?? 1,
    begun,
    engine,
    provider,
    ...(threads === undefined ? {} : { threads }),
    values: state?.values ?? options.weights,
  });
  if (state) {
    // Moments of parameters that were frozen until now start at zero.
    const moments = (known: Numbers) =>
      Object.fromEntries(trained.map((name) => [name, known[name] ?? new Float32Array(size(run.shapes.get(name)!))]));
    await trainer.write({ ...state, first: moments(state.first), second: moments(state.second) });
  }
  return trainer;
}

/** What is trained in an epoch: each parameter, and the steps that were done before it began to be. */
function begunAt({ recipe, spec }: FitOptions, { shapes, perEpoch }: Plan, epoch: number): Record<string, number> {
  const stages = [0, ...(recipe.unfreeze ?? []).map((stage) => stage.epoch)].filter((first) => first <= epoch);
  let begun: Record<string, number> = {};
  for (const first of stages) {
    const names = trainedNames([...shapes.keys()], modeAt(recipe, first), spec);
    begun = Object.fromEntries(names.map((name) => [name, begun[name] ?? first * perEpoch]));
  }
  return begun;
}

async function reportOf(
  { validation, spec, inputChannels = 1, recipe }: FitOptions,
  trainer: Trainer,
  epoch: number,
  trainingLoss: number,
): Promise<EpochReport> {
  if (!validation) return { epoch, trainingLoss };
  const { batchSize, average } = recipe;
  const how = { spec, inputChannels, batchSize, averaged: average !== undefined };
  const logits = await trainerLogits(trainer, validation, how);
  return { epoch, trainingLoss, validation: judge(logits, validation.targets, recipe.loss) };
}

/** What is to become small: 1 − AUC where there is one, else the validation loss. */
const scoreOf = ({ validation }: EpochReport) =>
  validation?.auc === undefined ? validation?.loss ?? Infinity : 1 - validation.auc;

/** Equal scores are told apart by the loss: an AUC of few films is often the same for many epochs. */
function isBetter({ score, loss }: { readonly score: number; readonly loss: number }, best: Progress["best"]): boolean {
  return best === undefined || score < best.score || (score === best.score && loss < (best.loss ?? -Infinity));
}

/** Counted from the epoch that first reached the best score: a loss that still falls under the same AUC is no reason to go on. */
function waitedEnough({ best, history }: Progress, { patience }: Recipe): boolean {
  if (patience === undefined || best === undefined) return false;
  return history.length - 1 - history.findIndex((report) => scoreOf(report) === best.score) >= patience;
}

/** What is kept of a state: the averaged numbers where there are any. */
function valuesOf({ values, average }: TrainerState): Numbers {
  return average ? { ...values, ...average } : values;
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
