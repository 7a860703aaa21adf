import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { disk, type FileSystem, MammolabError } from "mammolab/base";
import { imageOf } from "mammolab/image";
import { loadModel, readModel, saveModel, untrainedDefinition } from "mammolab/model";
import { readSafetensorsHeader, writeSafetensors } from "mammolab/weights";
import { small, smallModel, weightsOf } from "./_small.ts";

const film = imageOf(Float32Array.from({ length: 960 }, (_, i) => (i % 97) / 97), { height: 40, width: 24 });

async function logitsOf(...[model, options]: Parameters<typeof loadModel>): Promise<number[]> {
  await using opened = await loadModel(model, { provider: "cpu", ...options });
  return [...(await opened.predict(film)).logits];
}

async function sentence(...parameters: Parameters<typeof loadModel>): Promise<string> {
  const { message } = await assertRejects(() => loadModel(...parameters), MammolabError);
  assertEquals(message.includes("\n"), false);
  return message;
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("loadModel()", () => {
  it("makes the weights of an untrained model once, the same for one seed everywhere, and says that it is untrained", () =>
    inFolder(async (cache) => {
      const first = await loadModel("test_vit", { provider: "cpu", seed: 5, cache });
      const { mtime } = await Deno.stat(`${first.folder}/model.safetensors`);
      await first[Symbol.asyncDispose]();
      await using again = await loadModel("test_vit", { provider: "cpu", seed: 5, cache });
      assertEquals((await Deno.stat(`${again.folder}/model.safetensors`)).mtime, mtime);
      const { trained, model } = await again.predict(film);
      assertEquals([again.trained, trained, model], [false, false, "test_vit"]);
      assertEquals(await logitsOf("test_vit", { seed: 5, cache: `${cache}/other` }), [
        ...(await again.predict(film)).logits,
      ]);
      assertNotEquals(await logitsOf("test_vit", { seed: 6, cache }), await logitsOf("test_vit", { seed: 5, cache }));
    }));

  it("names the models that it knows when it is given another name", async () => {
    assertStringIncludes(
      await sentence("vit_hugo"),
      "Cannot open the model vit_hugo: it is neither a folder nor a known",
    );
    assertStringIncludes(await sentence("vit_hugo"), "vit_tiny_patch16_224");
    assertStringIncludes(await sentence("vit_large_patch16_224"), "mammolab does not ship its weights; give a folder");
    assertStringIncludes(await sentence("constructor"), "known are vit-phantom");
  });

  it("says what is wrong with a folder", () =>
    inFolder(async (folder) => {
      assertEquals(
        await sentence(folder),
        `Cannot open the model ${folder}: the folder has no model.safetensors; give the folder that a training, or saveModel, wrote`,
      );
      await saveModel(`${folder}/model`, { definition: small, weights: weightsOf(small, 1) });
      assertStringIncludes(await sentence(folder), `one in its folder model; give ${folder}/model`);
      await Deno.writeTextFile(`${folder}/model.safetensors`, "no weights");
      assertStringIncludes(await sentence(folder), "model.safetensors");
      await saveModel(folder, { definition: small, weights: weightsOf(small, 1) });
      await Deno.writeTextFile(`${folder}/model.json`, "{");
      assertEquals(await sentence(folder), `Cannot read ${folder}/model.json: it is no JSON; save the model again`);
      await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify({ ...small, classes: ["one"] }));
      assertStringIncludes(await sentence(folder), "classes must be 3 names");
      await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify({ ...small, name: "edited" }));
      assertStringIncludes(await sentence(folder), "do not belong together");
      await Deno.remove(`${folder}/model.json`);
      await using opened = await loadModel(folder, { provider: "cpu" });
      assertEquals(opened.name, "small");
    }));

  it("says that a weight is missing or of another shape", () =>
    inFolder(async (folder) => {
      const weights = new Map(weightsOf(small, 1));
      weights.delete("blocks.1.norm1.weight");
      const save = () => saveModel(folder, { definition: small, weights });
      assertStringIncludes((await assertRejects(save, MammolabError)).message, "they lack blocks.1.norm1.weight");
      weights.set("blocks.1.norm1.weight", { shape: [11], data: new Float32Array(11) });
      assertStringIncludes(
        (await assertRejects(save, MammolabError)).message,
        "blocks.1.norm1.weight is [11], the network",
      );
    }));

  it("reads numbers to go on from, and says which names in the file the network does not know", () =>
    inFolder(async (folder) => {
      const weights = weightsOf(small, 1);
      await saveModel(folder, { definition: small, weights });
      assertEquals((await readModel(folder)).unused, []);
      const file = `${folder}/model.safetensors`;
      const { metadata } = await readSafetensorsHeader(file);
      const more = [...weights, ["pool.weight", { shape: [1], data: Float32Array.of(1) }] as const];
      const tensors = more.map(([name, tensor]) => ({ name, ...tensor }));
      await writeSafetensors(file, tensors, { metadata: Object.fromEntries(metadata) });
      const read = await readModel(folder);
      assertEquals(read.unused, ["pool.weight"]);
      assertEquals([...read.weights.keys()].sort(), [...weights.keys()].sort());
    }));

  it("opens weights through a link into another folder, as the cache of Hugging Face lays them", () =>
    inFolder(async (folder) => {
      const blobs = await smallModel();
      await Deno.mkdir(`${folder}/snapshot`);
      await Deno.symlink(`${blobs}/model.safetensors`, `${folder}/snapshot/model.safetensors`);
      await Deno.copyFile(`${blobs}/model.json`, `${folder}/snapshot/model.json`);
      assertEquals(await logitsOf(`${folder}/snapshot`), await logitsOf(blobs));
    }));
});

describe("saveModel()", () => {
  it("keeps every number in F32, and in F16 half of the bytes and three digits", () =>
    inFolder(async (folder) => {
      const weights = weightsOf(small, 1);
      await saveModel(`${folder}/f32`, { definition: small, weights });
      await saveModel(`${folder}/f16`, { definition: small, weights }, { type: "F16" });
      const [wide, half] = [await logitsOf(`${folder}/f32`), await logitsOf(`${folder}/f16`)];
      wide.forEach((value, i) => assert(Math.abs(value - half[i]!) < 5e-2 && value !== half[i]));
      const size = async (kind: string) => {
        const { tensors } = await readSafetensorsHeader(`${folder}/${kind}/model.safetensors`);
        return [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
      };
      assertEquals(await size("f32"), 2 * await size("f16"));
    }));

  it("takes numbers without shapes, as a training and initialize give them, and says which do not fit", () =>
    inFolder(async (folder) => {
      const weights = weightsOf(small, 1);
      const plain = Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
      await saveModel(`${folder}/shaped`, { definition: small, weights });
      for (const numbers of [plain, new Map(Object.entries(plain))]) {
        await saveModel(`${folder}/plain`, { definition: small, weights: numbers });
        assertEquals(await logitsOf(`${folder}/plain`), await logitsOf(`${folder}/shaped`));
      }
      const short = { ...plain, "norm.weight": plain["norm.weight"]!.subarray(1) };
      await assertRejects(
        () => saveModel(`${folder}/plain`, { definition: small, weights: short }),
        MammolabError,
        "norm.weight",
      );
    }));

  it("refuses a definition that could not be opened again, before anything is written", () =>
    inFolder(async (folder) => {
      const weights = weightsOf(small, 1);
      const resize = { ...small.preparation.resize, height: 8 };
      const odd = [
        [{ ...small, classes: ["one", "two"] }, "classes must be 3 names"],
        [{ ...small, preparation: { ...small.preparation, resize } }, "preparation.resize is not the size"],
      ] as const;
      for (const [definition, reason] of odd) {
        await assertRejects(() => saveModel(`${folder}/odd`, { definition, weights }), MammolabError, reason);
      }
      await assertRejects(() => Deno.stat(`${folder}/odd`), Deno.errors.NotFound);
    }));

  it("leaves the old model, the new one, or a sentence with the way out, wherever the disk fails", () =>
    inFolder(async (folder) => {
      const [old, fresh] = [{ ...small, origin: "old" }, { ...small, origin: "new" }];
      const content = async () => {
        const texts = ["model.safetensors", "model.json"].map((name) => Deno.readTextFile(`${folder}/${name}`));
        return (await Promise.all(texts)).map((text) => text.includes("new")); // both files hold the definition
      };
      const outcomes = new Set<string>();
      let saved = false;
      for (let n = 1; !saved; n++) {
        await saveModel(folder, { definition: old, weights: weightsOf(old, 1) });
        saved = await saveModel(folder, { definition: fresh, weights: weightsOf(fresh, 2) }, { fileSystem: failing(n) })
          .then(() => true, () => false);
        const [weights, json] = await content();
        outcomes.add(`${weights ? "new" : "old"} weights, ${json ? "new" : "old"} model.json`);
        assertEquals(json && !saved, false);
        const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
        assertEquals(left, ["model.json", "model.safetensors"]);
        if (weights && !json) {
          assertStringIncludes(await sentence(folder), "delete model.json to take what the weights say");
          await Deno.remove(`${folder}/model.json`);
          if (outcomes.size === 2) assertEquals(await logitsOf(folder), await logitsOf(await smallModel(2)));
        }
      }
      assertEquals([...outcomes], [
        "old weights, old model.json",
        "new weights, old model.json",
        "new weights, new model.json",
      ]);
    }));
});

describe("untrainedDefinition()", () => {
  it("takes the network's size as the size of the prepared film", () => {
    const { preparation, spec } = untrainedDefinition("vit_tiny_patch16_384", { seed: 1, classes: ["a", "b", "c"] });
    assertEquals([preparation.resize.height, preparation.channels, spec.classes], [384, 3, 3]);
  });
});

/** A disk whose n-th call fails; writes leave half of their bytes. */
function failing(n: number): FileSystem {
  let calls = 0;
  const call = async <T>(work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (++calls !== n) return await work();
    await half?.();
    throw new Error("No space left on device (os error 28)");
  };
  return {
    open: (path) =>
      call(async () => {
        const file = await disk.open(path);
        return {
          write: (bytes) => call(() => file.write(bytes), () => file.write(bytes.subarray(0, bytes.length >> 1))),
          sync: () => call(file.sync),
          close: file.close,
        };
      }),
    rename: (from, to) => call(() => disk.rename(from, to)),
    remove: (path) => disk.remove(path),
  };
}
