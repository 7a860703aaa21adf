import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { evaluate, type Value } from "mammolab/graph";
import { applyMap, type Image, imageOf, prepare } from "mammolab/image";
import { encodePng } from "mammolab/io";
import { buildNet } from "mammolab/nets";
import { type FilmResult, loadModel, type Model, saveModel } from "mammolab/model";
import { small, smallModel, weightsOf } from "./_small.ts";

/** Films of different shapes and textures. */
const films: readonly Image[] = [[80, 48], [50, 60], [33, 21]].map(([height, width], n) =>
  imageOf(
    Float32Array.from({ length: height! * width! }, (_, i) => ((i * (n + 3)) % 101) / 101),
    { height: height!, width: width! },
  )
);

/** The network in Float64, one film at a time: the slow twin. */
function twin(film: Image): Record<string, Value> {
  const net = buildNet(small.spec, { normalization: small.preparation });
  const feeds: Record<string, Value> = {};
  for (const [name, { shape, data }] of weightsOf(small, 1)) feeds[name] = { shape, data: Float64Array.from(data) };
  const prepared = prepare(film, small.preparation);
  feeds.image = { shape: [1, 1, 40, 24], data: Float64Array.from(prepared.data) };
  const outputs = {
    logits: net.logits,
    features: net.features,
    ...Object.fromEntries(net.attention.map((one) => [one.tap.name, one.tensor])),
  };
  return evaluate(outputs, feeds);
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>) {
  assertEquals(found.length, expected.length);
  for (let i = 0; i < expected.length; i++) assertAlmostEquals(found[i]!, expected[i]!, 2e-5); // float32, two layers
}

let model: Model;
let folder: string;

describe("model.predict()", () => {
  beforeAll(async () => {
    folder = await smallModel();
    model = await loadModel(folder, { provider: "cpu" });
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
  });

  it("gives each class its own probability where the model was trained so", async () => {
    const each = await smallModel(1, { scores: "sigmoid" });
    await using own = await loadModel(each, { provider: "cpu" });
    const { logits, scores } = await own.predict(films[0]!);
    assertClose(Object.values(scores), [...logits].map((z) => 1 / (1 + Math.exp(-z))));
    assertClose(logits, (await model.predict(films[0]!)).logits);
  });

  it("gives the logits, scores and attention of the same network in Float64", async () => {
    for (const film of films) {
      const { logits, scores, attention, features } = await model.predict(film, { attention: true });
      const exact = twin(film);
      assertClose(features, exact.features!.data);
      assertClose(logits, exact.logits!.data);
      const powers = [...exact.logits!.data].map(Math.exp);
      const sum = powers[0]! + powers[1]! + powers[2]!;
      assertEquals(Object.keys(scores), ["normal", "benign", "malignant"]);
      assertClose(Object.values(scores), powers.map((power) => power / sum));
      assertEquals(attention.map(({ name, layer, shape }) => [name, layer, ...shape]), [
        ["attention.0", 0, 2, 16, 16],
        ["attention.1", 1, 2, 16, 16],
      ]);
      for (const { name, data } of attention) assertClose(data, exact[name]!.data);
    }
  });

  it("lays the token grid over the film: its corners are those of the prepared image", async () => {
    const { attention, prepared } = await model.predict(films[0]!, { attention: true });
    const [{ toSource, grid }] = attention as [typeof attention[0]];
    assertEquals([grid.height, grid.width], [5, 3]);
    for (const [x, y] of [[0, 0], [3, 5], [1, 2]] as const) {
      const [onFilm, expected] = [applyMap(toSource, [x, y]), applyMap(prepared.toSource, [8 * x, 8 * y])];
      assertAlmostEquals(onFilm[0], expected[0], 1e-9);
      assertAlmostEquals(onFilm[1], expected[1], 1e-9);
    }
  });

  it("says in every result which model ran, where, whether it was trained, and what is odd about the film", async () => {
    const path = `${folder}/7_L-CC.png`;
    const levels = Uint16Array.from(films[0]!.data, (value) => Math.round(value * 4095));
    await Deno.writeFile(path, encodePng(levels, { height: 80, width: 48 }));
    const { model: name, provider, trained, warnings, attention, prepared } = await model.predict(path);
    assertEquals([name, provider, trained, attention], ["small", "cpu", true, undefined]);
    assertStringIncludes(warnings.join(), "4095");
    assertEquals([prepared.height, prepared.width], [40, 24]);
  });

  it("knows by its type whether attention is there", async () => {
    // @ts-expect-error: attention was not asked for, it may be absent
    const unasked = async () => (await model.predict(films[0]!)).attention.length;
    await assertRejects(unasked, TypeError);
    const asked: number = (await model.predict(films[0]!, { attention: true })).attention.length;
    assertEquals(asked, 2);
  });

  it("gives no score that is no number: it says that the weights are damaged", async () => {
    const damaged = new Map(weightsOf(small, 1));
    damaged.set("norm.bias", { shape: [12], data: new Float32Array(12).fill(NaN) });
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    await saveModel(folder, { definition: small, weights: damaged });
    const model = await loadModel(folder, { provider: "cpu" });
    await assertRejects(() => model.predict(films[0]!), MammolabError, "is no number; its weights are damaged");
    await model[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  });

  it("refuses a prepared image of another size", async () => {
    const { message } = await assertRejects(() => model.predictPrepared([films[0]!]), MammolabError);
    assertEquals(
      message,
      "Cannot run small: the image is 80 × 48 × 1, the network takes 40 × 24 × 1; prepare it first",
    );
    assertEquals(await model.predictPrepared([]), []);
  });

  it("refuses a second channel", async () => {
    const color = imageOf(new Float32Array(12), { height: 2, width: 2, channels: 3 });
    await assertRejects(() => model.predict(color), MammolabError, "3 channels");
  });
});

describe("model.predictAll()", () => {
  beforeAll(async () => {
    folder = await smallModel();
    model = await loadModel(folder, { provider: "cpu" });
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
  });

  const many = Array.from({ length: 7 }, (_, n) => films[n % films.length]!);

  it("gives what predict gives, whatever the size of a batch", async () => {
    for (const batchSize of [1, 2, 3, 8]) {
      const results = await Array.fromAsync(model.predictAll(many, { attention: true, batchSize }));
      assertEquals(results.length, 7);
      for (const [n, result] of results.entries()) {
        assert("prediction" in result);
        const alone = await model.predict(many[n]!, { attention: true });
        assertClose(result.prediction.logits, alone.logits);
        result.prediction.attention.forEach(({ data, shape }, layer) => {
          assertEquals(shape, [2, 16, 16]);
          assertClose(data, alone.attention[layer]!.data);
        });
      }
    }
  });

  it("keeps the order, gives a file that fails as data, and goes on", async () => {
    await Deno.writeTextFile(`${folder}/text.dcm`, "this is no film");
    const given = [films[0]!, `${folder}/text.dcm`, films[1]!, `${folder}/missing.png`, films[2]!];
    const seen: number[] = [];
    const options = { batchSize: 2, onProgress: ({ done }: { done: number }) => seen.push(done) };
    const results: FilmResult<false>[] = await Array.fromAsync(model.predictAll(given, options));
    assertEquals(results.map((result) => "error" in result), [false, true, false, true, false]);
    assertEquals(results.map(({ file }) => file), ["image", given[1], "image", given[3], "image"]);
    for (const result of results) {
      if ("error" in result) {
        assert(result.error instanceof MammolabError && result.error.message.startsWith("Cannot read"));
      }
    }
    assertEquals(seen, [1, 2, 3, 4, 5]);
  });

  it("works when every film fails, or none is given", async () => {
    const results = await Array.fromAsync(model.predictAll([`${folder}/a.png`, `${folder}/b.png`]));
    assertEquals(results.map((result) => "error" in result), [true, true]);
    assertEquals(await Array.fromAsync(model.predictAll([])), []);
  });

  it("ends after an abort with the films that were finished, then throws the reason", async () => {
    const stop = new AbortController();
    const finished: FilmResult<false>[] = [];
    const reason = await assertRejects(async () => {
      for await (const result of model.predictAll(many, { batchSize: 2, signal: stop.signal })) {
        finished.push(result);
        if (finished.length === 2) stop.abort(new Error("enough"));
      }
    }, Error);
    assertEquals(reason.message, "enough");
    assert(finished.length >= 2 && finished.length < many.length, `${finished.length} finished`);
    assert(finished.every((result) => "prediction" in result));
  });

  it("of one film reads nothing after an abort", async () => {
    const path = `${folder}/cut.png`; // read, it would be refused
    await Deno.writeFile(path, encodePng(new Uint16Array(12), { height: 4, width: 3 }).subarray(0, 50));
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => model.predict(path, { signal }), Error, "enough");
  });

  it("refuses one path in place of a list: it would be taken letter by letter", async () => {
    await assertRejects(() => Array.fromAsync(model.predictAll("a.png")), MammolabError, "takes a list of films");
  });

  it("may be left early", async () => {
    for await (const result of model.predictAll(many, { batchSize: 1 })) {
      assert("prediction" in result);
      break;
    }
    assertEquals((await model.predict(films[0]!)).model, "small");
  });

  it("keeps the film only where that was asked for", async () => {
    const path = `${folder}/9_R-MLO.png`;
    await Deno.writeFile(path, encodePng(new Uint16Array(12), { height: 4, width: 3 }));
    const [kept] = await Array.fromAsync(model.predictAll([path], { keepFilm: true }));
    assert(kept && "prediction" in kept);
    assertEquals([kept.film?.image.height, kept.film?.view], [4, "MLO"]);
    const [dropped] = await Array.fromAsync(model.predictAll([path]));
    assert(dropped && "prediction" in dropped && dropped.film === undefined);
  });
});
