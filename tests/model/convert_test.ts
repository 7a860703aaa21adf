import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { disk, type FileSystem, MammolabError, seededRandom } from "mammolab/base";
import { openSession } from "mammolab/engine";
import { imageOf } from "mammolab/image";
import { convertToOnnx, convertToSafetensors, loadModel, saveModel } from "mammolab/model";
import { readRawSafetensors } from "mammolab/weights";
import { small, smallModel, weightsOf } from "./_small.ts";

const film = imageOf(Float32Array.from({ length: 960 }, (_, i) => (i % 97) / 97), { height: 40, width: 24 });
const fixture = new URL("../fixtures/vit/class_token.safetensors", import.meta.url).pathname;
const foreign = new URL("../fixtures/engine/softmax.onnx", import.meta.url).pathname; // by the onnx package of Python

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
async function sentence(work: () => Promise<unknown>): Promise<string> {
  const { message } = await assertRejects(work, MammolabError);
  assertEquals(message.includes("\n"), false);
  return message;
}
/** A disk whose call n fails. */
function failing(n: number): FileSystem {
  const count = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) => {
    if (--n === 0) throw new Deno.errors.PermissionDenied("planned");
    return call(...args);
  };
  return {
    open: count(async (path) => {
      const file = await disk.open(path);
      return { ...file, write: count(file.write), sync: count(file.sync) };
    }),
    rename: count(disk.rename),
    remove: disk.remove,
  };
}

describe("convertToOnnx()", () => {
  it("writes one file that predicts what the model predicts, attention too, wherever it is moved", () =>
    inFolder(async (folder) => {
      const source = await smallModel();
      const { parameters, opset, bytes, checked } = await convertToOnnx(source, `${folder}/sub/small.onnx`);
      await using model = await loadModel(source, { provider: "cpu" });
      const { logits, attention } = await model.predict(film, { attention: true });

      await using session = await openSession({ model: `${folder}/sub/small.onnx`, provider: "cpu" });
      const { outputs } = await session.run({ image: { data: film.data, shape: [1, 1, 40, 24] } });
      assertEquals([...outputs.logits!.data as Float32Array], [...logits]);
      assertEquals(outputs["attention.1"]!.data, attention[1]!.data);
      assertEquals(parameters, [...weightsOf(small, 1).values()].reduce((sum, { data }) => sum + data.length, 0));
      assertEquals([opset, bytes], [20, (await Deno.stat(`${folder}/sub/small.onnx`)).size]);
      assertStringIncludes(checked, "runs in ONNX Runtime");
    }));

  it("leaves the weights where they are when asked, and says where the model then may lie", () =>
    inFolder(async (folder) => {
      const source = await smallModel();
      const { bytes } = await convertToOnnx(source, `${source}/small.onnx`, { beside: true });
      assert(bytes < 20_000);
      const message = await sentence(() => convertToOnnx(source, `${folder}/small.onnx`, { beside: true }));
      assertStringIncludes(message, `write the model to ${source}`);
    }));

  it("says that weights are damaged that give no number", () =>
    inFolder(async (folder) => {
      const damaged = new Map(weightsOf(small, 1));
      damaged.set("norm.bias", { shape: [12], data: new Float32Array(12).fill(NaN) });
      await saveModel(folder, { definition: small, weights: damaged });
      assertStringIncludes(
        await sentence(() => convertToOnnx(folder, `${folder}/x.onnx`)),
        `its answer is no number; take other weights than those of ${folder}/model.safetensors`,
      );
    }));

  it("asks for the network where the weights do not say it, and refuses a wrong or a needless one", () =>
    inFolder(async (folder) => {
      const [out, source] = [`${folder}/a.onnx`, await smallModel()];
      assertStringIncludes(await sentence(() => convertToOnnx(fixture, out)), "name one of the catalogue");
      assertStringIncludes(
        await sentence(() => convertToOnnx(fixture, out, { network: "test_vit" })),
        "choose the network that they were made for",
      );
      assertStringIncludes(
        await sentence(() => convertToOnnx(fixture, out, { network: "vit_hugo" })),
        "not in the catalogue",
      );
      assertStringIncludes(
        await sentence(() => convertToOnnx(source, out, { network: "test_vit" })),
        "leave --network out",
      );
      assertStringIncludes(await sentence(() => convertToOnnx(`${folder}/none`, out)), "there is no such file");
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    }));
});

describe("convertToSafetensors()", () => {
  for (const type of ["F32", "F16"] as const) {
    for (const beside of [false, true]) {
      it(`gives every ${type} tensor back with the same bytes, weights ${beside ? "beside" : "inside"} the model`, () =>
        inFolder(async (folder) => {
          await saveModel(folder, { definition: small, weights: weightsOf(small, 1) }, { type });
          await convertToOnnx(folder, `${folder}/small.onnx`, { beside });
          await convertToSafetensors(`${folder}/small.onnx`, `${folder}/again/model.safetensors`);
          const [before, after] = [
            await readRawSafetensors(`${folder}/model.safetensors`),
            await readRawSafetensors(`${folder}/again/model.safetensors`),
          ];
          assertEquals([...after.keys()], [...before.keys()]);
          for (const [name, tensor] of before) assertEquals(after.get(name), tensor, name);
          await using model = await loadModel(`${folder}/again`, { provider: "cpu" }); // the file is a whole model
          assertEquals([model.name, model.classes], [small.name, small.classes]);
        }));
    }
  }

  it("gives every tensor of a network with a stem of convolutions back with the same bytes", () =>
    inFolder(async (folder) => {
      const stemmed = { ...small, spec: { ...small.spec, stem: [4, 6], pool: "max" as const } };
      const weights = weightsOf(stemmed, 1);
      for (const type of ["F32", "F16"] as const) {
        await saveModel(folder, { definition: stemmed, weights }, { type });
        await convertToOnnx(folder, `${folder}/stemmed.onnx`);
        await convertToSafetensors(`${folder}/stemmed.onnx`, `${folder}/again/model.safetensors`);
        const [before, after] = [
          await readRawSafetensors(`${folder}/model.safetensors`),
          await readRawSafetensors(`${folder}/again/model.safetensors`),
        ];
        assert(before.has("patch_embed.stem.1.weight"));
        assertEquals(after, before);
        await using model = await loadModel(folder, { provider: "cpu" });
        await using again = await loadModel(`${folder}/again`, { provider: "cpu" });
        assertEquals((await again.predict(film)).logits, (await model.predict(film)).logits);
      }
    }));

  it("refuses an ONNX model of somebody else, and one whose weights lie outside its folder", () =>
    inFolder(async (folder) => {
      assertStringIncludes(
        await sentence(() => convertToSafetensors(foreign, `${folder}/a.safetensors`)),
        "not by mammolab",
      );
      await saveModel(folder, { definition: small, weights: weightsOf(small, 1) });
      await convertToOnnx(folder, `${folder}/small.onnx`, { beside: true });
      const bytes = await Deno.readFile(`${folder}/small.onnx`);
      const [inside, outside] = ["model.safetensors", "../../etc/passwd."].map((text) =>
        new TextEncoder().encode(text)
      );
      for (let at = 0; at < bytes.length; at++) { // as many letters: still a valid message
        if (inside!.every((byte, i) => bytes[at + i] === byte)) bytes.set(outside!, at);
      }
      await Deno.writeFile(`${folder}/small.onnx`, bytes);
      const message = await sentence(() => convertToSafetensors(`${folder}/small.onnx`, `${folder}/a.safetensors`));
      assertStringIncludes(message, "outside its folder");
    }));

  it("ends in the right bytes or one sentence for 40 damaged models", () =>
    inFolder(async (folder) => {
      await saveModel(folder, { definition: small, weights: weightsOf(small, 1) });
      await convertToOnnx(folder, `${folder}/small.onnx`, { beside: true });
      const model = await Deno.readFile(`${folder}/small.onnx`);
      for (let seed = 0; seed < 40; seed++) {
        const random = seededRandom(seed, "damage");
        const bytes = model.slice(0, random.integer(4) === 0 ? random.integer(model.length) : model.length);
        for (let n = random.integer(3); n >= 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
        await Deno.writeFile(`${folder}/damaged.onnx`, bytes);
        try {
          await convertToSafetensors(`${folder}/damaged.onnx`, `${folder}/damaged.safetensors`);
        } catch (error) {
          assert(error instanceof MammolabError, `${(error as Error).stack}`);
          assertEquals(error.message.includes("\n"), false);
        }
      }
    }));

  it("leaves no half file, wherever the disk fails", () =>
    inFolder(async (folder) => {
      await saveModel(folder, { definition: small, weights: weightsOf(small, 1) });
      await convertToOnnx(folder, `${folder}/small.onnx`);
      const [onnx, weights] = [await Deno.readFile(`${folder}/small.onnx`), `${folder}/out.safetensors`];
      const names = async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      const before = await names();
      let failures = 0;
      for (let n = 1;; n++) {
        const fileSystem = failing(n);
        const done = await convertToOnnx(folder, `${folder}/small.onnx`, { fileSystem }).then(() => true, () => false);
        assertEquals(await Deno.readFile(`${folder}/small.onnx`), onnx);
        assertEquals(await names(), before);
        if (done) break;
        failures++;
      }
      for (let n = 1;; n += 7) {
        const fileSystem = failing(n);
        const done = await convertToSafetensors(`${folder}/small.onnx`, weights, { fileSystem })
          .then(() => true, () => false);
        if (done) break;
        assertEquals(await names(), before);
        failures++;
      }
      assert(failures >= 8, `${failures}`);
    }));
});
