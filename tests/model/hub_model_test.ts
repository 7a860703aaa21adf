// deno-lint-ignore-file camelcase -- published fields are data
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { imageOf } from "mammolab/image";
import {
  adaptModel,
  convertToOnnx,
  hubDefinition,
  loadModel,
  type ModelOptions,
  readModel,
  saveModel,
} from "mammolab/model";
import { buildNet, catalogueEntry } from "mammolab/nets";
import { fetchFromHub, initialize, parseHubName, readSafetensorsHeader, writeSafetensors } from "mammolab/weights";
import { damaged } from "../weights/_damaged.ts";
import { commit, serveHub } from "../weights/_hub_server.ts";

const fixtures = new URL("../fixtures/weights/", import.meta.url);
const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sentence(model: string, options: ModelOptions = {}): Promise<string> {
  const { message } = await assertRejects(() => loadModel(model, { provider: "cpu", ...options }), MammolabError);
  assert(/^Cannot [^\n]+: [^\n]+; [^\n]+[^.\s]$/.test(message), message);
  return message;
}

/** A folder as the hub has it, from a fixture of transformers. */
async function huggingFace(name: string, folder: string, changes: Record<string, unknown> = {}) {
  const fixture = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, fixtures)));
  await Deno.copyFile(new URL(`${name}.safetensors`, fixtures), `${folder}/model.safetensors`);
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ ...fixture.config, ...changes }));
  await Deno.writeTextFile(`${folder}/preprocessor_config.json`, JSON.stringify(fixture.preprocessor));
  return fixture;
}

const { spec, normalization } = catalogueEntry("test_vit");
const { parameters } = buildNet(spec, { normalization });

const timmConfig = {
  architecture: "test_vit",
  num_classes: 1000,
  global_pool: "token",
  pretrained_cfg: {
    tag: "r160_in1k",
    input_size: [3, 160, 160],
    interpolation: "bicubic",
    crop_pct: 0.95,
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.25, 0.3],
  },
};

/** A folder as timm's are on the hub, with the numbers of a seed. */
async function timm(folder: string, config: unknown = timmConfig) {
  const values = initialize(parameters, { seed: 4 });
  const tensors = [...parameters].map(([name, shape]) => ({ name, shape, data: values.get(name)! }));
  await writeSafetensors(`${folder}/model.safetensors`, tensors, { metadata: { format: "pt" } });
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
}

describe("loadModel() of a hub's folder", () => {
  for (const name of ["hf_vit", "hf_deit", "hf_deit_teacher"]) {
    it(`gives transformers' logits of ${name} for grey images, its q, k and v written as one matrix once`, () =>
      inFolder(async (folder) => {
        const { image, answerToGrey } = await huggingFace(name, folder);
        await using model = await loadModel(folder, { provider: "cpu", threads: 1, cache: `${folder}/cache` });
        const levels = bytes(image);
        const images = [0, 1].map((i) =>
          imageOf(Float32Array.from(levels.slice(i * 3072, i * 3072 + 1024), (level) => level / 256), {
            height: 32,
            width: 32,
          })
        );
        const logits = (await model.predictPrepared(images)).flatMap((prediction) => [...prediction.logits]);
        const expected = [...new Float32Array(bytes(answerToGrey).buffer)];
        const largest = Math.max(...expected.map(Math.abs));
        assert(expected.every((value, i) => Math.abs(value - logits[i]!) < 1e-5 * largest), `${logits} ${expected}`);
        assertEquals([model.trained, model.classes], [true, ["LABEL_0", "LABEL_1", "LABEL_2"]]);
        assertEquals(model.preparation.resize, { height: 32, width: 32, filter: "bilinear", fit: "pad" });
        const { mtime } = await Deno.stat(`${model.folder}/model.safetensors`);
        await using again = await loadModel(folder, { provider: "cpu", threads: 1, cache: `${folder}/cache` });
        assertEquals((await Deno.stat(`${again.folder}/model.safetensors`)).mtime, mtime);
      }));
  }

  it("points into the file of a timm model, with the sizes and the normalization of its config.json", () =>
    inFolder(async (folder) => {
      await timm(folder);
      await using model = await loadModel(folder, { provider: "cpu", threads: 1 });
      assertEquals([model.folder, model.trained, model.classes.length, model.classes[7]], [
        folder,
        true,
        1000,
        "class 7",
      ]);
      const { mean, std, resize } = model.preparation;
      assertEquals({ mean, std }, { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] });
      assertEquals(resize, { height: 160, width: 160, filter: "bicubic", fit: "pad" });
      const random = seededRandom(1, "image");
      const film = imageOf(Float32Array.from({ length: 160 * 160 }, random.uniform), { height: 160, width: 160 });
      const { definition, weights } = await readModel(folder);
      await saveModel(`${folder}/own`, { definition, weights });
      await using own = await loadModel(`${folder}/own`, { provider: "cpu", threads: 1 });
      const [a] = await model.predictPrepared([film]);
      const [b] = await own.predictPrepared([film]);
      assertEquals(a!.logits, b!.logits);
      const { checked } = await convertToOnnx(folder, `${folder}/model.onnx`);
      assertStringIncludes(checked, "all outputs equal the original's");
    }));

  it("opens what was fetched without network, and names the command for what was not", () =>
    inFolder(async (folder) => {
      const cache = `${folder}/cache`;
      await timm(folder);
      const server = serveHub({
        "model.safetensors": await Deno.readFile(`${folder}/model.safetensors`),
        "config.json": JSON.stringify(timmConfig),
      });
      const hubCaches = [cache];
      assertEquals(
        await sentence("hf:owner/name@v1", { hubCaches }),
        "Cannot open the model hf:owner/name@v1: it is not on this machine; fetch it first: deno task fetch hf:owner/name@v1",
      );
      await fetchFromHub(parseHubName("hf:owner/name"), { endpoint: server.url, cache, userCache: null });
      await server[Symbol.asyncDispose]();
      await using model = await loadModel("hf:owner/name", { provider: "cpu", threads: 1, hubCaches });
      assertEquals([model.name, model.trained], ["owner/name", true]);
      const { definition } = await readModel("hf:owner/name", { hubCaches });
      assertEquals(definition.origin, `hf:owner/name@${commit}`);
      assertStringIncludes(await sentence("hf:owner", { hubCaches }), "it is no model of the hub");
    }));

  const bad: readonly [string, unknown, string][] = [
    ["no JSON", "{", "no JSON"],
    ["another kind of network", { model_type: "bert" }, 'names the network "bert", which is not known here'],
    [
      "a network that is not in the catalogue",
      { ...timmConfig, architecture: "vit_x" },
      '"vit_x" is not in the catalogue',
    ],
    ["a name of every object", { ...timmConfig, architecture: "constructor" }, "is not in the catalogue"],
    [
      "a network of another size",
      { ...timmConfig, architecture: "vit_tiny_patch16_224" },
      "12 layers, its weights have 6",
    ],
    [
      "another image size",
      { ...timmConfig, pretrained_cfg: { input_size: [3, 224, 224] } },
      "pos_embed is [1,101,64], the network needs [1,197,64]",
    ],
    [
      "deviations of zero",
      { ...timmConfig, pretrained_cfg: { mean: [0, 0, 0], std: [0, 1, 1] } },
      "deviations above zero",
    ],
  ];
  for (const [name, config, expected] of bad) {
    it(`refuses a config.json with ${name}`, () =>
      inFolder(async (folder) => {
        await timm(folder, config);
        if (typeof config === "string") await Deno.writeTextFile(`${folder}/config.json`, config);
        assertStringIncludes(await sentence(folder), expected);
      }));
  }

  const strange: readonly [Record<string, unknown>, string][] = [
    [{ hidden_act: "relu" }, 'its activation is "relu"'],
    [{ hidden_size: "many" }, 'hidden_size in its config.json is "many", no number above zero'],
    [{ num_hidden_layers: 1e9 }, "says 1000000000 layers, its weights have 2"],
    [{ patch_size: [8, 4] }, "its patches are 8 × 4"],
    [{ image_size: null, patch_size: "x" }, "patch_size in its config.json is no size"],
    [{ hidden_size: 48 }, "the network needs"],
  ];
  for (const [changes, expected] of strange) {
    it(`refuses a ViT of Hugging Face with ${JSON.stringify(changes)}`, () =>
      inFolder(async (folder) => {
        await huggingFace("hf_vit", folder, changes);
        assertStringIncludes(await sentence(folder, { cache: folder }), expected);
      }));
  }
});

describe("hubDefinition()", () => {
  it("takes the epsilon of the source, and the config's where it says one", () =>
    inFolder(async (folder) => {
      for (const [changes, expected] of [[{}, 1e-12], [{ layer_norm_eps: 1e-5 }, 1e-5]] as const) {
        await huggingFace("hf_vit", folder, changes);
        const { tensors } = await readSafetensorsHeader(`${folder}/model.safetensors`);
        assertEquals((await hubDefinition(folder, tensors)).spec.epsilon, expected);
      }
      await timm(folder);
      const { tensors } = await readSafetensorsHeader(`${folder}/model.safetensors`);
      assertEquals((await hubDefinition(folder, tensors)).spec.epsilon, 1e-6);
    }));
});

describe("hubDefinition() of damaged configurations", () => {
  for (const kind of ["timm", "hf_vit"]) {
    it(`ends in a definition or a sentence for 300 of ${kind}`, () =>
      inFolder(async (folder) => {
        if (kind === "timm") await timm(folder);
        else await huggingFace(kind, folder);
        const { tensors } = await readSafetensorsHeader(`${folder}/model.safetensors`);
        const config = await Deno.readTextFile(`${folder}/config.json`);
        const preprocessor = await Deno.readTextFile(`${folder}/preprocessor_config.json`).catch(() => "{}");
        for (let seed = 0; seed < 300; seed++) {
          await Deno.writeTextFile(`${folder}/config.json`, damaged(config, seed));
          await Deno.writeTextFile(
            `${folder}/preprocessor_config.json`,
            seed % 2 ? preprocessor : damaged(preprocessor, seed),
          );
          try {
            const { spec, classes, preparation } = await hubDefinition(folder, tensors);
            assertEquals(classes.length, spec.classes);
            buildNet(spec, { normalization: preparation });
          } catch (error) {
            assert(error instanceof MammolabError, `${seed}: ${(error as Error).stack}`);
          }
        }
      }));
  }
});

describe("adaptModel()", () => {
  it("makes a published model one for tall grey films of two classes", () =>
    inFolder(async (folder) => {
      await timm(folder);
      const options = {
        classes: ["negative", "malignant"],
        imageSize: { height: 192, width: 96 },
        grey: true,
        seed: 2,
      };
      const adapted = adaptModel(await readModel(folder), options);
      assertEquals(adapted.changes, [
        { kind: "positions", from: { height: 10, width: 10 }, to: { height: 12, width: 6 } },
        { kind: "channels", from: 3, to: 1 },
        { kind: "head", names: ["head.weight", "head.bias"], from: 1000, to: 2 },
      ]);
      await saveModel(`${folder}/own`, adapted);
      await using model = await loadModel(`${folder}/own`, { provider: "cpu", threads: 1 });
      assertEquals([model.preparation.resize.height, model.preparation.channels, model.classes], [
        192,
        1,
        ["negative", "malignant"],
      ]);
    }));
});
