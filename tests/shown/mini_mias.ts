// deno-lint-ignore-file no-console -- a script whose output is its purpose
// What a model of phantoms is worth on real films: mini-MIAS, repeated 5-fold by patient, the head alone and the last block,
// beside what a split of films (which leaks) and random labels would have claimed.
//   deno run -P=work tests/shown/mini_mias.ts FOLDER [model] [repeats]
import { join } from "node:path";
import { cacheFolder, seededRandom, shuffled } from "../../lib/base/mod.ts";
import { type FilmRecord, labelOf, loadDataset, patientKey, splitFolds } from "../../lib/datasets/mod.ts";
import { aucWithInterval, type Estimate, type ScoredCase } from "../../lib/evaluate/mod.ts";
import { adaptModel, loadModel, readModel } from "../../lib/model/mod.ts";
import { createFlow, pipeline, type Step } from "../../lib/prepare/mod.ts";
import {
  classOf,
  type ClassRule,
  filmFeatures,
  filmSamples,
  fit,
  headLogits,
  logitsOf,
  preparedFilms,
  trainLinearHead,
} from "../../lib/train/mod.ts";

const [folder, name = "vit-phantom", repeats = "2"] = Deno.args;
const questions: Record<string, ClassRule> = {
  "abnormal against normal": { normal: ["normal"], abnormal: ["benign", "malignant"] },
  "malignant against benign": { benign: ["benign"], malignant: ["malignant"] },
};
const augmentation: readonly Step[] = [
  { name: "flip", options: { direction: "vertical" }, probability: 0.5 },
  { name: "brightness", options: { strength: 0.15 }, probability: 0.5 },
  { name: "contrast", options: { strength: 0.2 }, probability: 0.5 },
];

// The head first, for both questions: it takes seconds, the last block some minutes a repeat.
const parts = (["head", "last block"] as const).flatMap((part) =>
  Object.entries(questions).map(([question, classes]) => [question, classes, part] as const)
);
const { records } = await loadDataset(folder!);
await using model = await loadModel(name, { provider: "cpu" });
const start = await readModel(name);
const cache = await cacheFolder();
await using flow = createFlow({ preparation: model.preparation });
const films = preparedFilms({
  preparation: model.preparation,
  prepare: async (film) => (await flow.prepare({ film })).image,
  folder: join(cache, "prepared"),
});

for (const [question, classes, part] of parts) {
  const known = new Set(Object.values(classes).flat());
  const all = records.filter((film) => known.has(labelOf(film) ?? ""));
  const { data, dim } = await filmFeatures(all, { model, films, folder: join(cache, "features") });
  const index = new Map(all.map((film, at) => [film, at]));
  const truth = all.map((film) => classOf(film, classes));
  const mixed = shuffled(truth, seededRandom(7, "labels"));

  const headOnly = async (training: readonly FilmRecord[], test: readonly FilmRecord[], labels: readonly number[]) => {
    const rows = training.map((film) => index.get(film)!);
    const head = await trainLinearHead(
      Float32Array.from(rows.flatMap((at) => [...data.subarray(at * dim, (at + 1) * dim)])),
      Float32Array.from(rows.flatMap((at) => labels[at] === 1 ? [0, 1] : [1, 0])),
      { dim, classes: 2, seed: 1, epochs: 50, weightDecay: 0.1 },
    );
    return test.map((film) => {
      const own = data.subarray(index.get(film)! * dim, (index.get(film)! + 1) * dim);
      const [none, some] = headLogits(head, own);
      return some! - none!;
    });
  };
  const lastBlock = async (training: readonly FilmRecord[], test: readonly FilmRecord[]) => {
    const { definition, weights } = adaptModel(start, { classes: Object.keys(classes), seed: 1 });
    const common = {
      spec: definition.spec,
      normalization: definition.preparation,
      inputChannels: 1,
      weights: Object.fromEntries([...weights].map(([key, { data }]) => [key, data])),
    };
    const recipe = { seed: 1, epochs: 6, batchSize: 8, learningRate: 3e-4, clip: 1, mode: { lastBlocks: 1 } } as const;
    const augment = { pipeline: pipeline(augmentation), seed: 1 };
    const items = (side: readonly FilmRecord[]) => side.map((film) => ({ film, copy: 0 }));
    let trained = common.weights;
    for await (
      const event of fit({ ...common, recipe, training: filmSamples(items(training), { films, classes, augment }) })
    ) if (event.kind === "done") trained = { ...event.weights };
    const logits = await logitsOf(filmSamples(items(test), { films, classes }), { ...common, weights: trained });
    return test.map((_, k) => logits[2 * k + 1]! - logits[2 * k]!);
  };

  /** AUC over all folds with its interval, each the mean over the repeats. */
  const judged = async (
    by: "patient" | "record",
    labels: readonly number[],
    scoresOf: (training: readonly FilmRecord[], test: readonly FilmRecord[]) => Promise<number[]>,
  ): Promise<string> => {
    const perRepeat: Estimate[] = [];
    for (let repeat = 0; repeat < Number(repeats); repeat++) {
      const cases: ScoredCase[] = [];
      for (const { training, test } of splitFolds(all, { by, seed: repeat + 1, folds: 5 })) {
        const scores = await scoresOf(training.records, test.records);
        // Folds have heads of their own: what is comparable is the rank within the fold.
        const rank = scores.map((score) => scores.filter((other) => other < score).length / scores.length);
        test.records.forEach((film, k) =>
          cases.push({ positive: labels[index.get(film)!] === 1, score: rank[k]!, patient: patientKey(film)! })
        );
      }
      perRepeat.push(aucWithInterval(cases));
    }
    const mean = (of: "value" | "low" | "high") => {
      return (perRepeat.reduce((sum, one) => sum + one[of], 0) / perRepeat.length).toFixed(3);
    };
    return `${mean("value")} (${mean("low")} to ${mean("high")})`;
  };

  console.log(`\n${question}: ${all.length} films, ${repeats} × 5 folds, AUC with its 95 % interval by patient`);
  if (part === "last block") {
    console.log("last block, by patient    ", await judged("patient", truth, lastBlock));
    continue;
  }
  console.log("head only, by patient     ", await judged("patient", truth, (a, b) => headOnly(a, b, truth)));
  console.log("head only, films (leaks)  ", await judged("record", truth, (a, b) => headOnly(a, b, truth)));
  console.log("head only, random labels  ", await judged("patient", mixed, (a, b) => headOnly(a, b, mixed)));
}
