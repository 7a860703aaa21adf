import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { phantomExam, phantomMammogram } from "mammolab/datasets";
import { auc, pointingHit } from "mammolab/evaluate";
import { peakOf, rollout } from "mammolab/explain";
import { loadModel, readModel } from "mammolab/model";

const folder = new URL("../../models/vit-phantom/", import.meta.url);
type Range = { readonly seed: number; readonly exams: number };
const phantoms: Record<"training" | "test", Range> = JSON.parse(
  await Deno.readTextFile(new URL("phantoms.json", folder)),
);
const trainedOn = (seed: number) =>
  seed >= phantoms.training.seed && seed < phantoms.training.seed + phantoms.training.exams;

describe("the shipped model vit-phantom", () => {
  it("is small, trained, and says what it is", async () => {
    assertLess((await Deno.stat(new URL("model.safetensors", folder))).size, 12e6);
    const { definition } = await readModel("vit-phantom");
    assertEquals([definition.name, definition.trained], ["vit-phantom", true]);
    assertEquals(definition.classes, ["negative", "malignant"]);
    assert((await Deno.readTextFile(new URL("../README.md", folder))).includes("never seen a patient"));
  });

  it("was trained on no phantom that it is tested on, that is committed, or that a notebook or test draws", async () => {
    const { test } = phantoms;
    for (const seed of [test.seed, test.seed + test.exams - 1]) assert(!trainedOn(seed));
    assert(!(test.seed < phantoms.training.seed && test.seed + test.exams > phantoms.training.seed));
    for await (const { name } of Deno.readDir(new URL("../../data/phantom/", import.meta.url))) {
      if (/^\d+$/.test(name)) assert(!trainedOn(Number(name)), name);
    }
    for (const seed of [9000, 9025]) assert(!trainedOn(seed)); // notebook 6
  });

  it("tells malignant films apart, and its class token looks at the lesion (rollout)", async () => {
    await using model = await loadModel("vit-phantom", { provider: "cpu" });
    const cases: { positive: boolean; score: number }[] = [];
    const hits: number[] = [];
    for (let seed = phantoms.test.seed; seed < phantoms.test.seed + 12; seed++) {
      const exam = phantomExam(seed);
      for (const view of exam.views) {
        const film = phantomMammogram(exam, view);
        const { scores, attention } = await model.predict(film, { attention: true });
        const malignant = view.lesions.filter(({ plan }) => plan.pathology === "malignant");
        cases.push({ positive: malignant.length > 0, score: scores.malignant! });
        if (malignant.length === 0) continue;
        const { x, y } = peakOf(rollout(attention), film.image);
        const lesions = malignant.map((lesion) => ({
          kind: "circle" as const,
          x: lesion.x,
          y: lesion.y,
          radius: lesion.plan.radius / view.mm,
        }));
        hits.push(pointingHit({ points: [[x, y]], lesions }));
      }
    }
    // The figures are in the card, from 200 exams; these twelve hold that the shipped file is the one that gave them.
    assertGreater(auc(cases), 0.85);
    assertGreater(hits.reduce((a, b) => a + b, 0) / hits.length, 0.5);
  });
});
