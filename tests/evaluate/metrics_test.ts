import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError, seededRandom } from "mammolab/base";
import {
  auc,
  aucVariance,
  aucWithInterval,
  bootstrap,
  brier,
  compareAuc,
  confusionAt,
  rocCurve,
  type ScoredCase,
  sensitivity,
  wilson,
} from "mammolab/evaluate";

// Twelve cases with ties; the numbers beside them were computed with pROC 1.18.0 (R 4.2.2) and scikit-learn 1.2.1.
const truth = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
const a = [.1, .2, .2, .35, .4, .5, .7, .2, .4, .6, .8, .9];
const b = [.15, .1, .3, .3, .45, .6, .55, .3, .5, .5, .9, .7];
const patients = [0, 0, 1, 1, 2, 3, 4, 0, 2, 3, 5, 5];
const probabilities = [.05, .1, .2, .3, .15, .4, .55, .25, .5, .6, .8, .9];
const casesOf = (scores: readonly number[], clusters?: readonly number[]): ScoredCase[] =>
  scores.map((score, i) => ({ positive: truth[i] === 1, score, ...(clusters ? { patient: `${clusters[i]}` } : {}) }));

describe("auc()", () => {
  it("agrees with pROC on tied scores", () => {
    assertAlmostEquals(auc(casesOf(a)), 0.757142857143, 1e-12);
    assertAlmostEquals(auc(casesOf(b)), 0.771428571429, 1e-12);
  });
  it("equals the count over all pairs", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 6 })), { minLength: 2 }), (rows) => {
        const cases = rows.map(([positive, score]) => ({ positive, score }));
        const [p, n] = [cases.filter((c) => c.positive), cases.filter((c) => !c.positive)];
        fc.pre(p.length > 0 && n.length > 0);
        let wins = 0;
        for (const x of p) for (const y of n) wins += x.score > y.score ? 1 : x.score === y.score ? 0.5 : 0;
        return Math.abs(auc(cases) - wins / (p.length * n.length)) < 1e-12;
      }),
    );
  });
  it("refuses a single class and scores that are no numbers", () => {
    assertThrows(() => auc([{ positive: true, score: 1 }]), MammolabError, "1 positive and 0 negative");
    assertThrows(() => auc(casesOf([NaN, ...a.slice(1)])), MammolabError, "case 0 is not a number");
  });
});

describe("aucWithInterval()", () => {
  it("agrees with pROC's DeLong interval where each case is a patient", () => {
    assertAlmostEquals(aucVariance(casesOf(a)).variance, 0.0242857142857, 1e-12);
    assertAlmostEquals(aucVariance(casesOf(b)).variance, 0.0212925170068, 1e-12);
    const { low, high } = aucWithInterval(casesOf(b));
    assertAlmostEquals(low, 0.4854314958, 1e-9);
    assertEquals(high, 1);
  });
  it("agrees with Obuchowski's variance for several cases a patient", () => {
    assertAlmostEquals(aucVariance(casesOf(a, patients)).variance, 0.0212089962516, 1e-12);
  });
  it("covers the truth for clustered cases, where the unclustered interval does not", () => {
    // 60 patients, 4 films each, one label a patient, scores correlated 0.6 within a patient; true AUC Φ(1/√2)
    const trueAuc = 0.7602499;
    let [clustered, unclustered] = [0, 0];
    const runs = 300;
    for (let run = 0; run < runs; run++) {
      const { normal } = seededRandom(run, "coverage");
      const cases = Array.from({ length: 60 }, (_, k) => {
        const own = Math.sqrt(0.6) * normal();
        return [1, 2, 3, 4].map(() => ({
          positive: k % 2 === 1,
          score: (k % 2) + own + Math.sqrt(0.4) * normal(),
          patient: `${k}`,
        }));
      }).flat();
      const inside = (e: { low: number; high: number }) => e.low <= trueAuc && trueAuc <= e.high;
      if (inside(aucWithInterval(cases))) clustered++;
      if (inside(aucWithInterval(cases.map(({ positive, score }) => ({ positive, score }))))) unclustered++;
    }
    assert(clustered / runs > 0.89, `${clustered} of ${runs}`);
    assert(unclustered / runs < 0.84, `${unclustered} of ${runs}`);
  });
  it("does not take one patient's films for knowledge about patients", () => {
    const one = casesOf(b).map((c) => c.positive ? { ...c, patient: "one" } : c);
    const { low, high, method } = aucWithInterval(one);
    assertEquals([low, high, method], [0, 1, "none: one of the classes has a single patient"]);
  });
  it("does not pretend to certainty at an AUC of 1", () => {
    const perfect = aucWithInterval(casesOf(truth));
    assertEquals([perfect.value, perfect.high], [1, 1]);
    assertAlmostEquals(perfect.low, 1 - 2.995732 / 5, 1e-6);
  });
});

describe("compareAuc()", () => {
  it("holds its level for several films a patient, where films taken one by one do not", () => {
    // Two scores that are equally good: in 95 of 100 draws the difference is to be taken for chance.
    const runs = 300;
    let [clustered, unclustered] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const { normal } = seededRandom(run, "comparison");
      const films = Array.from({ length: 60 }, (_, k) => {
        const own = [normal(), normal()];
        return [1, 2, 3, 4].map(() => ({ k, scores: own.map((x) => (k % 2) + x + 0.7 * normal()) }));
      }).flat();
      const scored = (which: number, patients: boolean) =>
        films.map(({ k, scores }) => ({
          positive: k % 2 === 1,
          score: scores[which]!,
          ...(patients ? { patient: `${k}` } : {}),
        }));
      if (compareAuc(scored(0, true), scored(1, true)).p > 0.05) clustered++;
      if (compareAuc(scored(0, false), scored(1, false)).p > 0.05) unclustered++;
    }
    assert(clustered / runs > 0.9, `${clustered} of ${runs}`);
    assert(unclustered / runs < 0.84, `${unclustered} of ${runs}`);
  });
  it("says nothing of a difference where one patient would have to speak for a class", () => {
    const [one, two] = [a, b].map((scores) => casesOf(scores).map((c) => c.positive ? { ...c, patient: "one" } : c));
    assertThrows(() => compareAuc(one!, two!), MammolabError, "1 and 7 patients with a positive and a negative case");
    const [right, wrong] = [1, -1].map((sign) => truth.map((y) => ({ positive: y === 1, score: sign * y })));
    assertThrows(() => compareAuc(right!, wrong!), MammolabError, "say nothing of how the difference varies");
    assertEquals(compareAuc(right!, right!), { difference: 0, z: 0, p: 1 });
  });
  it("agrees with pROC's paired test", () => {
    const { z, p } = compareAuc(casesOf(a), casesOf(b));
    assertAlmostEquals(z, -0.2294157339, 1e-9);
    assertAlmostEquals(p, 0.8185458084, 1e-9);
  });
});

describe("a level of 95 in place of 0.95", () => {
  it("is refused by each interval, as are counts that cannot be", () => {
    const level = { level: 95 };
    for (
      const interval of [
        () => wilson(3, 10, level),
        () => aucWithInterval(casesOf(a), level),
        () => bootstrap(casesOf(a), auc, { seed: 1, ...level }),
      ]
    ) assertThrows(interval, MammolabError, "it is a share between 0 and 1; give 0.95");
    assertThrows(() => wilson(11, 10), MammolabError, "11 of 10 is none");
    assertThrows(() => bootstrap(casesOf(a), auc, { seed: 1, resamples: 0 }), MammolabError, "give a whole number");
  });
});

describe("wilson()", () => {
  it("agrees with R's prop.test and Newcombe 1998", () => {
    for (
      const [x, n, low, high] of [
        [81, 263, 0.2552885199, 0.3662095770],
        [15, 148, 0.0623863995, 0.1604872417],
        [0, 20, 0, 0.1611251581],
        [1, 29, 0.0061132143, 0.1717552188],
        [29, 29, 0.8830302015, 1],
      ] as const
    ) {
      const interval = wilson(x, n);
      assertAlmostEquals(interval.low, low, 1e-9);
      assertAlmostEquals(interval.high, high, 1e-9);
    }
  });
});

describe("bootstrap()", () => {
  // scipy 1.10.1, 99,999 resamples: percentile 2.81-5.25, BCa 2.97-5.57 (± 0.02)
  const values = [1.2, 3.4, 2.2, 5.9, 4.1, 3.3, 8.7, 2.9, 3.1, 4.4].map((score) => ({ positive: false, score }));
  const mean = (cases: readonly ScoredCase[]) => cases.reduce((sum, { score }) => sum + score, 0) / cases.length;
  it("agrees with scipy's percentile and BCa intervals of a mean", () => {
    const percentile = bootstrap(values, mean, { seed: 1, resamples: 20_000 });
    assertAlmostEquals(percentile.low, 2.81, 0.05);
    assertAlmostEquals(percentile.high, 5.25, 0.06);
    const bca = bootstrap(values, mean, { seed: 1, resamples: 20_000, kind: "bca" });
    assertAlmostEquals(bca.low, 2.97, 0.05);
    assertAlmostEquals(bca.high, 5.57, 0.08);
  });
  it("keeps the cases of a patient together", () => {
    const cases = casesOf(a, patients);
    bootstrap(cases, (drawn) => {
      const counts = Map.groupBy(drawn, ({ patient }) => patient);
      for (const [patient, own] of counts) {
        assertEquals(own.length % cases.filter((c) => c.patient === patient).length, 0);
      }
      return 0;
    }, { seed: 3, resamples: 50 });
  });
});

describe("confusionAt(), brier(), rocCurve()", () => {
  it("agree with scikit-learn", () => {
    assertEquals(confusionAt(casesOf(a), 0.5), {
      truePositive: 3,
      falsePositive: 2,
      trueNegative: 5,
      falseNegative: 2,
    });
    assertAlmostEquals(sensitivity(confusionAt(casesOf(a), 0.5)).value, 0.6, 1e-12);
    assertAlmostEquals(brier(casesOf(probabilities)), 0.1375, 1e-12);
  });
  it("have the area under the curve's steps equal the AUC", () => {
    const curve = rocCurve(casesOf(b));
    let area = 0;
    curve.slice(1).forEach((p, i) => {
      const q = curve[i]!;
      area += (p.falsePositiveRate - q.falsePositiveRate) * (p.truePositiveRate + q.truePositiveRate) / 2;
    });
    assertAlmostEquals(area, auc(casesOf(b)), 1e-12);
  });
});
