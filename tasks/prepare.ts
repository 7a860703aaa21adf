// deno task prepare: what a network will be given, before anything is trained.
import { join, relative } from "node:path";
import { checkFolder, MammolabError, sentenceOf, writeFileAtomic } from "../lib/base/mod.ts";
import { countRecords, type FilmRecord, labelOf, split, type TrainingSide } from "../lib/datasets/mod.ts";
import type { Preparation } from "../lib/image/mod.ts";
import { readModel, untrainedDefinition } from "../lib/model/mod.ts";
import { contactSheet, report } from "../lib/plot/mod.ts";
import { balance, createFlow, mildAugmentations, pipeline, type Step } from "../lib/prepare/mod.ts";
import { chosenFilms, countsChart, reportFilm, round, sheetRows } from "./_prepare_sheet.ts";
import { modelPath } from "./_model.ts";
import { readSource, sourceOptions } from "./_source.ts";
import { oneOf, type OptionSpecs, table, task, type TaskContext, UsageError } from "./_task.ts";

const strategies = ["none", "oversample", "augment", "undersample", "sample"] as const;
const fields = ["label", "density", "laterality", "view", "dataset"] as const;

const options = {
  ...sourceOptions,
  balance: {
    type: "string",
    value: strategies.join("|"),
    help: "how the training side is balanced",
    default: "augment",
  },
  by: {
    type: "string",
    value: "FIELDS",
    help: "what is balanced, several with commas: label,density",
    default: "label",
  },
  ratio: { type: "string", value: "LIST", help: "weights of the groups: malignant=1,normal=3; default: all alike" },
  augmentations: { type: "string", value: "FILE", help: "steps as JSON; default: mild ones" },
  model: { type: "string", value: "NAME", help: "take the preparation of this model; default: that of vit-phantom" },
  size: { type: "string", value: "HxW", help: "another input size: 224x224" },
  fit: { type: "string", value: "stretch|pad", help: "fill that size, or keep the shape" },
  crop: { type: "string", value: "breast|none", help: "cut to the breast, or take the whole film" },
  patch: { type: "number", value: "N", help: "pixels of a token", default: 16, min: 1, integer: true },
  test: {
    type: "number",
    value: "SHARE",
    help: "share of the patients that is set aside",
    default: 0.2,
    min: 0,
    max: 0.9,
  },
  seed: { type: "number", value: "N", help: "of split, plan and augmentation", default: 1, integer: true },
  films: { type: "number", value: "N", help: "films on the sheet", default: 6, min: 1, max: 100, integer: true },
  copies: {
    type: "number",
    value: "N",
    help: "augmented copies of each on the sheet",
    default: 3,
    min: 1,
    max: 12,
    integer: true,
  },
  out: { type: "string", value: "DIR", help: "folder for sheet, report and plan", default: "out/prepare" },
  "each-file-is-a-patient": { type: "boolean", help: "take files of unknown patients as patients of their own" },
} as const satisfies OptionSpecs;

type Context = TaskContext<typeof options>;

await task({
  name: "prepare",
  summary:
    "What a network will be given: the balanced training side, and films beside their prepared, augmented and patched copies.",
  usage: "deno task prepare SOURCE",
  example: "deno task prepare out/phantom --size 224x224 --balance augment --films 4",
  options,
  positionals: { min: 1, max: 1, what: "SOURCE" },
  run: async (context) => {
    const { files: [source], options: { seed, patch, out }, path } = context;
    const { training, left } = await trainingSide(source!, context);
    const plan = balance(training, {
      strategy: oneOf("balance", context.options.balance, strategies),
      seed,
      by: groupsFrom(context.options.by),
      ...(context.options.ratio === undefined ? {} : { ratio: ratioFrom(context.options.ratio) }),
    });
    const preparation = await preparationOf(context);
    const { height, width } = preparation.resize;
    if (height % patch || width % patch) {
      throw new UsageError(
        `prepare: ${height} × ${width} is no multiple of patches of ${patch}; change --size or --patch`,
      );
    }
    const augmentations = await augmentationsOf(context);
    const folder = path(out);
    await checkFolder(folder);
    await using flow = createFlow({ preparation, augmentations, seed });
    await using plain = createFlow({ preparation, workers: 1 });
    const { rows, films, failed } = await sheetRows(chosenFilms(training, plan, context.options.films), {
      flow,
      plain,
      context: { ...context, ...context.options },
    });
    const title = `What a network is given, ${height} × ${width}`;
    const sheet = contactSheet(rows, {
      title,
      caption:
        "Each row: film, prepared film, augmented copies, patches. Lesions are outlined where the source says where they are.",
    });
    const written = {
      sheet: join(folder, "sheet.png"),
      report: join(folder, "report.html"),
      plan: join(folder, "plan.json"),
    };
    await writeFileAtomic(written.sheet, await sheet.toPng());
    await writeFileAtomic(
      written.plan,
      `${JSON.stringify({ schemaVersion: 1, preparation, augmentations, plan }, null, 1)}\n`,
    );
    const { items, ...facts } = plan;
    await writeFileAtomic(
      written.report,
      await report({
        title,
        figures: [countsChart(plan), sheet],
        films: films.map(reportFilm),
        settings: {
          "Preparation": preparation,
          "Augmentations": augmentations,
          "Balance": { ...facts, films: items.length },
        },
        notes: [
          `${training.records.length} films of the training side; ${left} are set aside for testing and were not looked at.`,
        ],
      }),
    );
    return {
      source: source!,
      counts: countRecords(training.records),
      before: plan.before,
      after: plan.after,
      plan,
      preparation,
      augmentations,
      films,
      failed,
      sheet: written.sheet,
      report: written.report,
    };
  },
  print: ({ before, after, films, failed, sheet, report, plan, preparation }) => {
    const { height, width } = preparation.resize;
    const groups = Object.keys(before).map((group) => ({ group, before: before[group]!, after: after[group] ?? 0 }));
    const lesions = films.flatMap(({ id, lesions }) =>
      lesions.map(({ kind, before, after }) => ({
        film: id,
        lesion: kind,
        "tokens of the film": round(before.tokens),
        [`at ${height} × ${width}`]: round(after.tokens),
      }))
    );
    const here = (file: string) => relative(Deno.cwd(), file);
    return [
      `Training side, ${plan.strategy}`,
      "",
      table(groups),
      "",
      ...(lesions.length > 0 ? [table(lesions), ""] : []),
      ...(failed.length > 0 ? [...failed, ""] : []),
      `sheet   ${here(sheet)}`,
      `report  ${here(report)}`,
    ].join("\n");
  },
});

/** The films that may be looked at: the training side of a split by patient. */
async function trainingSide(source: string, context: Context): Promise<{ training: TrainingSide; left: number }> {
  const { options, note } = context;
  const { records } = await readSource(source, context);
  const labeled = records.filter((record) => labelOf(record) !== undefined);
  const without = records.length - labeled.length;
  if (without > 0) note(`${without} films have no label and are left out`);
  const { training, test } = split(labeled, {
    by: "patient",
    seed: options.seed,
    eachFileIsAPatient: options["each-file-is-a-patient"],
    holdOut: { test: options.test },
  });
  return { training, left: test.records.length };
}

async function preparationOf({ options, path }: Context): Promise<Preparation> {
  const { model, size, fit, crop } = options;
  const known = model === undefined
    ? untrainedDefinition("vit-phantom", { seed: 1 }).preparation
    : (await readModel(await modelPath(model, path))).definition.preparation;
  const [, height, width] = /^(\d+)x(\d+)$/.exec(size ?? "") ?? [];
  if (size !== undefined && !(Number(height) > 0 && Number(width) > 0)) {
    throw new UsageError(`--size takes HEIGHTxWIDTH, such as 224x224, not "${size}"`);
  }
  return {
    ...known,
    crop: crop === undefined ? known.crop : oneOf("crop", crop, ["breast", "none"] as const),
    resize: {
      ...known.resize,
      ...(size === undefined ? {} : { height: Number(height), width: Number(width) }),
      fit: fit === undefined ? known.resize.fit : oneOf("fit", fit, ["stretch", "pad"] as const),
    },
  };
}

async function augmentationsOf({ options, path }: Context): Promise<readonly Step[]> {
  const { augmentations: file } = options;
  if (file === undefined) return mildAugmentations;
  try {
    const steps = JSON.parse(await Deno.readTextFile(path(file)));
    if (!Array.isArray(steps)) throw new MammolabError("it is no list");
    pipeline(steps);
    return steps;
  } catch (cause) {
    const found = cause instanceof Deno.errors.NotFound ? "there is no such file" : cause instanceof SyntaxError // its words are a piece of the file
      ? "it is not JSON"
      : sentenceOf(cause);
    throw new MammolabError(
      `Cannot read the augmentations ${file}: ${found}; write a list such as [{"name": "rotation", "options": {"degrees": 10}}]`,
      { cause },
    );
  }
}

function groupsFrom(typed: string): (record: FilmRecord) => string {
  const names = typed.split(",").map((field) => oneOf("by", field.trim(), fields));
  return (record) => names.map((name) => (name === "label" ? labelOf(record) : record[name]) ?? "unknown").join(" ");
}

function ratioFrom(typed: string): Record<string, number> {
  const pairs = typed.split(",").map((pair) => pair.split("=").map((word) => word.trim()));
  if (pairs.some(([name, weight, ...more]) => !name || !(Number(weight) > 0) || more.length > 0)) {
    throw new UsageError(`--ratio takes GROUP=NUMBER,GROUP=NUMBER …, not "${typed}"`);
  }
  return Object.fromEntries(pairs.map(([name, weight]) => [name!, Number(weight)]));
}
