import { describe, it } from "@std/testing/bdd";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError } from "mammolab/base";
import {
  countBy,
  fewerPatients,
  type FilmRecord,
  isTrainingSide,
  labelOf,
  loadCbisDdsm,
  loadMiniMias,
  recordKey,
  restoreSplit,
  saveSplit,
  type Split,
  split,
  splitAsPublished,
  splitFolds,
  type TrainingSide,
} from "mammolab/datasets";
import { realData } from "./_files.ts";
import { film } from "./_records.ts";

const sidesOf = ({ training, validation, test }: Split) => [training, validation, test];

/** Patients with 1 to 4 films of up to 3 labels. */
const cohort = fc.array(fc.array(fc.constantFrom("normal", "benign", "malignant"), { minLength: 1, maxLength: 4 }), {
  minLength: 12,
  maxLength: 60,
}).map((patients) =>
  patients.flatMap((labels, patient) =>
    labels.map((label, i) => film(`${patient}-${i}`, { patient: `P${patient}`, label }))
  )
);
const seed = fc.integer({ min: 0, max: 1e6 });

/** The example of the documentation of many: 40 patients of two films, one in four malignant on one film. */
const forty = Array.from(
  { length: 40 },
  (_, p) =>
    ["L", "R"].map((side) =>
      film(`${p}${side}`, { patient: `${p}`, label: p % 4 === 0 && side === "L" ? "malignant" : "normal" })
    ),
).flat();

describe("split()", () => {
  const options = { by: "patient", seed: 1, holdOut: { test: 0.25, validation: 0.15 } } as const;

  it("puts every film on one side and no patient on two", () => {
    fc.assert(
      fc.property(cohort, seed, (records, seed) => {
        const sides = sidesOf(split(records, { ...options, seed }));
        const all = sides.flatMap(({ records }) => records.map(recordKey));
        assertEquals(all.toSorted(), records.map(recordKey).toSorted());
        const patients = sides.flatMap(({ records }) => [...new Set(records.map(({ patient }) => patient))]);
        assertEquals(new Set(patients).size, patients.length);
      }),
      { numRuns: 60 },
    );
  });

  it("does not depend on the order of the records, and gives the same hash for the same seed only", () => {
    fc.assert(
      fc.property(cohort, seed, (records, seed) => {
        const [one, other] = [split(records, { ...options, seed }), split(records.toReversed(), { ...options, seed })];
        assertEquals(one.hash, other.hash);
        assertEquals(sidesOf(one).map(({ records }) => records), sidesOf(other).map(({ records }) => records));
      }),
      { numRuns: 30 },
    );
    const hashes = Array.from({ length: 20 }, (_, seed) => split(forty, { ...options, seed }).hash);
    assertEquals(new Set(hashes).size, 20);
  });

  it("gives every patient of one kind the same chance of every side", () => {
    const records = forty.map((record) => ({ ...record, labels: forty[0]!.labels }));
    const counts = new Map<string, number>();
    const seeds = 600;
    for (let seed = 0; seed < seeds; seed++) {
      const { test } = split(records, { ...options, seed });
      for (const patient of new Set(test.records.map(({ patient }) => patient!))) {
        counts.set(patient, (counts.get(patient) ?? 0) + 1);
      }
    }
    // Binomial(600, 1/4) has deviation 10.6: 4 of them for the largest of 40.
    assertEquals(counts.size, 40);
    for (const count of counts.values()) assertAlmostEquals(count, seeds / 4, 43);
  });

  it("shares classes exactly where whole patients allow it", () => {
    const shares = sidesOf(split(forty, { by: "patient", seed: 3, holdOut: { test: 0.2, validation: 0.2 } }))
      .map(({ records }) => countBy(records, labelOf));
    assertEquals(shares, [{ malignant: 6, normal: 42 }, { malignant: 2, normal: 14 }, { malignant: 2, normal: 14 }]);
  });

  it("stratifies by any key", () => {
    const records = forty.map((record, i) => ({ ...record, density: i % 8 < 4 ? "a" : "d" }));
    const { test } = split(records, {
      ...options,
      holdOut: { test: 0.2 },
      stratify: (record) => `${labelOf(record)} ${record.density}`,
    });
    assertEquals(countBy(test.records, ({ density }) => density), { a: 8, d: 8 });
  });

  it("keeps equal patient numbers of two datasets apart", () => {
    const pooled = [...forty, ...forty.map((record) => ({ ...record, dataset: "another" }))];
    const { test } = split(pooled, options);
    const patients = (dataset: string) =>
      new Set(test.records.filter((r) => r.dataset === dataset).map((r) => r.patient));
    assertNotEquals(patients("made up"), patients("another"));
  });

  it("refuses unknown patients unless told that each file is one, and then says so", () => {
    const records = forty.map(({ patient: _, ...record }) => record);
    assertThrows(() => split(records, options), MammolabError, "80 of 80 records is unknown");
    const { notes, test } = split(records, { ...options, eachFileIsAPatient: true });
    assertEquals(notes, ["each of 80 files whose patient is unknown was taken as a patient, as the user said"]);
    assertEquals(test.records.length, 20);
  });

  it("keeps copies of an unknown patient's film together by their names", () => {
    const records = Array.from(
      { length: 20 },
      (_, n) =>
        ["", " (1)", " (2)", "_rot90"].map((mark) =>
          film(`${n}${mark}`, { file: `x/2058${n}${mark}.png`, label: n % 2 ? "a" : "b" })
        ),
    ).flat();
    const { test, notes } = split(records, { ...options, eachFileIsAPatient: true });
    const films = countBy(test.records, ({ id }) => id.replace(/[ _].*/, ""));
    assertEquals(new Set(Object.values(films)), new Set([4]));
    assertEquals(notes[1], "80 files whose names speak of copies were kept together by the name of their film");
  });

  it("by record lets patients leak and says so", () => {
    const { notes, training, test, by } = split(forty, { ...options, by: "record" });
    const seen = new Set(training.records.map(({ patient }) => patient));
    assert(test.records.some(({ patient }) => seen.has(patient)));
    assertEquals(by, "record");
    assert(notes[0]!.startsWith("films of one patient may be on several sides"));
  });

  it("names a class that a side lacks", () => {
    const records = [...forty, film("rare", { patient: "rare", label: "rare" })];
    const { notes } = split(records, options);
    assertEquals(notes.length, 2);
    assert(notes.every((note) => note.endsWith('has no film of class "rare": only 1 patients have one')));
  });

  it("counts records without a label as a class of their own", () => {
    const { test } = split(forty.map((r, i) => i < 20 ? { ...r, labels: {} } : r), {
      ...options,
      holdOut: { test: 0.2 },
    });
    assertEquals(test.records.filter(({ labels }) => !labels.image).length, 4);
  });

  it("refuses no records, a film that occurs twice, shares without room, and a side that would be empty", () => {
    assertThrows(() => split([], options), MammolabError, "there are no records");
    assertThrows(() => split([...forty, forty[0]!], options), MammolabError, "occurs twice");
    assertThrows(
      () => split(forty, { ...options, holdOut: { test: 0.5, validation: 0.5 } }),
      MammolabError,
      "together below 1",
    );
    assertThrows(() => split(forty, { ...options, holdOut: { test: 0 } }), MammolabError, "must be above 0");
    assertThrows(() => split(forty, { ...options, seed: 0.5 }), MammolabError, "whole number");
    assertThrows(() => split(forty.slice(0, 4), options), MammolabError, "side would be empty");
  });
});

describe("splitFolds()", () => {
  it("tests every film once in each repeat, never together with training on its patient", () => {
    fc.assert(
      fc.property(cohort, seed, fc.integer({ min: 2, max: 6 }), (records, seed, folds) => {
        const splits = splitFolds(records, { by: "patient", seed, folds, repeats: 2, validation: 0.2 });
        assertEquals(
          splits.map(({ fold }) => fold),
          [0, 1].flatMap((repeat) => Array.from({ length: folds }, (_, fold) => ({ fold, folds, repeat }))),
        );
        for (const repeat of [0, 1]) {
          const tested = splits.filter(({ fold }) => fold!.repeat === repeat).flatMap(({ test }) =>
            test.records.map(recordKey)
          );
          assertEquals(tested.toSorted(), records.map(recordKey).toSorted());
        }
        for (const one of splits) {
          const patients = sidesOf(one).flatMap(({ records }) => [...new Set(records.map(({ patient }) => patient))]);
          assertEquals(new Set(patients).size, patients.length);
          assertEquals(sidesOf(one).reduce((sum, { records }) => sum + records.length, 0), records.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("deals each class to within one patient where patients are alike", () => {
    for (const { test } of splitFolds(forty, { by: "patient", seed: 9, folds: 4 })) {
      const { malignant, normal } = countBy(test.records, labelOf);
      assert(malignant! >= 2 && malignant! <= 3 && malignant! + normal! === 20);
    }
  });

  it("divides anew in each repeat", () => {
    const hashes = splitFolds(forty, { by: "patient", seed: 1, folds: 5, repeats: 3 }).map(({ hash }) => hash);
    assertEquals(new Set(hashes).size, 15);
  });

  it("refuses more folds than patients, and notes a class with fewer patients than folds", () => {
    assertThrows(
      () => splitFolds(forty.slice(0, 8), { by: "patient", seed: 1, folds: 5 }),
      MammolabError,
      "4 patients into 5 folds",
    );
    assertThrows(() => splitFolds(forty, { by: "patient", seed: 1, folds: 1 }), MammolabError, "at least 2 folds");
    assertThrows(
      () => splitFolds(forty, { by: "patient", seed: 1, folds: 2, validation: 0.6 }),
      MammolabError,
      "nothing to train on",
    );
    const rare = [0, 1, 2].map((i) => film(`rare ${i}`, { patient: `rare ${i}`, label: "rare" }));
    const notes = splitFolds([...forty, ...rare], { by: "patient", seed: 1, folds: 5 }).map(({ notes }) => notes);
    assertEquals(notes.flat(), Array(2).fill('the test side has no film of class "rare": only 3 patients have one'));
  });
});

describe("splitAsPublished()", () => {
  const published = forty.map((record, i) => ({ ...record, split: i < 60 ? "training" as const : "test" as const }));

  it("takes the publisher's sides", () => {
    const { training, validation, test, by } = splitAsPublished(published);
    assertEquals([training, validation, test].map(({ records }) => records.length), [60, 0, 20]);
    assertEquals(by, "publisher");
  });

  it("refuses a patient on two sides, or drops its training films when asked to, and says so", () => {
    const torn = published.map((record) => record.id === "0R" ? { ...record, split: "test" as const } : record);
    assertThrows(() => splitAsPublished(torn), MammolabError, "1 patients are on several sides (0)");
    const { training, test, notes } = splitAsPublished(torn, { leaks: "drop from training" });
    assertEquals([training.records.length, test.records.length, notes.length], [58, 21, 1]);
    const between = published.map((record) =>
      record.id === "0R" ? { ...record, split: "validation" as const } : record
    );
    const halves = splitAsPublished(between, { leaks: "drop from training" });
    assertEquals([halves.training, halves.validation, halves.test].map(({ records }) => records.length), [58, 1, 20]);
    assertStringIncludes(halves.notes.join(), "other films of these patients are held out");
  });

  it("refuses records of which one has no published side", () => {
    assertThrows(
      () => splitAsPublished([...published, film("x")]),
      MammolabError,
      "1 of 81 records have no published side",
    );
  });

  it("takes a validation side from the training side alone, by patient, the same for the same seed", () => {
    const validation = { share: 0.2, seed: 1 };
    const made = splitAsPublished(published, { validation });
    assertEquals(made.test.records, splitAsPublished(published).test.records);
    assertEquals([made.training.records.length, made.validation.records.length], [48, 12]);
    const patients = new Set(made.validation.records.map(({ patient }) => patient));
    assert(made.training.records.every(({ patient }) => !patients.has(patient)));
    assertEquals([made.by, made.seed, isTrainingSide(made.training)], ["publisher", 1, true]);
    assertEquals(splitAsPublished(published.toReversed(), { validation }), made);
    assert(splitAsPublished(published, { validation: { share: 0.2, seed: 2 } }).hash !== made.hash);
    assertEquals(restoreSplit(published, JSON.parse(JSON.stringify(saveSplit(made)))), made);
  });

  it("takes no second validation side, no patient that is unknown, and no share that leaves nothing", () => {
    const ask = (records: readonly FilmRecord[], share = 0.2) => () =>
      splitAsPublished(records, { validation: { share, seed: 1 } });
    const three = published.map((record, i) => i < 4 ? { ...record, split: "validation" as const } : record);
    assertThrows(ask(three), MammolabError, "the publisher has one, of 4 films; ask for none");
    const unknown = [...published, { ...film("x"), split: "training" as const }];
    assertThrows(ask(unknown), MammolabError, "the patient of 1 of 61 records is unknown");
    assertThrows(ask(published, 1), MammolabError, "must be above 0 and below 1");
    assertThrows(ask(published, 0.001), MammolabError, "the validation side would be empty");
  });

  const cbis = realData("tables/cbis-ddsm");
  (cbis ? it : it.skip)("drops 64 training films of 31 patients from the pooled split of CBIS-DDSM", async () => {
    const { records } = await loadCbisDdsm(cbis!);
    assertThrows(() => splitAsPublished(records), MammolabError, "31 patients are on several sides");
    const { notes, training, test } = splitAsPublished(records, { leaks: "drop from training" });
    assert(notes[0]!.startsWith("64 training and validation films of 31 patients"));
    assertEquals([training.records.length, test.records.length], [2458 - 64, 645]);
  });
});

describe("saveSplit() and restoreSplit()", () => {
  const made = split(forty, { by: "patient", seed: 4, holdOut: { test: 0.3, validation: 0.1 } });

  it("bring a split back through JSON with its hash, as a training side that counts as one", () => {
    const back = restoreSplit(forty.toReversed(), JSON.parse(JSON.stringify(saveSplit(made))));
    assertEquals(back, made);
    assert(isTrainingSide(back.training));
  });

  it("refuse missing films and sides that were changed by hand", () => {
    const saved = saveSplit(made);
    assertThrows(() => restoreSplit(forty.slice(1), saved), MammolabError, "1 of its films are not among the records");
    const moved = { ...saved, training: [...saved.training, saved.test[0]!], test: saved.test.slice(1) };
    assertThrows(() => restoreSplit(forty, moved), MammolabError, "its sides were changed");
  });
});

describe("TrainingSide", () => {
  const { training, validation } = split(forty, { by: "patient", seed: 1, holdOut: { test: 0.2, validation: 0.2 } });
  const learnFrom = (side: TrainingSide): number => side.records.length;

  it("is made by a split only, in types", () => {
    assertEquals(learnFrom(training), 48);
    const refused = (): number[] => [ // never called: the compiler is the test
      // @ts-expect-error: a whole dataset is no training side
      learnFrom(forty),
      // @ts-expect-error: a validation side is no training side
      learnFrom(validation),
      // @ts-expect-error: and one cannot be written by hand
      learnFrom({ side: "training", records: forty, splitHash: "" }),
    ];
    assert(refused);
  });

  it("is made by a split only, at run time too", () => {
    assert(isTrainingSide(training));
    const imitations = [
      validation,
      forty,
      { ...training },
      { ...training, records: forty },
      structuredClone(training),
      null,
      undefined,
      3,
    ];
    for (const imitation of imitations) assert(!isTrainingSide(imitation));
  });
});

describe("fewerPatients()", () => {
  const { training } = split(forty, { by: "patient", seed: 1, holdOut: { test: 0.2 } });

  it("keeps whole patients and the shares of the classes", () => {
    const fewer = fewerPatients(training, { patients: 16, seed: 2 });
    assert(isTrainingSide(fewer));
    assertEquals(countBy(fewer.records, labelOf), { malignant: 4, normal: 28 });
    assertEquals(Object.values(countBy(fewer.records, ({ patient }) => patient)), Array(16).fill(2));
    const keys = fewer.records.map(recordKey);
    assertEquals(keys, keys.toSorted(), "in the order of their keys, as of every side");
  });

  it("refuses more patients than there are", () => {
    assertThrows(() => fewerPatients(training, { patients: 33, seed: 2 }), MammolabError, "33 of 32");
  });
});

describe("splitFolds() on mini-MIAS", () => {
  const folder = realData("mini-mias");
  (folder ? it : it.skip)("gives each of 5 folds its fifth of every label to within one patient", async () => {
    const { records } = await loadMiniMias(folder!);
    for (const { test } of splitFolds(records, { by: "patient", seed: 1, folds: 5 })) {
      const counts = countBy(test.records, labelOf);
      assertAlmostEquals(counts.benign!, 63 / 5, 1);
      assertAlmostEquals(counts.malignant!, 52 / 5, 1);
      assertAlmostEquals(counts.normal!, 207 / 5, 1.01);
      assertAlmostEquals(new Set(test.records.map(({ patient }: FilmRecord) => patient)).size, 161 / 5, 1);
    }
  });
});
