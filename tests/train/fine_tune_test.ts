import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "node:path";
import { MammolabError } from "mammolab/base";
import { imageOf } from "mammolab/image";
import { adaptModel, loadModel, readModel } from "mammolab/model";
import { fineTune, type FineTuneOptions, lockFolder, type PreparedFilms, type Recipe } from "mammolab/train";
import { film } from "../datasets/_records.ts";
import { smallModel } from "../model/_small.ts";

const classes = { dim: ["normal"], bright: ["malignant"] };
/** Bright and dim films. */
const films: PreparedFilms = ({ id }) => {
  const level = Number(id) % 2 ? 0.7 : 0.3;
  return Promise.resolve(imageOf(new Float32Array(40 * 24).fill(level), { height: 40, width: 24 }));
};
const records = Array.from({ length: 8 }, (_, k) => film(`${k}`, { label: k % 2 ? "malignant" : "normal" }));
const head: Recipe = { seed: 1, epochs: 3, batchSize: 4, learningRate: 1e-2, mode: "head" };

describe("fineTune()", () => {
  let source: string;
  let folder: string;
  const optionsFor = async (recipe: Recipe): Promise<FineTuneOptions> => ({
    model: adaptModel(await readModel(source), { classes: Object.keys(classes), seed: 1 }),
    open: () => loadModel(source, { provider: "cpu" }),
    films,
    classes,
    training: records.map((film) => ({ film, copy: 0 })),
    validation: records.slice(0, 2),
    recipe,
    folder,
    threads: 1,
  });
  const last = async (recipe: Recipe) => (await Array.fromAsync(fineTune(await optionsFor(recipe)))).at(-1)!;

  beforeAll(async () => {
    source = await smallModel();
    folder = join(dirname(source), "training");
  });

  it("trains the head alone, or the network where the recipe needs it, into the same outputs", async () => {
    const alone = await last(head);
    const whole = await last({ ...head, mode: "all" });
    if (alone.kind !== "done" || whole.kind !== "done") throw new Error("a training did not end");
    assertEquals(Object.keys(alone.weights).sort(), Object.keys(whole.weights).sort());
    assertEquals([alone.steps, alone.history.length, whole.steps], [6, 3, 6]);
    const moved = (name: string, numbers: typeof whole.weights) =>
      Math.max(...numbers[name]!.map((x, k) => Math.abs(x - alone.weights[name]![k]!)));
    assertAlmostEquals(moved("norm.weight", whole.weights), 3e-2, 3e-2);
    const { model } = await optionsFor(head);
    assertEquals(alone.weights["norm.weight"], model.weights.get("norm.weight")!.data);
  });

  it("refuses patches that are larger than the film", async () => {
    const patches = { ...head, patches: 32 };
    await assertRejects(
      () => last(patches),
      MammolabError,
      "the films are prepared to 40 × 24; make the patches smaller",
    );
  });

  it("tells the epochs of the head alone as those of a network, each judged", async () => {
    const events = await Array.fromAsync(fineTune({ ...await optionsFor(head), folder: join(folder, "epochs") }));
    assertEquals(events.map(({ kind }) => kind), ["epoch", "epoch", "epoch", "done"]);
    const told = events.flatMap((event) => event.kind === "epoch" ? [event.report] : []);
    const done = events.at(-1)!;
    assertEquals(told, done.kind === "done" ? done.history : undefined);
    assertEquals(told.every(({ validation }) => validation !== undefined), true);
  });

  it("gives the folder back when the head alone fails, and does not write over the model of another training", async () => {
    const damaged = { ...await optionsFor(head), films: () => Promise.reject(new MammolabError("Cannot read it")) };
    const options = { ...damaged, folder: join(folder, "head") };
    await assertRejects(() => Array.fromAsync(fineTune(options)), MammolabError, "Cannot read it");
    (await lockFolder(options.folder))[Symbol.dispose]();

    await last({ ...head, mode: "all" }); // leaves a checkpoint
    await assertRejects(() => last(head), MammolabError, "another training is kept there, whose model would be lost");
  });
});
