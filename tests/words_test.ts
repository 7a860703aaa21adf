// Options that are words, given one that they do not know: notebooks run without a type checker.
import { describe, it } from "@std/testing/bdd";
import { assertRejects, assertThrows } from "@std/assert";
import { checkWord, MammolabError, seededRandom } from "mammolab/base";
import { loadCbisDdsm, loadDataset, phantomExam, split, splitAsPublished } from "mammolab/datasets";
import { openBlockingSession, openSession } from "mammolab/engine";
import { bootstrap } from "mammolab/evaluate";
import { rollout } from "mammolab/explain";
import { imageOf, resizeTo, warp } from "mammolab/image";
import type { LayerAttention } from "mammolab/model";
import { colorMap } from "mammolab/plot";
import { balance, createFlow, flip, noise, sampleFlip, sampleNoise, stitch } from "mammolab/prepare";

// deno-lint-ignore no-explicit-any -- as a notebook sees it
type Any = any;

const image = imageOf(new Float32Array(16), { height: 4, width: 4 });
const records = Array.from({ length: 20 }, (_, k) => ({
  id: `${k}`,
  patient: `${k}`,
  split: k < 10 ? "training" as const : "test" as const,
  labels: { image: { value: k % 2 ? "normal" : "malignant", rule: "example" } },
  lesions: [],
  file: "",
  dataset: "example",
  oddities: [],
}));
const { training } = split(records, { by: "patient", seed: 1, holdOut: { test: 0.5 } });
const unknown = records.map(({ patient: _, ...record }) => record);

const layer: LayerAttention = {
  name: "attention.0",
  kind: "global",
  layer: 0,
  heads: 1,
  grid: { height: 1, width: 2 },
  prefixTokens: 1,
  shape: [1, 3, 3],
  data: new Float32Array(9).fill(1 / 3),
  toSource: [1, 0, 0, 0, 1, 0],
};

const calls: Readonly<Record<string, (word: Any) => unknown>> = {
  "the filter of resizeTo()": (filter) => resizeTo({ height: 2, width: 2, filter }),
  "the fit of resizeTo()": (fit) => resizeTo({ height: 2, width: 2, fit }),
  "the alignment of resizeTo()": (align) => resizeTo({ height: 2, width: 2, fit: "pad", align }),
  "the sampling of warp()": (sampling) => warp(image, [1, 0, 0, 0, 1, 0], { sampling }),
  "the border of warp()": (border) => warp(image, [1, 0, 0, 0, 1, 0], { border }),
  "what split() keeps whole, which would pass over unknown patients": (by) =>
    split(unknown, { by, seed: 1, holdOut: { test: 0.5 } }),
  "what splitAsPublished() does with leaks": (leaks) => splitAsPublished(records, { leaks }),
  "the strategy of balance()": (strategy) => balance(training, { strategy, seed: 1 }),
  "the films that createFlow() augments": (augment) => createFlow({ preparation: {} as Any, augment }),
  "the kind of noise that is drawn": (kind) => sampleNoise({ kind, low: 0, high: 1 }, seededRandom(1)),
  "the kind of noise that is added": (kind) => noise(image, { kind, level: 0.1, seed: 1 }),
  "the direction of a flip that is drawn": (direction) => sampleFlip({ direction }, seededRandom(1)),
  "the direction of a flip": (direction) => flip(image, { direction }),
  "the weights of stitch()": (weights) => stitch([], { height: 4, width: 4, weights }),
  "the density of a phantom": (density) => phantomExam(1, { density }),
  "how rollout() fuses heads": (headFusion) => rollout([layer], { headFusion }),
  "what rollout() keeps": (keep) => rollout([layer], { keep }),
  "the kind of bootstrap()": (kind) => bootstrap([], () => 0, { seed: 1, kind }),
  "the name of colorMap()": (name) => colorMap(name),
};

describe("checkWord()", () => {
  it("passes the words that are known, and names them beside another one", () => {
    checkWord("Cannot paint: the color", "red", ["red", "green"]);
    assertThrows(
      () => checkWord<string>("Cannot paint: the color", "blue", ["red", "green"]),
      MammolabError,
      'Cannot paint: the color "blue" is none of red, green; choose one of them',
    );
  });

  for (const [what, call] of Object.entries(calls)) {
    it(`guards ${what}`, () => {
      assertThrows(() => call("misspelled"), MammolabError, '"misspelled" is none of ');
    });
  }

  it("guards the rule of loadCbisDdsm() and the kind of loadDataset()", async () => {
    await assertRejects(() => loadCbisDdsm("", { rule: "x" as Any }), MammolabError, "is none of ");
    await assertRejects(() => loadDataset("", {}, "x" as Any), MammolabError, "is none of ");
  });

  it("guards where a graph runs", async () => {
    const options = { model: new Uint8Array(), provider: "gpu" as Any };
    const sentence = 'Cannot open the graph: the provider "gpu" is none of ';
    await assertRejects(() => openSession(options), MammolabError, `${sentence}auto, cpu, webgpu, cuda`);
    await assertRejects(() => openBlockingSession(options), MammolabError, `${sentence}cpu, webgpu, cuda`);
  });
});
