import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readModel } from "mammolab/model";
import { deno, root } from "./_run.ts";

const run = (name: string, ...args: string[]) => deno(["task", "-q", name, ...args]);

/** The words of the line that a training ends with, as a shell takes them. */
function nextOf(said: string): string[] {
  const line = said.match(/Next: deno task (evaluate [^]*)$/)![1]!.trim();
  const words = [...line.matchAll(/'((?:[^']|'\\'')*)'|\S+/g)].map(([word, inside]) =>
    inside === undefined ? word : inside.replaceAll("'\\''", "'")
  );
  return ["task", "-q", ...words];
}

let out: string;
/** Three exams, each of one label: enough to go through everything, far too few to learn from. */
const data = ["data/phantom", "--test", "0.34", "--validation", "0"];
const quick = ["--epochs", "1", "--batch", "4", "--quiet", "--json"];

describe("deno task train and deno task evaluate", () => {
  beforeAll(async () => {
    await Deno.mkdir(`${root}out`, { recursive: true });
    out = await Deno.makeTempDir({ dir: `${root}out`, prefix: "train-test-" });
  });
  afterAll(() => Deno.remove(out, { recursive: true }));

  it("trains on patches, saves a model for whole films, and goes on from it on whole films; then it is evaluated", async () => {
    const patches = await run("train", ...data, ...quick, "--patches", "64", "--out", `${out}/patches`);
    assertEquals([patches.code, patches.error], [0, ""]);
    const first = JSON.parse(patches.out);
    assertEquals([first.recipe.patches, first.stopped], [64, false]);
    const model = await readModel(`${out}/patches/model`);
    assertEquals([model.definition.trained, model.definition.spec.imageSize], [true, { height: 384, width: 192 }]);
    assertEquals(model.weights.get("pos_embed")!.shape, [1, 1 + 24 * 12, 192]);

    const balanced = ["--balance", "oversample", "--from", first.model, "--out", `${out}/whole`];
    const whole = await run("train", ...data, ...quick, ...balanced);
    assertEquals([whole.code, whole.error], [0, ""]);
    const second = JSON.parse(whole.out);
    const { negative, malignant } = second.balance.after; // classes, not labels
    assertEquals(negative, malignant);
    assert(second.history[0].trainingLoss > 0);
    await Deno.stat(second.curve);
    const page = await Deno.readTextFile(second.report);
    assertStringIncludes(page, `alt="Training over 1 epochs`);
    assertStringIncludes(page, second.split.hash);

    const judged = await run(
      "evaluate",
      ...data,
      "--model",
      second.model,
      "--side",
      "training",
      "--pointing",
      "--json",
      "--quiet",
    );
    assertEquals(judged.code, 0);
    const { films, trained, split, figures, scores } = JSON.parse(judged.out);
    assertEquals(scores.length, films);
    const pointing = (by: string) => figures[`pointing game: ${by}`];
    assert(pointing("chance (any token on the breast)").value > 0.005);
    assert(pointing("chance (any token on the breast)").value < 0.2);
    assert(pointing("rollout").value <= pointing("rollout, half a token beside").value);
    for (const other of [["--split-seed", "4"], ["--side", "all"]]) {
      const leak = await run("evaluate", ...data, "--model", second.model, ...other);
      assertEquals(leak.code, 1);
      assertStringIncludes(leak.error, "would be tested on some that it learned from; give --classes");
      assertStringIncludes(leak.error, "--split-seed 1 --test 0.34 --validation 0 and a --side");
    }
    assertEquals([films, trained, split], [second.split.training, true, second.split.hash]);
    assert(figures["AUC of films"].low <= figures["AUC of films"].value);
  });

  it("continues a training that is there, and refuses another recipe in its folder, saying which setting", async () => {
    const folder = `${out}/once`;
    const args = [...data, "--epochs", "1", "--batch", "4", "--patches", "64", "--out", folder, "--json"];
    assertEquals((await run("train", ...args)).code, 0);
    const again = await run("train", ...args);
    assertStringIncludes(again.error, "Going on from step");
    assertEquals(again.code, 0);
    const other = await run("train", ...args, "--seed", "5");
    assertEquals(other.code, 1);
    assertMatch(other.error, /seed \(5, was 1\)/);
  });

  it("trains the head alone on features that are computed once, and saves it in 16 bits under a name", async () => {
    const args = [...data, "--mode", "head", "--epochs", "20", "--out", `${out}/head`, "--name", "my-head", "--half"];
    const { code, out: text } = await run("train", ...args, "--json", "--quiet");
    assertEquals(code, 0);
    const { history, recipe, model } = JSON.parse(text);
    assertEquals([history.length, recipe.augmentation, recipe.learningRate], [20, [], 1e-2]);
    assert(history.at(-1).trainingLoss < history[0].trainingLoss);
    const { definition } = await readModel(model);
    assertEquals([definition.name, definition.trained], ["my-head", true]);
    assert((await Deno.stat(`${model}/model.safetensors`)).size < 2.3 * 4.3e6);
  });

  it("trains on a table of one's own, tells epochs as the curve does, and evaluates with the line that it gives", async () => {
    const rows = (await Deno.readTextFile(`${root}data/phantom/films.csv`)).trim().split("\n").slice(1);
    const films = rows.map((row) => row.split(",")).map(([id, file, , , , , label], k) =>
      `${root}data/phantom/${file};film ${id};women ${k};${
        k % 2 ? "malignant" : label === "malignant" ? "normal" : label
      }`
    );
    const table = `${out}/it's mine.csv`;
    await Deno.writeTextFile(table, `\ufeffPicture;Name;Who;"What\nit shows"\r\n${films.join("\r\n")}\r\n`);
    const columns = ["--columns", "file=Picture,label=What\nit shows,patient=Who,id=Name"];
    const split = ["--test", "0.5", "--validation", "0.25"];
    const args = [table, ...columns, ...split, "--mode", "head", "--epochs", "2", "--out", `${out}/table`];
    const trained = await run("train", ...args);
    assertEquals(trained.code, 0, trained.error);
    assertMatch(trained.out, /\n +1 .*\n +2 /);
    const judged = await deno([...nextOf(trained.out), "--json", "--quiet"]);
    assertEquals(judged.code, 0, judged.error);
    assertEquals(JSON.parse(judged.out).films, films.length / 2);

    const several = `${root}tests/fixtures/dicom/tomosynthesis.dcm;several;she;normal`;
    await Deno.writeTextFile(table, `Picture;Name;Who;"What\nit shows"\n${several}\n${films.join("\n")}\n`);
    const all = await run("evaluate", table, ...columns, "--side", "all");
    assertEquals(all.code, 0, all.error);
    assertMatch(all.out, /\n1 of 13 films: Frame \d+ of \d+ was taken, the middle one\n/);

    await Deno.writeTextFile(table, `Picture;Name;Who;"What\nit shows"\nnowhere.png;x;y;normal\n${films.join("\n")}\n`);
    const missing = await run("train", ...args, "--out", `${out}/missing`);
    assertEquals(missing.code, 1);
    assertMatch(missing.error, /the file of 1 of \d+ films is missing, such as .*nowhere\.png; put them back/);
    const none = await run("train", ...args, "--classes", "a=cat,b=dog");
    assertMatch(
      none.error,
      /none has a label of a class, their labels are benign \d+, malignant 6, normal \d+; name them/,
    );
    const one = await run(
      "evaluate",
      ...args.slice(0, 7),
      "--model",
      "vit-phantom",
      "--classes",
      "n=normal,malignant=x",
    );
    assertMatch(one.error, /Cannot evaluate on the test side: 0 of its \d+ films are malignant, both kinds are needed/);
  });

  it("trains and evaluates on the publisher's own sides, and refuses sides that share a patient", async () => {
    const rows = (await Deno.readTextFile(`${root}data/phantom/films.csv`)).trim().split("\n").slice(1)
      .map((row) => row.split(",")).map(([id, file], k) => ({
        cells: `${root}data/phantom/${file},${id},P${k},${k % 2 ? "malignant" : "normal"}`,
        side: k < 8 ? "train" : "test",
      }));
    const write = async (name: string, sides: readonly string[]) => {
      const lines = rows.map(({ cells }, k) => `${cells},${sides[k]}`);
      await Deno.writeTextFile(`${out}/${name}.csv`, ["file,id,patient,label,split", ...lines].join("\n"));
      return `${out}/${name}.csv`;
    };
    const sides = rows.map(({ side }) => side);
    const table = await write("published", sides);
    const columns = ["--columns", "file=file,label=label,patient=patient,id=id,split=split"];
    const quickly = [...columns, "--mode", "head", "--epochs", "1", "--batch", "4", "--published"];
    const trained = await run("train", table, ...quickly, "--validation", "0.25", "--out", `${out}/published`);
    assertEquals(trained.code, 0, trained.error);
    const next = nextOf(trained.out);
    assertStringIncludes(next.join(" "), "--published --split-seed 1 --validation 0.25");
    const judged = await deno([...next, "--json", "--quiet"]);
    assertEquals(judged.code, 0, judged.error);
    const { scores, split } = JSON.parse(judged.out);
    const asked = rows.flatMap(({ cells, side }) => side === "test" ? [cells.split(",")[1]] : []);
    assertEquals(scores.map(({ id }: { id: string }) => id).sort(), asked.sort());
    const { definition } = await readModel(`${out}/published/model`);
    assertEquals(definition.trainedOn?.split, split);
    assertStringIncludes(definition.origin!, `on 6 films, published split ${split}`);

    const model = ["--model", `${out}/published/model`];
    for (
      const other of [[], ["--published", "--validation", "0.5"], [
        "--published",
        "--validation",
        "0.25",
        "--side",
        "all",
      ]]
    ) {
      const leak = await run("evaluate", table, ...columns, ...model, ...other);
      assertEquals(leak.code, 1);
      assertStringIncludes(leak.error, "--published --split-seed 1 --validation 0.25 and a --side");
    }
    const named = await write("named", sides.with(7, "val").with(6, "val"));
    const torn = await write("torn", sides);
    await Deno.writeTextFile(torn, (await Deno.readTextFile(torn)).replace(",P11,", ",P0,"));
    const refused: readonly [string, number, string[]][] = [
      ["--test has no effect with --published", 2, [table, ...quickly, "--test", "0.3"]],
      ["--drop-leaks has no effect without --published", 2, [table, ...columns, "--drop-leaks"]],
      ["--split-seed has no effect where the publisher names", 2, [named, ...quickly, "--split-seed", "2"]],
      ["1 patients are on several sides (P0); drop them from training", 1, [torn, ...quickly]],
      ["12 of 12 records have no published side", 1, ["data/phantom", "--published"]],
    ];
    for (const [message, code, args] of refused) {
      const result = await run("train", ...args, "--out", `${out}/refused`);
      assertEquals([result.code, result.error.includes(message)], [code, true], result.error);
    }
  });

  it("refuses a recipe that is no recipe, options beside a recipe, and one class only, each in a sentence", async () => {
    await Deno.writeTextFile(`${out}/broken.json`, "{");
    await Deno.writeTextFile(`${out}/zero.json`, JSON.stringify({ seed: 1, epochs: 1, batchSize: 4, learningRate: 0 }));
    const cases: readonly [string, number, string[]][] = [
      ["no JSON", 1, [...data, "--recipe", `${out}/broken.json`]],
      ["nothing would be learned", 1, [...data, "--recipe", `${out}/zero.json`]],
      ["the settings are those of the file", 2, [...data, "--recipe", `${out}/zero.json`, "--epochs", "3"]],
      ["one class only", 1, [...data, "--classes", "all=normal+benign+malignant,none=other", ...quick]],
    ];
    for (const [message, code, args] of cases) {
      const result = await run("train", ...args, "--out", `${out}/refused`);
      assertEquals(result.code, code);
      assertStringIncludes(result.error, message);
    }
  });
});
