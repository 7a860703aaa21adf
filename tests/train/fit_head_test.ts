import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { MammolabError } from "mammolab/base";
import type { FilmRecord } from "mammolab/datasets";
import { type Image, imageOf } from "mammolab/image";
import { loadModel, type Model } from "mammolab/model";
import { filmFeatures, fitHead, judge, type PreparedFilms, type Recipe } from "mammolab/train";
import { film } from "../datasets/_records.ts";
import { smallModel } from "../model/_small.ts";

const classes = { dim: ["normal"], bright: ["malignant"] };

/** Bright and dim films, as files so that their features have names; how often each was prepared. */
let folder: string;
let model: Model;
let records: FilmRecord[];
const asked = new Map<string, number>();
const films: PreparedFilms = (record) => {
  asked.set(record.id, (asked.get(record.id) ?? 0) + 1);
  const number = Number(record.id);
  const level = number % 2 ? 0.7 : 0.3;
  const data = Float32Array.from({ length: 40 * 24 }, (_, at) => level + 0.1 * Math.sin(at * (number + 1)));
  return Promise.resolve<Image>(imageOf(data, { height: 40, width: 24 }));
};
const recipe = { seed: 1, epochs: 60, batchSize: 4, learningRate: 3e-2 };

describe("filmFeatures() and fitHead()", () => {
  beforeAll(async () => {
    folder = await smallModel();
    model = await loadModel(folder, { provider: "cpu" });
    records = [];
    for (let k = 0; k < 20; k++) {
      const file = join(dirname(folder), `${k}.png`);
      await Deno.writeTextFile(file, `film ${k}`);
      records.push(film(`${k}`, { file, label: k % 2 ? "malignant" : "normal" }));
    }
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
  });

  it("gives what the head reads, computed once for a film, also by two at the same time", async () => {
    const kept = join(dirname(folder), "features");
    const options = { model, films, folder: kept, batchSize: 3 };
    const [a, b] = await Promise.all([filmFeatures(records, options), filmFeatures(records, options)]);
    assertEquals([a.dim, a.data.length, b.data], [12, 20 * 12, a.data]);
    const { features } = await model.predict(await films(records[7]!));
    features.forEach((x, d) => assertAlmostEquals(a.data[7 * 12 + d]!, x, 1e-5));

    asked.clear();
    assertEquals((await filmFeatures([records[3]!, records[3]!], options)).data.subarray(12), a.data.slice(36, 48));
    assertEquals(asked.size, 0);
    await Deno.writeTextFile(records[3]!.file, "another film");
    await filmFeatures(records, options);
    assertEquals([...asked], [["3", 1]]);
  });

  it("computes anew for other weights", async () => {
    const kept = join(dirname(folder), "features");
    const other = await smallModel(2);
    await using second = await loadModel(other, { provider: "cpu" });
    const [a, b] = [
      await filmFeatures(records, { model, films, folder: kept }),
      await filmFeatures(records, { model: second, films, folder: kept }),
    ];
    assertGreater(Math.abs(a.data[0]! - b.data[0]!), 1e-3);
  });

  it("learns bright from dim, and the head in the network says what was judged", async () => {
    const [training, validation] = [records.slice(0, 12), records.slice(12)];
    const { head, history } = await fitHead({ model, films, classes, training, validation, recipe });
    assertEquals(history.map(({ validation }) => validation?.auc === undefined), new Array(60).fill(false));
    assertEquals(history.at(-1)!.validation!.auc, 1);
    assertLess(history.at(-1)!.validation!.loss, history[0]!.validation!.loss); // judged as it was then, not as it is now
    const { data, dim } = await filmFeatures(validation, { model, films });
    const logits = Float32Array.from({ length: 16 }, (_, at) => {
      const own = data.subarray(Math.floor(at / 2) * dim, (Math.floor(at / 2) + 1) * dim);
      return head.bias[at % 2]! + own.reduce((sum, x, d) => sum + x * head.weight[(at % 2) * dim + d]!, 0);
    });
    const targets = validation.map((_, k) => k % 2 ? [0, 1] : [1, 0]);
    assertAlmostEquals(judge(logits, targets).loss, history.at(-1)!.validation!.loss, 1e-6);
  });

  it("refuses augmentation, one class only, and films of no class, in sentences", async () => {
    const own = { model, films, classes, validation: [], recipe };
    const augmentation = [{ name: "flip", options: { direction: "vertical" }, probability: 0.5 }] as const;
    await assertRejects(
      () => fitHead({ ...own, training: records, recipe: { ...recipe, augmentation } }),
      MammolabError,
      "augments the films",
    );
    const even = records.filter((_, k) => k % 2 === 0);
    await assertRejects(() => fitHead({ ...own, training: even }), MammolabError, "one class only");
    await assertRejects(() => fitHead({ ...own, training: [film("x")] }), MammolabError, "film x");
    await assertRejects(() => filmFeatures([], { model, films }), MammolabError, "there are no films");
    await assertRejects(() => filmFeatures(records, { model, films, batchSize: 0 }), MammolabError, "of 0 films");
    const others: readonly (readonly [Partial<Recipe>, string])[] = [
      [{ patches: 16 }, "cuts patches"],
      [{ pool: "max" }, "says what the head reads"],
      [{ unfreeze: [{ epoch: 0, mode: "head" }] }, "unfreezes"],
      [{ dropPath: 0.1 }, "drops branches"],
      [{ mode: { lastBlocks: 1 } }, "trains other layers"],
      [{ patience: 3 }, "stops early"],
      [{ average: 0.1 }, "averages the numbers"],
      [{ accumulate: 2 }, "accumulates gradients"],
      [{ loss: { kind: "focal" } }, "has the loss focal"],
      [{ optimizer: { kind: "sgd" } }, "has the optimiser sgd"],
      [{ optimizer: { kind: "adamw", betas: [0.5, 0.9] } }, "sets the optimiser's betas"],
      [{ batchSize: 0 }, "batchSize is 0"],
    ];
    for (const [change, sentence] of others) {
      const changed = { ...own, training: records, recipe: { ...recipe, ...change } };
      await assertRejects(() => fitHead(changed), MammolabError, sentence);
    }
  });

  it("weighs the classes as the recipe says", async () => {
    const training = records.slice(0, 12);
    const biasWith = async (classWeights: readonly [number, number]) => {
      const weighed = { ...recipe, epochs: 5, loss: { kind: "crossEntropy", classWeights } } as const;
      const { head } = await fitHead({ model, films, classes, training, validation: [], recipe: weighed });
      return head.bias[1]! - head.bias[0]!;
    };
    assertGreater(await biasWith([1, 9]), await biasWith([9, 1]));
  });

  it("refuses kept features of another length", async () => {
    const kept = join(dirname(folder), "broken");
    await filmFeatures(records, { model, films, folder: kept });
    const [{ name }] = await Array.fromAsync(Deno.readDir(kept)) as [Deno.DirEntry];
    await Deno.writeFile(join(kept, name), new Uint8Array(8));
    await assertRejects(
      () => filmFeatures(records, { model, films, folder: kept }),
      MammolabError,
      "delete the folder, they are computed again",
    );
    await Deno.remove(kept, { recursive: true });
  });
});
