import { MammolabError, sentenceOf } from "../lib/base/mod.ts";
import {
  aucWithInterval,
  bootstrap,
  brier,
  confusionAt,
  type Estimate,
  pointingGame,
  type ScoredCase,
  sensitivity,
  specificity,
} from "../lib/evaluate/mod.ts";
import { countBy, type FilmRecord, patientKey, type Split } from "../lib/datasets/mod.ts";
import { loadModel, type Model } from "../lib/model/mod.ts";
import { type Pointed, pointedAt } from "./_pointing.ts";
import { classOf } from "../lib/train/mod.ts";
import { modelPath } from "./_model.ts";
import { oneOf, table, task, threadsOption } from "./_task.ts";
import { dataOptions, filmsOf, hashOfFilms } from "./_train_options.ts";

const sides = ["test", "validation", "training", "all"] as const;

await task({
  name: "evaluate",
  summary:
    "How well a model tells the classes apart on one side of a split, by patient or as published, with intervals.",
  usage: "deno task evaluate SOURCE",
  example: "deno task evaluate out/phantom --model out/train/model --side test --json",
  options: {
    ...dataOptions,
    model: {
      type: "string",
      value: "NAME",
      help: "a model that comes with mammolab, or a folder",
      default: "vit-phantom",
    },
    side: {
      type: "string",
      value: sides.join("|"),
      help: "which side of the split; all: films that no training has seen",
      default: "test",
    },
    pointing: {
      type: "boolean",
      help: "also how often the attention is highest in a lesion of the positive class, beside what needs no network",
    },
    threshold: {
      type: "number",
      value: "P",
      help: "scores from here on count as positive",
      default: 0.5,
      min: 0,
      max: 1,
    },
    threads: threadsOption,
  },
  positionals: { min: 1, max: 1, what: "SOURCE" },
  run: async (context) => {
    const { files: [source], options, path, signal, progress, failure } = context;
    const side = oneOf("side", options.side, sides);
    const { films: all, split, rule } = await filmsOf(source!, context);
    const films = side === "all" ? all : split[side].records;
    const positive = Object.keys(rule).at(-1)!;
    const isPositive = (film: FilmRecord) => classOf(film, rule) === Object.keys(rule).length - 1;
    await using model = await loadModel(
      await modelPath(options.model, path),
      options.threads === undefined ? {} : { threads: options.threads },
    );
    refuseLeak(model, all, split, context);
    if (!model.classes.includes(positive)) {
      throw new MammolabError(
        `Cannot evaluate ${options.model}: it has no class ${positive}, its classes are ${
          model.classes.join(", ")
        }; name the positive class as the model does, in --classes, as the last one`,
      );
    }
    const positives = films.filter(isPositive).length;
    if (positives === 0 || positives === films.length) {
      throw new MammolabError(
        `Cannot evaluate on ${
          side === "all" ? "all films" : `the ${side} side`
        }: ${positives} of its ${films.length} films are ${positive}, both kinds are needed; choose another --side or --split-seed, or more films`,
      );
    }
    const scored: { film: FilmRecord; score: number }[] = [];
    const pointed: Pointed[] = [];
    const errors: { file: string; error: string }[] = [];
    const warnings: string[] = [];
    // Of a file with several frames the one that the record means, which is the one that trains; the middle one where it says none.
    for (const [frame, own] of Map.groupBy(films, ({ frame }) => frame)) {
      const byFile = Map.groupBy(own, ({ file }) => file);
      const asked = {
        signal,
        onProgress: progress,
        attention: options.pointing,
        keepFilm: options.pointing,
        load: frame === undefined ? {} : { frame },
      };
      for await (const result of model.predictAll([...byFile.keys()], asked)) {
        if ("error" in result) {
          const error = sentenceOf(result.error);
          failure(error);
          errors.push({ file: result.file, error });
          continue;
        }
        const { prediction, film: mammogram } = result;
        for (const film of byFile.get(result.file)!) {
          scored.push({ film, score: prediction.scores[positive]! });
          warnings.push(...prediction.warnings);
          if (mammogram && prediction.attention && isPositive(film)) {
            pointed.push(...pointedAt(film, mammogram, prediction.attention));
          }
        }
      }
    }
    const cases: ScoredCase[] = scored.map(({ film, score }) => ({
      positive: isPositive(film),
      score,
      patient: patientKey(film) ?? film.id,
    }));
    // A breast is as suspect as its films are on average, a patient as the most suspect breast; positive where one film is.
    const grouped = (all: readonly ScoredCase[], key: (one: ScoredCase, index: number) => string, mean: boolean) =>
      [...Map.groupBy(all.map((one, index) => ({ one, key: key(one, index) })), ({ key }) => key).values()].map(
        (own) => {
          const scores = own.map(({ one }) => one.score);
          const { patient } = own[0]!.one;
          return {
            positive: own.some(({ one }) => one.positive),
            score: mean ? scores.reduce((a, b) => a + b, 0) / scores.length : Math.max(...scores),
            ...(patient === undefined ? {} : { patient }),
          };
        },
      );
    const breastOf = (_: ScoredCase, index: number) => {
      const { film } = scored[index]!;
      return film.laterality ? `${patientKey(film) ?? film.id} ${film.exam} ${film.laterality}` : film.id;
    };
    const breasts = grouped(cases, breastOf, true);
    const patients = grouped(breasts, ({ patient }) => patient!, false);
    const confusion = confusionAt(patients, options.threshold);
    return {
      model: options.model,
      trained: model.trained,
      side,
      split: split.hash,
      films: cases.length,
      patients: patients.length,
      positive,
      figures: {
        "AUC of films": aucWithInterval(cases),
        "AUC of breasts (mean of their films)": aucWithInterval(breasts),
        "AUC of patients (most suspect breast)": aucWithInterval(patients),
        "AUC of films, bootstrap": bootstrap(cases, (drawn) => aucWithInterval(drawn).value, {
          seed: 1,
          resamples: 1000,
        }),
        [`sensitivity of patients at ${options.threshold}`]: sensitivity(confusion),
        [`specificity of patients at ${options.threshold}`]: specificity(confusion),
        "Brier score of films": bootstrap(cases, brier, { seed: 2, resamples: 1000 }),
        ...Object.fromEntries(
          [...Map.groupBy(pointed, ({ by }) => by)].map(([by, own]) => [
            `pointing game: ${by}`,
            pointingGame(own, { seed: 3, resamples: 1000 }),
          ]),
        ),
      } as Record<string, Estimate>,
      scores: scored.map(({ film, score }) => ({ id: film.id, positive: isPositive(film), score })),
      errors,
      warnings: countBy(warnings, (warning) => warning),
      warning: model.trained ? undefined : `The model ${options.model} is untrained: its figures mean nothing`,
    };
  },
  print: ({ figures, films, patients, positive, side, split, model, warning, errors, warnings }) =>
    [
      ...(warning ? [warning, ""] : []),
      `${model} on ${
        side === "all" ? "all films" : `the ${side} side of split ${split}`
      }: ${films} films of ${patients} patients; positive is ${positive}`,
      "",
      table(
        Object.entries(figures).map(([figure, { value, low, high, level, method }]) => ({
          figure,
          value: value.toFixed(3),
          [`${100 * level} % interval`]: `${low.toFixed(3)} to ${high.toFixed(3)}`,
          method,
        })),
      ),
      ...Object.entries(warnings).map(([warning, count]) => `${count} of ${films} films: ${warning}`),
      ...errors.map(({ error }) => error),
    ].join("\n"),
});

/** A model is not tested on what it learned from. */
function refuseLeak(
  { trainedOn }: Model,
  films: readonly FilmRecord[],
  split: Split,
  { options }: { readonly options: { readonly model: string; readonly side: string } },
): void {
  if (trainedOn?.films !== hashOfFilms(films) || (options.side !== "all" && trainedOn.split === split.hash)) return;
  throw new MammolabError(
    `Cannot evaluate ${options.model}: it was trained on these films, split otherwise, and would be tested on some that it learned from; give ${trainedOn.options} and a --side`,
  );
}
