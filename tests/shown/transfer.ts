// deno-lint-ignore-file no-console -- a script whose output is its purpose
// Does a Vision Transformer that has learned one thing of films learn another from fewer of them? Everything is phantoms, the
// network is small, and an answer takes minutes.
// Source: density and view of whole films, 8 classes. Target: a malignant mass against benign masses and tissue, in patches; from
// scratch, head only, last block, all; each with and without balancing; means over 5 seeds, with intervals.
//   deno run -P=work tests/shown/transfer.ts [quick]      quick: sizes that only show that it runs
import { seededRandom, shuffled } from "../../lib/base/mod.ts";
import {
  fewerPatients,
  type FilmRecord,
  labelOf,
  patientKey,
  phantomExam,
  phantomMammogram,
  phantomRecords,
  recordKey,
  type SideName,
  splitAsPublished,
} from "../../lib/datasets/mod.ts";
import { auc, bootstrap, type ScoredCase } from "../../lib/evaluate/mod.ts";
import { type Image, prepare } from "../../lib/image/mod.ts";
import { adaptModel, type ModelDefinition, type ModelWeights } from "../../lib/model/mod.ts";
import { buildNet, vitDefaults } from "../../lib/nets/mod.ts";
import { balance, pipeline, recordsOfPlan } from "../../lib/prepare/mod.ts";
import {
  type ClassRule,
  filmSamples,
  fit,
  judge,
  logitsOf,
  type Mode,
  patchSamples,
  type Samples,
} from "../../lib/train/mod.ts";
import { initialize } from "../../lib/weights/mod.ts";

type Model = { readonly definition: ModelDefinition; readonly weights: ModelWeights };
type Task = { readonly mode: Mode; readonly learningRate: number; readonly steps: number; readonly batchSize: number };

const quick = Deno.args[0] === "quick";
const seeds = quick ? [1, 2] : [1, 2, 3, 4, 5];
/** Of the patches; films are four times as high and twice as wide. */
const size = quick ? 32 : 64;
const preparation: ModelDefinition["preparation"] = {
  crop: "breast",
  face: "left",
  resize: { height: 4 * size, width: 2 * size, filter: "area", fit: "pad" },
  range: "display",
  mean: [0.5],
  std: [0.25],
  channels: 1,
};
const densities: ClassRule = Object.fromEntries(
  ["a", "b", "c", "d"].flatMap((density) => ["CC", "MLO"].map((view) => `${density} ${view}`)).map((
    name,
  ) => [name, [name]]),
);
const malignant: ClassRule = { rest: ["normal", "benign"], malignant: ["malignant"] };
const augmentation = pipeline([
  { name: "flip", options: { direction: "vertical" }, probability: 0.5 },
  { name: "brightness", options: { strength: 0.1 }, probability: 0.5 },
  { name: "contrast", options: { strength: 0.15 }, probability: 0.5 },
]);
// Seeds of exams that neither the training nor the test of vit-phantom has: the first, and how many.
const exams = {
  source: [300_000, quick ? 3 : 100],
  pool: [310_000, quick ? 8 : 120],
  test: [310_120, quick ? 3 : 100],
} as const;
const sourceTask: Task = { mode: "all", learningRate: 1e-3, steps: quick ? 3 : 400, batchSize: quick ? 4 : 16 };
const amounts = quick ? [{ patients: 8, steps: 2 }] : [{ patients: 40, steps: 200 }, { patients: 100, steps: 300 }];
const ways: Readonly<Record<string, Pick<Task, "mode" | "learningRate">>> = {
  "from scratch": { mode: "all", learningRate: 1e-3 },
  "head only": { mode: "head", learningRate: 1e-2 },
  "last block": { mode: { lastBlocks: 1 }, learningRate: 1e-3 },
  "all": { mode: "all", learningRate: 1e-3 },
};

const images = new Map<string, Image>();
const films = (film: FilmRecord) => Promise.resolve(images.get(recordKey(film))!);
const once = (records: readonly FilmRecord[]) => records.map((film) => ({ film, copy: 0 }));

/** Films of exams, prepared: at 0.8 mm a pixel, since the network's are about as large. */
function drawn([first, count]: readonly [number, number], split: SideName): FilmRecord[] {
  return Array.from({ length: count }, (_, k) => {
    const exam = phantomExam(first + k, quick ? { mm: 1, label: k % 2 ? "normal" : "malignant" } : { mm: 0.8 });
    return phantomRecords(exam).map((film, view) => {
      images.set(recordKey(film), prepare(phantomMammogram(exam, exam.views[view]!).image, preparation));
      return { ...film, split };
    });
  }).flat();
}

/** A network of random numbers for whole films. */
function newModel(seed: number, classes: readonly string[]): Model {
  const sizes = quick ? { stem: [4, 4, 4, 4], dim: 16, heads: 1 } : { stem: [8, 16, 32, 64], dim: 64, heads: 2 };
  const { height, width } = preparation.resize;
  const spec = {
    ...vitDefaults,
    ...sizes,
    imageSize: { height, width },
    depth: 4,
    channels: 1,
    pool: "max",
    classes: classes.length,
  } as const;
  const { parameters } = buildNet(spec, { normalization: preparation });
  const numbers = initialize(parameters, { seed });
  return {
    definition: { schemaVersion: 1, name: "small", spec, classes, preparation, trained: false, origin: `seed ${seed}` },
    weights: new Map([...parameters].map(([name, shape]) => [name, { shape, data: numbers.get(name)! }])),
  };
}

/** Trains for so many steps, whatever the number of films. */
async function trained({ definition, weights }: Model, training: Samples, task: Task, seed: number): Promise<Model> {
  const { steps, ...how } = task;
  const epochs = Math.max(1, Math.round(steps * task.batchSize / training.ids.length));
  const recipe = { ...how, seed, epochs, clip: 1, schedule: { kind: "cosine", warmUp: 0.1 } } as const;
  const run = fit({
    spec: definition.spec,
    normalization: preparation,
    weights: numbersOf(weights),
    training,
    recipe,
    threads: 1,
  });
  let numbers = numbersOf(weights);
  for await (const event of run) if (event.kind === "done") numbers = event.weights;
  return {
    definition,
    weights: new Map([...weights].map(([name, { shape }]) => [name, { shape, data: numbers[name]! }])),
  };
}

async function logitsFor({ definition: { spec }, weights }: Model, samples: Samples): Promise<Float32Array> {
  return await logitsOf(samples, { spec, normalization: preparation, weights: numbersOf(weights), threads: 1 });
}

function numbersOf(weights: ModelWeights): Readonly<Record<string, Float32Array>> {
  return Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
}

// 1. The source: what every film shows.
const known = drawn(exams.source, "training").map((film) => ({
  ...film,
  labels: { image: { value: `${film.density} ${film.view}`, rule: "density and view" } },
}));
const [learning, unseen] = [known.slice(0, -known.length / 5), known.slice(-known.length / 5)];
const augment = { pipeline: augmentation, seed: 1 };
const source = await trained(
  newModel(1, Object.keys(densities)),
  filmSamples(once(learning), { films, classes: densities, augment }),
  sourceTask,
  1,
);
const question = filmSamples(once(unseen), { films, classes: densities });
const { accuracy } = judge(await logitsFor(source, question), question.targets);
const commonest = Math.max(...Map.groupBy(unseen, labelOf).values().map(({ length }) => length)) / unseen.length;
console.log(
  `source: ${learning.length} films, 8 classes; accuracy on ${unseen.length} films of other exams ` +
    `${accuracy.toFixed(3)}, the commonest class alone ${commonest.toFixed(3)}`,
);

// 2. The target. Films with calcifications are left out.
const masses = [...drawn(exams.pool, "training"), ...drawn(exams.test, "test")]
  .filter(({ lesions }) => lesions.every(({ kind }) => kind.endsWith("mass")));
const sides = splitAsPublished(masses);
const patchesOf = (records: readonly FilmRecord[]) =>
  patchSamples(once(records), { films, classes: malignant, size, seed: 1 });
const asked = patchesOf(sides.test.records);
// A film may give several patches; which are of whom follows from asking for each film alone.
const patients = sides.test.records.flatMap((film) => patchesOf([film]).ids.map(() => patientKey(film)!));
/** `score` is the number of the patch, by which its scores are looked up. */
const cases = patients.map((patient, k): ScoredCase => ({ patient, score: k, positive: asked.targets[k]![1] === 1 }));
console.log(
  `target: tested on ${cases.length} patches of ${new Set(patients).size} patients, ` +
    `${cases.filter(({ positive }) => positive).length} of them malignant`,
);

type Scores = readonly (readonly number[])[];

/** The mean AUC over the seeds, or by how much it is above another; the interval draws patients and seeds anew. */
function overBoth(scores: Scores, other?: Scores): string {
  const random = seededRandom(1, "seeds");
  const aucOf = (side: Scores, seed: number, some: readonly ScoredCase[]) =>
    auc(some.map((one) => ({ ...one, score: side[seed]![one.score]! })));
  const mean = (some: readonly ScoredCase[], which: readonly number[]) =>
    which.reduce((sum, k) => sum + aucOf(scores, k, some) - (other ? aucOf(other, k, some) : 0), 0) / which.length;
  const drawnAnew = (some: readonly ScoredCase[]) => mean(some, seeds.map(() => random.integer(seeds.length)));
  const { low, high } = bootstrap(cases, drawnAnew, { seed: 1, resamples: quick ? 20 : 500 });
  return `${mean(cases, [...seeds.keys()]).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

for (const { patients, steps } of amounts) {
  console.log(`\n${patients} patients to learn from, ${steps} steps`);
  for (const strategy of ["none", "augment"] as const) {
    const parts = seeds.map((seed) => {
      const side = fewerPatients(sides.training, { patients, seed });
      const by = (film: FilmRecord) => labelOf(film) === "malignant" ? "malignant" : "rest";
      const plan = balance(side, { strategy, seed, by });
      const augment = { pipeline: augmentation, seed };
      const samples = patchSamples(recordsOfPlan(plan, side), { films, classes: malignant, size, seed, augment });
      return { seed, samples, counts: plan.after };
    });
    console.log(strategy === "none" ? "as they are" : "balanced", "- films of the first seed:", parts[0]!.counts);
    const all = (way: string, change = (samples: Samples, _seed: number) => samples): Promise<Scores> =>
      Promise.all(parts.map(async ({ seed, samples }) => {
        const from = way === "from scratch" ? newModel(seed, []) : source;
        const own = adaptModel(from, {
          classes: Object.keys(malignant),
          imageSize: { height: size, width: size },
          seed,
        });
        const task = { ...ways[way]!, steps, batchSize: sourceTask.batchSize };
        const logits = await logitsFor(await trained(own, change(samples, seed), task, seed), asked);
        return cases.map((_, k) => logits[2 * k + 1]! - logits[2 * k]!);
      }));
    const scratch = await all("from scratch");
    console.log(`  from scratch    ${overBoth(scratch)}`);
    for (const way of Object.keys(ways).filter((one) => one !== "from scratch")) {
      const scores = await all(way);
      console.log(`  ${way.padEnd(15)} ${overBoth(scores)}   above from scratch: ${overBoth(scores, scratch)}`);
    }
    if (strategy === "augment") continue;
    const mixed = await all("head only", (samples, seed) => {
      return { ...samples, targets: shuffled(samples.targets, seededRandom(seed, "labels")) };
    });
    console.log(`  random labels   ${overBoth(mixed)}   (head only)`);
  }
}
