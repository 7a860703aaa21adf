import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError, seededRandom } from "mammolab/base";
import {
  countBy,
  fewerPatients,
  type FilmRecord,
  isTrainingSide,
  labelOf,
  patientKey,
  recordKey,
  split,
  splitAsPublished,
  type TrainingSide,
} from "mammolab/datasets";
import {
  balance,
  type BalancePlan,
  type BalanceStrategy,
  classWeights,
  correctPrior,
  epochOf,
  focalAlpha,
  recordsOfPlan,
} from "mammolab/prepare";
import { film } from "../datasets/_records.ts";

/** A training side of patients with these labels on their films. */
function sideOf(
  patients: readonly (readonly string[])[],
  facts: (patient: number) => Partial<FilmRecord> = () => ({}),
): TrainingSide {
  const films = patients.flatMap((labels, p) =>
    labels.map((label, i) => film(`${p}-${i}`, { patient: `P${p}`, label, split: "training", ...facts(p) }))
  );
  return splitAsPublished([...films, film("test", { patient: "test", split: "test" })]).training;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
/** 30 normal films of 20 patients, 6 malignant ones of 5. */
const side = sideOf([
  ...times(10, ["normal", "normal"]),
  ...times(10, ["normal"]),
  ["malignant", "malignant"],
  ...times(4, ["malignant"]),
]);

const counts = ({ items }: BalancePlan) => countBy(items, ({ group }) => group);

describe("balance()", () => {
  it("takes a training side only, in types and at run time", () => {
    const { validation, test } = split(side.records, {
      by: "patient",
      seed: 1,
      holdOut: { test: 0.2, validation: 0.2 },
    });
    const options = { strategy: "oversample", seed: 1 } as const;
    const refused = [
      // @ts-expect-error: a whole dataset cannot be balanced
      () => balance(side.records, options),
      // @ts-expect-error: a validation side cannot be balanced
      () => balance(validation, options),
      // @ts-expect-error: a test side cannot be balanced
      () => balance(test, options),
      // @ts-expect-error: what looks like a training side cannot be balanced
      () => balance({ side: "training", records: side.records, splitHash: side.splitHash }, options),
      () => balance({ ...side, records: [...side.records, ...test.records] }, options), // a copy loses its seal
    ];
    for (const attempt of refused) assertThrows(attempt, MammolabError, "split first, and give its training side");
  });

  it("repeats films of the small group until both are alike, the rest of a round by chance", () => {
    const plan = balance(side, { strategy: "oversample", seed: 1 });
    assertEquals(plan.before, { malignant: 6, normal: 30 });
    assertEquals([plan.after, counts(plan)], [{ malignant: 30, normal: 30 }, { malignant: 30, normal: 30 }]);
    assert(plan.items.every(({ augment }) => !augment));
    const copies = countBy(plan.items.filter(({ group }) => group === "malignant"), ({ record }) => record);
    assertEquals(Object.values(copies), times(6, 5));
  });

  it("marks repeats to be augmented, and never the film itself", () => {
    const plan = balance(side, { strategy: "augment", seed: 1 });
    assertEquals(counts(plan), { malignant: 30, normal: 30 });
    for (const { copy, augment } of plan.items) assertEquals(augment, copy > 0);
    const keys = plan.items.map(({ record, copy }) => `${record} ${copy}`);
    assertEquals(new Set(keys).size, keys.length);
  });

  it("leaves out patients of the large group, with all their films of it", () => {
    const plan = balance(side, { strategy: "undersample", seed: 3 });
    assertEquals(counts(plan), { malignant: 6, normal: 6 });
    const kept = new Set(plan.items.map(({ record }) => record));
    for (const films of Map.groupBy(side.records, patientKey).values()) {
      assertEquals(new Set(films.map((record) => kept.has(recordKey(record)))).size, 1);
    }
  });

  it("chooses the patients to leave out by seed, each with the same chance", () => {
    const kept = new Map<string, number>();
    const small = sideOf([...times(12, ["normal"]), ...times(4, ["malignant"])]);
    for (let seed = 0; seed < 600; seed++) {
      for (const { record, group } of balance(small, { strategy: "undersample", seed }).items) {
        if (group === "normal") kept.set(record, (kept.get(record) ?? 0) + 1);
      }
    }
    assertEquals(kept.size, 12);
    for (const count of kept.values()) assertAlmostEquals(count, 200, 46); // Binomial(600, 1/3): 4 deviations of 11.5
  });

  it("reaches any ratio as nearly as whole patients allow, over any key", () => {
    const groups = fc.record({ a: fc.integer({ min: 1, max: 4 }), b: fc.integer({ min: 1, max: 4 }) });
    const patients = fc.array(fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 }), {
      minLength: 6,
      maxLength: 20,
    })
      .filter((all) => (["a", "b"] as const).every((label) => all.flat().includes(label)));
    fc.assert(
      fc.property(patients, groups, fc.integer({ min: 0, max: 1000 }), (patients, ratio, seed) => {
        const side = sideOf(patients);
        const { before, after } = balance(side, { strategy: "oversample", ratio, seed });
        const scale = Math.max(before.a! / ratio.a, before.b! / ratio.b);
        for (const name of ["a", "b"] as const) {
          const target = Math.round(ratio[name] * scale);
          assert(after[name]! <= target && after[name]! > target - 3 && after[name]! >= before[name]!); // 3 films: one patient
        }
      }),
      { numRuns: 40 },
    );
    const dense = sideOf([...times(8, ["n"]), ...times(2, ["m"])], (p) => ({ density: p % 2 ? "a" : "d" }));
    const plan = balance(dense, { strategy: "oversample", seed: 1, by: (r) => `${labelOf(r)} ${r.density}` });
    assertEquals(plan.before, { "m a": 1, "m d": 1, "n a": 4, "n d": 4 });
    assertEquals(plan.after, { "m a": 4, "m d": 4, "n a": 4, "n d": 4 });
  });

  it("keeps every film once with none", () => {
    const plan = balance(side, { strategy: "none", seed: 1 });
    assertEquals(plan.items.map(({ record }) => record), side.records.map(recordKey));
    assertEquals(plan.before, plan.after);
  });

  it("is the same for the same seed, through JSON, and another for another seed", () => {
    for (const strategy of ["oversample", "undersample", "augment", "sample"] as BalanceStrategy[]) {
      const plan = balance(side, { strategy, seed: 5 });
      assertEquals(JSON.parse(JSON.stringify(plan)), plan);
      assertEquals(balance(side, { strategy, seed: 5 }), plan);
    }
    const left = (seed: number) => balance(side, { strategy: "undersample", seed }).items.map(({ record }) => record);
    assertNotEquals(left(5), left(6));
  });

  it("refuses ratios that cannot be met, groups that are not there, and films without a label", () => {
    const options = { strategy: "undersample", seed: 1 } as const;
    const refuse = (change: Partial<Parameters<typeof balance>[1]>, sentence: string) =>
      assertThrows(() => balance(side, { ...options, ...change }), MammolabError, sentence);
    refuse({ ratio: { malignant: 1, normal: 1, benign: 1 } }, 'no film of "benign", only of malignant, normal');
    refuse({ ratio: { malignant: 1 } }, 'no number above 0 for "normal"');
    refuse({ ratio: { malignant: 1, normal: -1 } }, 'no number above 0 for "normal"');
    refuse({ ratio: { malignant: 100, normal: 1 } }, 'the ratio leaves no patient of "normal" (30 films)');
    refuse({ strategy: "augment", ratio: { malignant: 100, normal: 1 } }, "500 copies of each of 6 films");
    assertThrows(
      () => balance(sideOf([["a"], ["b"], ["a"]], () => ({ labels: {} })), options),
      MammolabError,
      "has no label",
    );
  });
});

describe("epochOf()", () => {
  it("shows the same films in another order in each epoch, the same again for the same epoch", () => {
    const plan = balance(side, { strategy: "augment", seed: 1 });
    const [one, again, other] = [epochOf(plan, 0), epochOf(plan, 0), epochOf(plan, 1)];
    assertEquals(one, again);
    assertNotEquals(one, other);
    const names = (items: typeof one) => items.map(({ record, copy }) => `${record} ${copy}`).sort();
    assertEquals(names(one), names(plan.items));
    assertEquals(names(one), names(other));
  });

  it("draws by share with sample: as many films as there are, each film of a group before any again", () => {
    const plan = balance(side, { strategy: "sample", seed: 1, ratio: { malignant: 1, normal: 2 } });
    assertEquals(plan.after, { malignant: 12, normal: 24 });
    const normals = new Set<string>();
    for (let epoch = 0; epoch < 5; epoch++) {
      const shown = epochOf(plan, epoch);
      assertEquals(countBy(shown, ({ group }) => group), plan.after);
      const times = countBy(shown, ({ record }) => record);
      for (const { record, group } of plan.items) {
        if (group === "malignant") assertEquals(times[record], 2);
        else assert((times[record] ?? 0) <= 1);
      }
      for (const { record, group } of shown) if (group === "normal") normals.add(record);
    }
    assertEquals(normals.size, 30);
  });
});

describe("recordsOfPlan()", () => {
  it("gives each planned item its film, and refuses the plan of another split", () => {
    const plan = balance(side, { strategy: "oversample", seed: 1 });
    const found = recordsOfPlan(plan, side, epochOf(plan, 0));
    assertEquals(found.length, 60);
    assert(found.every(({ film, record, group }) => recordKey(film) === record && labelOf(film) === group));
    const other = sideOf([["normal"], ["malignant"]]);
    assert(isTrainingSide(other));
    assertThrows(() => recordsOfPlan(plan, other), MammolabError, `is of split ${other.splitHash}; make a plan`);
    const fewer = fewerPatients(side, { patients: 5, seed: 1 });
    assertThrows(
      () => recordsOfPlan(plan, fewer),
      MammolabError,
      "which this training side does not hold; make a plan",
    );
  });
});

describe("classWeights() and focalAlpha()", () => {
  it("are n / (classes · n of the class), and the share of the other class", () => {
    // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1], y=[0] * 30 + [1] * 6) → [0.6, 3.0]
    assertEquals(classWeights(side), { malignant: 3, normal: 0.6 });
    const alpha = focalAlpha(side);
    assertAlmostEquals(alpha.malignant!, 30 / 36, 1e-12);
    assertAlmostEquals(alpha.normal!, 6 / 36, 1e-12);
  });

  it("weigh by a ratio, with mean 1 over the films", () => {
    const weights = classWeights(side, { ratio: { malignant: 1, normal: 3 } });
    assertAlmostEquals(weights.malignant! * 6 * 3, weights.normal! * 30, 1e-12);
    assertAlmostEquals((weights.malignant! * 6 + weights.normal! * 30) / 36, 1, 1e-12);
  });

  it("take a training side only", () => {
    const { test } = split(side.records, { by: "patient", seed: 1, holdOut: { test: 0.2 } });
    // @ts-expect-error: weights come from training films
    assertThrows(() => classWeights(test), MammolabError, "no training side");
  });
});

describe("correctPrior()", () => {
  it("turns the posterior of one prior into that of another (Bayes)", () => {
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(fc.property(share, share, share, share, (likeA, likeB, seen, world) => {
      const posterior = (prior: number) => likeA * prior / (likeA * prior + likeB * (1 - prior));
      const corrected = correctPrior({ a: posterior(seen), b: 1 - posterior(seen) }, {
        trained: { a: seen * 70, b: (1 - seen) * 70 },
        real: { a: world, b: 1 - world },
      });
      assertAlmostEquals(corrected.a!, posterior(world), 1e-9);
      assertAlmostEquals(corrected.a! + corrected.b!, 1, 1e-12);
    }));
  });

  it("calibrates a classifier that was trained on a balanced side", () => {
    // One feature, normal with mean 1.5 in 1 of 10 films and 0 in the others; logistic regression, balanced by repeats.
    const random = seededRandom(11, "calibration");
    const draw = (count: number) =>
      Array.from({ length: count }, () => {
        const malignant = random.uniform() < 0.1;
        return { x: random.normal() + (malignant ? 1.5 : 0), malignant };
      });
    const feature = new Map<string, number>();
    const drawn = draw(3000);
    const records = drawn.map(({ x, malignant }, i) => {
      const record = film(`${i}`, { patient: `${i}`, label: malignant ? "malignant" : "normal" });
      feature.set(recordKey(record), x);
      return record;
    });
    const { training } = split(records, { by: "patient", seed: 1, holdOut: { test: 0.1 } });
    const plan = balance(training, { strategy: "oversample", seed: 1 });
    const [slope, intercept] = logistic(
      plan.items.map(({ record, group }) => ({ x: feature.get(record)!, y: group === "malignant" ? 1 : 0 })),
    );

    const future = draw(20_000);
    const raw = future.map(({ x }) => 1 / (1 + Math.exp(-(slope * x + intercept))));
    const corrected = raw.map((p) =>
      correctPrior({ malignant: p, normal: 1 - p }, { trained: plan.after, real: plan.before }).malignant!
    );
    const truth = future.map(({ malignant }) => malignant ? 1 : 0);
    assert(calibrationError(raw, truth) > 0.2, `${calibrationError(raw, truth)}`);
    assert(calibrationError(corrected, truth) < 0.015, `${calibrationError(corrected, truth)}`);
    const brier = (scores: number[]) => scores.reduce((sum, p, i) => sum + (p - truth[i]!) ** 2, 0) / scores.length;
    assert(brier(corrected) < 0.6 * brier(raw), `${brier(corrected)} after ${brier(raw)}`);
  });

  it("refuses a class of which training saw nothing, and scores that the world rules out", () => {
    assertThrows(() => correctPrior({ a: 1, b: 0 }, { trained: { a: 1 }, real: { a: 1, b: 1 } }), MammolabError, '"b"');
    assertThrows(
      () => correctPrior({ a: 1, b: 0 }, { trained: { a: 1, b: 1 }, real: { a: 0, b: 1 } }),
      MammolabError,
      "above 0",
    );
  });
});

/** Logistic regression of one feature by Newton's method. */
function logistic(points: readonly { readonly x: number; readonly y: number }[]): [slope: number, intercept: number] {
  let [slope, intercept] = [0, 0];
  for (let step = 0; step < 12; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0];
    for (const { x, y } of points) {
      const p = 1 / (1 + Math.exp(-(slope * x + intercept)));
      const w = p * (1 - p);
      [g0, g1, h00, h01, h11] = [g0 + y - p, g1 + (y - p) * x, h00 + w, h01 + w * x, h11 + w * x * x];
    }
    const determinant = h00 * h11 - h01 * h01;
    intercept += (h11 * g0 - h01 * g1) / determinant;
    slope += (h00 * g1 - h01 * g0) / determinant;
  }
  return [slope, intercept];
}

/** Mean distance between mean score and frequency over ten bins of scores, weighed by their films. */
function calibrationError(scores: readonly number[], truth: readonly number[]): number {
  const bins = Map.groupBy(scores.keys(), (i) => Math.min(9, Math.floor(scores[i]! * 10)));
  return [...bins.values()].reduce((sum, members) => {
    const mean = (of: (i: number) => number) => members.reduce((total, i) => total + of(i), 0) / members.length;
    return sum + members.length * Math.abs(mean((i) => scores[i]!) - mean((i) => truth[i]!));
  }, 0) / scores.length;
}
