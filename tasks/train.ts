import { join } from "node:path";
import { cacheFolder, exists, MammolabError } from "../lib/base/mod.ts";
import type { FilmRecord } from "../lib/datasets/mod.ts";
import {
  adaptModel,
  loadModel,
  type ModelDefinition,
  type PlainWeights,
  readModel,
  saveModel,
} from "../lib/model/mod.ts";
import { balance, createFlow, recordsOfPlan } from "../lib/prepare/mod.ts";
import {
  classOf,
  type EpochReport,
  fineTune,
  type FitEvent,
  preparedFilms,
  type Recipe,
  whyNotHeadAlone,
} from "../lib/train/mod.ts";
import { adaptationSentence } from "../lib/weights/mod.ts";
import { modelPath } from "./_model.ts";
import { recipeOf, recipeOptions } from "./_recipe.ts";
import { oneOf, table, task, type TaskContext, threadsOption } from "./_task.ts";
import { dataOptions, filmsOf, hashOfFilms, quoted, sameSource, sameSplit } from "./_train_options.ts";
import { writePictures } from "./_train_report.ts";

const engines = ["onnx", "tfjs"] as const;
const providers = ["cpu", "webgpu", "cuda"] as const;
const strategies = ["none", "oversample", "augment", "undersample", "sample"] as const;

const options = {
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
  ...recipeOptions,
  balance: { type: "string", value: strategies.join("|"), help: "how the training side is balanced", default: "none" },
  engine: {
    type: "string",
    value: engines.join("|"),
    help: "ONNX Runtime, or TensorFlow.js where it is installed (deno task doctor shows it)",
    default: "onnx",
  },
  provider: { type: "string", value: providers.join("|"), help: "where ONNX Runtime trains", default: "cpu" },
  name: { type: "string", value: "NAME", help: "the name that the model gives itself", default: "trained" },
  half: { type: "boolean", help: "save the model in 16 bits: half the size" },
  threads: threadsOption,
} as const;

type Context = TaskContext<typeof options>;

await task({
  name: "train",
  summary: "Trains or fine-tunes a model on the films of a dataset, split by patient or as published.",
  usage: "deno task train SOURCE",
  example: "deno task train out/phantom --from vit-phantom --epochs 20 --balance oversample --out out/train",
  options,
  positionals: { min: 1, max: 1, what: "SOURCE" },
  run: async (context) => {
    const { options, path, signal, progress } = context;
    const engine = oneOf("engine", options.engine, engines);
    const provider = oneOf("provider", options.provider, providers);
    const recipe = await recipeOf(context);
    const data = await dataOf(context, recipe);
    const { model, open } = await modelOf(context, recipe, data);
    const { preparation } = model.definition;
    const [out, cache] = [path(options.out), await cacheFolder()];
    const folder = join(out, "model");

    await using flow = createFlow({ preparation });
    const training = fineTune({
      model,
      open,
      films: preparedFilms({
        preparation,
        prepare: async (film) => (await flow.prepare({ film })).image,
        folder: join(cache, "prepared"),
      }),
      classes: data.rule,
      training: recordsOfPlan(data.plan, data.split.training),
      validation: data.split.validation.records,
      recipe,
      folder: out,
      features: join(cache, "features"),
      checkpointEvery: 50,
      engine,
      provider,
      signal,
      onProgress: progress,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
    let last: Last | undefined;
    let ranBy = `onnxruntime-node on ${provider}`;
    for await (const event of training) { // the folder is ours until the last event has been dealt with
      follow(event, context);
      if (event.kind === "opened") ranBy = event.ranBy;
      if (event.kind !== "done" && event.kind !== "stopped") continue;
      if (event.steps === 0) throw signal.reason; // stopped before it had learned anything
      await saveModel(folder, trainedModel(event, model, data, recipe, context), options.half ? { type: "F16" } : {});
      last = event;
    }

    const { kind, steps, history, bestEpoch } = last!;
    const { plan, sides } = data;
    const facts = { recipe, split: sides, history, ...(bestEpoch === undefined ? {} : { bestEpoch }) };
    const pictures = await writePictures(out, { name: options.name, preparation, ranBy, plan, ...facts });
    return {
      model: folder,
      next: nextLine(folder, data, context),
      ...pictures,
      ...facts,
      balance: { before: plan.before, after: plan.after },
      steps,
      stopped: kind === "stopped",
    };
  },
  print: (result) =>
    [
      table(result.history.map(({ epoch, trainingLoss, validation }) => ({
        epoch: epoch + 1,
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

type Last = Extract<FitEvent, { readonly kind: "done" | "stopped" }>;

type Data = Awaited<ReturnType<typeof dataOf>>;
type Start = Awaited<ReturnType<typeof modelOf>>;

/** The films of both sides, all of them there, and how the training side is balanced. */
async function dataOf(context: Context, recipe: Recipe) {
  const { files: [source], options, note } = context;
  const { films, split, rule } = await filmsOf(source!, context);
  for (const line of split.notes) note(line);
  const { training, validation, test, hash, by, seed } = split;
  await refuseMissing([...training.records, ...validation.records]);
  const classes = Object.keys(rule);
  const plan = balance(training, {
    strategy: oneOf("balance", options.balance, strategies),
    seed: recipe.seed,
    by: (film) => classes[classOf(film, rule)], // the classes that are trained, of which each may be several labels
  });
  const counts = {
    training: training.records.length,
    validation: validation.records.length,
    test: test.records.length,
  };
  return { films, split, rule, plan, sides: { hash, by, ...(seed === undefined ? {} : { seed }), ...counts } };
}

/** The model to start from, with outputs for the classes, and how to open it in an engine. What is changed is noted. */
async function modelOf({ options, path, note }: Context, recipe: Recipe, { rule }: Pick<Data, "rule">) {
  const from = options.scratch ? options.from : await modelPath(options.from, path);
  const seeded = options.scratch ? { seed: recipe.seed } : {};
  const { unused, ...start } = await readModel(from, seeded);
  const { name, spec } = start.definition;
  if (unused.length > 0) {
    const more = unused.length > 3 ? ` and ${unused.length - 3} more` : "";
    note(`${name}: its weights hold what is not used: ${unused.slice(0, 3).join(", ")}${more}`);
  }
  const { pool } = recipe;
  const model = adaptModel(start, { classes: Object.keys(rule), seed: 1, ...(pool ? { pool } : {}) });
  for (const change of model.changes) note(`${name}: ${adaptationSentence(change)}`);
  const whyNot = recipe.mode === "head" ? whyNotHeadAlone(recipe, spec) : undefined;
  if (whyNot) note(`The network runs at every step, because the recipe ${whyNot}`);
  const threads = options.threads === undefined ? {} : { threads: options.threads };
  const provider = oneOf("provider", options.provider, providers);
  return { model, open: () => loadModel(from, { ...seeded, ...threads, provider }) };
}

/** What is saved: the numbers, and a definition that says where they come from and which films they have seen. */
function trainedModel(
  { weights }: Last,
  model: Start["model"],
  { films, split, sides }: Data,
  { loss }: Recipe,
  { options }: Context,
): { readonly definition: ModelDefinition; readonly weights: PlainWeights } {
  const from = options.scratch ? "random numbers" : options.from;
  return {
    definition: {
      ...model.definition,
      name: options.name,
      trained: true,
      scores: loss?.kind === "binary" ? "sigmoid" : "softmax",
      origin: `trained from ${from} on ${sides.training} films, ${
        split.by === "publisher" ? "published split" : "split"
      } ${split.hash}`,
      trainedOn: { films: hashOfFilms(films), split: split.hash, options: sameSplit(options, split) },
    },
    weights,
  };
}

/** How this model is judged on the films that it has not seen. */
function nextLine(folder: string, { split }: Data, { files: [source], options, path }: Context): string {
  const root = options.root === undefined ? {} : { root: path(options.root) };
  return `deno task evaluate ${quoted(source!)} --model ${quoted(folder)} ${sameSplit(options, split)}${
    sameSource({ ...options, ...root })
  }`;
}

/** Before the first step, not in the middle of an epoch. */
async function refuseMissing(films: readonly FilmRecord[]): Promise<void> {
  const there = await Promise.all(films.map(({ file }) => exists(file)));
  const missing = films.filter((_, k) => !there[k]);
  if (missing.length === 0) return;
  throw new MammolabError(
    `Cannot train: the file of ${missing.length} of ${films.length} films is missing, such as ${
      missing[0]!.file
    }; put them back, or leave them out of the table`,
  );
}

function follow(event: FitEvent, { note, progress }: Context): void {
  if (event.kind === "resumed") note(`Going on from step ${event.step} of ${event.steps}`);
  if (event.kind === "opened" && event.ranBy.startsWith("@tensorflow/tfjs on")) {
    note(
      "TensorFlow.js runs in plain JavaScript here, which takes minutes a step; deno task doctor says what is missing",
    );
  }
  if (event.kind === "step") progress({ done: event.step, total: event.steps, unit: "steps", eta: event.eta });
  if (event.kind === "epoch") note(epochLine(event.report, event.best));
}

function epochLine({ epoch, trainingLoss, validation }: EpochReport, best: boolean): string {
  const shown = validation
    ? `, validation loss ${validation.loss.toFixed(4)}, accuracy ${validation.accuracy.toFixed(3)}${
      validation.auc === undefined ? "" : `, AUC ${validation.auc.toFixed(3)}`
    }${best ? " (best so far)" : ""}`
    : "";
  return `epoch ${epoch + 1}: training loss ${trainingLoss.toFixed(4)}${shown}`;
}
