import { join } from "node:path";
import { cacheFolder, MammolabError, writeFileAtomic } from "../lib/base/mod.ts";
import {
  adaptModel,
  loadModel,
  type ModelDefinition,
  type ModelWeights,
  readModel,
  saveModel,
} from "../lib/model/mod.ts";
import { balance, createFlow, mildAugmentations, pipeline, recordsOfPlan, type Step } from "../lib/prepare/mod.ts";
import {
  checkRecipe,
  classOf,
  type EpochReport,
  type FilmItem,
  filmSamples,
  fit,
  fitHead,
  lockFolder,
  type Mode,
  patchSamples,
  preparedFilms,
  type Recipe,
  whyNotHeadAlone,
} from "../lib/train/mod.ts";
import { adaptationSentence } from "../lib/weights/mod.ts";
import { modelPath } from "./_model.ts";
import { oneOf, table, task, UsageError } from "./_task.ts";
import { dataOptions, filmsOf, hashOfFilms, sameSplit } from "./_train_options.ts";
import { curveOf, trainingReport } from "./_train_report.ts";

const engines = ["onnx", "tfjs"] as const;
const providers = ["cpu", "webgpu", "cuda"] as const;
const strategies = ["none", "oversample", "augment", "undersample", "sample"] as const;

await task({
  name: "train",
  summary: "Trains or fine-tunes a model on the films of a dataset, split by patient.",
  usage: "deno task train SOURCE",
  example: "deno task train out/phantom --from vit-phantom --epochs 20 --balance oversample --out out/train",
  options: {
    ...dataOptions,
    from: {
      type: "string",
      value: "MODEL",
      help: "where to start: a model that comes with mammolab, a folder, or hf:owner/name after deno task fetch",
      default: "vit-phantom",
    },
    scratch: { type: "boolean", help: "start from random numbers in a network of the catalogue that --from names" },
    out: {
      type: "string",
      value: "DIR",
      help: "checkpoints, the model, the curve and a report; a training there is continued",
      default: "out/train",
    },
    recipe: { type: "string", value: "FILE", help: "the whole recipe as JSON; then the options below are not taken" },
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
    balance: {
      type: "string",
      value: strategies.join("|"),
      help: "how the training side is balanced",
      default: "none",
    },
    patches: {
      type: "number",
      value: "PIXELS",
      help: "train on patches of the prepared films that show a lesion, or tissue, in place of whole films",
      min: 1,
      integer: true,
    },
    plain: { type: "boolean", help: "no augmentation" },
    engine: {
      type: "string",
      value: engines.join("|"),
      help: "ONNX Runtime, or TensorFlow.js where it is installed (deno task doctor shows it)",
      default: "onnx",
    },
    provider: {
      type: "string",
      value: providers.join("|"),
      help: "where ONNX Runtime trains",
      default: "cpu",
    },
    name: { type: "string", value: "NAME", help: "the name that the model gives itself", default: "trained" },
    half: { type: "boolean", help: "save the model in 16 bits: half the size" },
    threads: {
      type: "number",
      value: "N",
      help: "threads of the processor (default: its cores)",
      min: 1,
      integer: true,
    },
  },
  positionals: { min: 1, max: 1, what: "SOURCE" },
  run: async ({ files: [source], options, path, signal, progress, note }) => {
    const out = path(options.out);
    const recipe = await recipeOf(options, path);
    checkRecipe(recipe);
    const { films: all, split, rule, without } = await filmsOf(source!, options);
    if (without > 0) note(`${without} films have a label of no class and are left out`);
    for (const line of split.notes) note(line);

    const classes = Object.keys(rule);
    const from = options.scratch ? options.from : await modelPath(options.from, path);
    const seeded = options.scratch ? { seed: recipe.seed } : {};
    const { pool } = recipe;
    const start = adaptModel(await readModel(from, seeded), { classes, seed: 1, ...(pool ? { pool } : {}) });
    for (const change of start.changes) note(`${start.definition.name}: ${adaptationSentence(change)}`);
    const { preparation } = start.definition;
    const { patches } = recipe;
    // Positions of a patch are those of the whole film, resampled; they go back when the model is saved.
    const given = patches === undefined
      ? start
      : adaptModel(start, { imageSize: { height: patches, width: patches }, seed: 1 });
    const shapes = new Map([...given.weights].map(([name, { shape }]) => [name, shape]));
    const plan = balance(split.training, {
      strategy: oneOf("balance", options.balance, strategies),
      seed: recipe.seed,
      by: (film) => classes[classOf(film, rule)], // the classes that are trained, of which each may be several labels
    });
    await using flow = createFlow({ preparation });
    const films = preparedFilms({
      preparation,
      prepare: async (film) => (await flow.prepare({ film })).image,
      folder: join(await cacheFolder(), "prepared"),
    });
    const samples = (items: readonly FilmItem[], augmentation: readonly Step[]) => {
      const { seed } = recipe;
      const augment = augmentation.length === 0 ? {} : { augment: { pipeline: pipeline(augmentation), seed } };
      const common = { films, classes: rule, ...augment };
      return patches === undefined
        ? filmSamples(items, common)
        : patchSamples(items, { ...common, size: patches, seed });
    };
    const validation = split.validation.records.map((film) => ({ film, copy: 0 }));
    const save = async (event: { readonly weights: Readonly<Record<string, Float32Array>> }) => {
      const definition: ModelDefinition = {
        ...start.definition,
        name: options.name,
        trained: true,
        scores: recipe.loss?.kind === "binary" ? "sigmoid" : "softmax",
        origin: `trained from ${
          options.scratch ? "random numbers" : options.from
        } on ${split.training.records.length} films, split ${split.hash}`,
        trainedOn: { films: hashOfFilms(all), split: split.hash, options: sameSplit(options) },
      };
      const trained: ModelWeights = new Map(
        Object.entries(event.weights).map(([name, data]) => [name, { shape: shapes.get(name)!, data }]),
      );
      const { weights } = adaptModel({ definition: given.definition, weights: trained }, {
        imageSize: preparation.resize,
        seed: 1,
      });
      await saveModel(join(out, "model"), { definition, weights }, options.half ? { type: "F16" } : {});
    };
    const judges = samples(validation, []);
    const history: EpochReport[] = [];
    let result: { steps: number; bestEpoch?: number; stopped: boolean } | undefined;
    const { spec } = start.definition;
    const engine = oneOf("engine", options.engine, engines);
    const provider = oneOf("provider", options.provider, providers);
    const whyNot = recipe.mode !== "head" ? undefined : whyNotHeadAlone(recipe) ??
      (spec.head === "linear" && !spec.distilled ? undefined : "is for a head of several layers");
    if (whyNot) note(`The network runs at every step, because the recipe ${whyNot}`);
    if (recipe.mode === "head" && !whyNot && engine === "onnx") {
      const unlock = await lockFolder(out);
      const threads = options.threads === undefined ? {} : { threads: options.threads };
      await using model = await loadModel(from, { ...seeded, ...threads, provider });
      const { head, history: epochs } = await fitHead({
        model,
        films,
        classes: rule,
        training: recordsOfPlan(plan, split.training).map(({ film }) => film),
        validation: split.validation.records,
        recipe,
        folder: join(await cacheFolder(), "features"),
        signal,
        onProgress: progress,
      });
      history.push(...epochs);
      await save({ weights: { ...numbersOf(start.weights), "head.weight": head.weight, "head.bias": head.bias } });
      unlock();
      result = { steps: recipe.epochs * Math.ceil(plan.items.length / recipe.batchSize), stopped: false };
    } else {
      for await (
        const event of fit({
          spec: given.definition.spec,
          normalization: preparation,
          inputChannels: 1,
          weights: numbersOf(given.weights),
          training: samples(recordsOfPlan(plan, split.training), recipe.augmentation ?? []),
          ...(judges.ids.length === 0 ? {} : { validation: judges }),
          recipe,
          folder: out,
          checkpointEvery: 50,
          signal,
          engine,
          provider,
          ...(options.threads === undefined ? {} : { threads: options.threads }),
        })
      ) {
        if (event.kind === "resumed") note(`Going on from step ${event.step} of ${event.steps}`);
        if (event.kind === "step") progress({ done: event.step, total: event.steps, unit: "steps", eta: event.eta });
        if (event.kind === "epoch") {
          history.push(event.report);
          note(epochLine(event.report, event.best));
        }
        if (event.kind === "done" || event.kind === "stopped") {
          await save(event);
          result = {
            steps: event.steps,
            stopped: event.kind === "stopped",
            ...(event.bestEpoch === undefined ? {} : { bestEpoch: event.bestEpoch }),
          };
          history.splice(0, history.length, ...event.history);
        }
      }
    }
    const sides = {
      hash: split.hash,
      seed: options["split-seed"],
      training: split.training.records.length,
      validation: split.validation.records.length,
      test: split.test.records.length,
    };
    const curve = join(out, "curve.png");
    if (history.length > 0) await writeFileAtomic(curve, await curveOf(history).toPng());
    const page = join(out, "report.html");
    await writeFileAtomic(
      page,
      await trainingReport({
        name: options.name,
        preparation,
        ranBy: engine === "onnx" ? provider : engine,
        recipe,
        plan,
        split: sides,
        history,
        ...(result?.bestEpoch === undefined ? {} : { bestEpoch: result.bestEpoch }),
      }),
    );
    return {
      model: join(out, "model"),
      next: `deno task evaluate '${source!}' --model '${join(out, "model")}' ${sameSplit(options)}`,
      curve: history.length > 0 ? curve : undefined,
      report: page,
      recipe,
      split: sides,
      balance: { before: plan.before, after: plan.after },
      ...result!,
      history,
    };
  },
  print: (result) =>
    [
      table(result.history.map(({ epoch, trainingLoss, validation }) => ({
        epoch,
        "training loss": trainingLoss.toFixed(4),
        "validation loss": validation?.loss.toFixed(4),
        accuracy: validation?.accuracy.toFixed(3),
        AUC: validation?.auc?.toFixed(3),
      }))),
      "",
      `${
        result.stopped ? "Stopped" : "Done"
      } after ${result.steps} steps; the model is ${result.model}, its curve is in ${result.report}`,
      `Next: ${result.next}`,
    ].join("\n"),
});

/** The recipe of a file, or of the options. */
async function recipeOf(
  options: {
    readonly recipe: string | undefined;
    readonly epochs: number | undefined;
    readonly batch: number | undefined;
    readonly "learning-rate": number | undefined;
    readonly mode: string | undefined;
    readonly "drop-path": number | undefined;
    readonly smoothing: number | undefined;
    readonly patience: number | undefined;
    readonly seed: number | undefined;
    readonly patches: number | undefined;
    readonly plain: boolean | undefined;
  },
  path: (typed: string) => string,
): Promise<Recipe> {
  const { recipe: file, epochs, batch, "learning-rate": rate, mode, "drop-path": dropPath, smoothing, patience } =
    options;
  const { seed, patches, plain } = options;
  if (file !== undefined) {
    if (
      plain || [epochs, batch, rate, mode, dropPath, smoothing, patience, seed, patches].some((x) => x !== undefined)
    ) {
      throw new UsageError("train: with --recipe the settings are those of the file; change the file");
    }
    const text = await Deno.readTextFile(path(file)).catch((cause) => {
      throw new MammolabError(
        `Cannot read the recipe ${file}: there is no such file, or no right to read it; check the path`,
        { cause },
      );
    });
    try {
      return JSON.parse(text) as Recipe;
    } catch (cause) {
      throw new MammolabError(`Cannot read the recipe ${file}: it is no JSON; correct it`, { cause });
    }
  }
  const head = mode === "head"; // its features are computed once, so that many short epochs are cheap
  return {
    seed: seed ?? 1,
    epochs: epochs ?? (head ? 100 : 10),
    batchSize: batch ?? (head ? 32 : 8),
    learningRate: rate ?? (head ? 1e-2 : 3e-4),
    schedule: { kind: "cosine", warmUp: 0.1 },
    optimizer: { kind: "adamw", weightDecay: 0.05 },
    clip: 1,
    ...modeFrom(mode ?? "all"),
    ...(dropPath === undefined ? {} : { dropPath }),
    ...(smoothing === undefined ? {} : { labelSmoothing: smoothing }),
    ...(patience === undefined ? {} : { patience }),
    ...(patches === undefined ? {} : { patches }),
    augmentation: plain || head ? [] : mildAugmentations, // what `prepare` shows
  };
}

function numbersOf(weights: ModelWeights): Record<string, Float32Array> {
  return Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
}

function modeFrom(typed: string): Pick<Recipe, "mode" | "unfreeze"> {
  if (typed === "gradual") return { unfreeze: [{ epoch: 0, mode: "head" }, { epoch: 1, mode: "all" }] };
  const last = typed.match(/^last:(\d+)$/)?.[1];
  if (typed !== "all" && typed !== "head" && last === undefined) {
    throw new UsageError(`--mode takes all, head, last:N or gradual, not "${typed}"`);
  }
  return { mode: (last === undefined ? typed : { lastBlocks: Number(last) }) as Mode };
}

function epochLine({ epoch, trainingLoss, validation }: EpochReport, best: boolean): string {
  const shown = validation
    ? `, validation loss ${validation.loss.toFixed(4)}, accuracy ${validation.accuracy.toFixed(3)}${
      validation.auc === undefined ? "" : `, AUC ${validation.auc.toFixed(3)}`
    }${best ? " (best so far)" : ""}`
    : "";
  return `epoch ${epoch}: training loss ${trainingLoss.toFixed(4)}${shown}`;
}
