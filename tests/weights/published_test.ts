import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import ort from "onnxruntime-node";
import { MammolabError } from "mammolab/base";
import { evaluate, toOnnx } from "mammolab/graph";
import { buildNet, catalogueEntry, type NetSpec, vitDefaults } from "mammolab/nets";
import {
  compareWeights,
  publishedNames,
  publishedShapes,
  readPublished,
  readSafetensorsHeader,
} from "mammolab/weights";

const folder = new URL("../fixtures/weights/", import.meta.url);
const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

type Fixture = {
  readonly config: Record<string, number | boolean>;
  /** The name in the file → transformers 5's name in memory. */
  readonly namesInMemory: Record<string, string>;
  readonly image: string;
  readonly answer: string;
};
const fixture = async (name: string): Promise<Fixture> =>
  JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, folder)));

const differences: Readonly<Record<string, Partial<NetSpec> & { readonly depth: number }>> = {
  "hf_vit": { depth: 2 },
  "hf_vit_base": { depth: 1, channels: 1, qkvBias: false, classes: 0 },
  "hf_deit": { depth: 1, registers: 1 },
  "hf_deit_teacher": { depth: 1, distilled: true },
};

/** Our network of a fixture, and the numbers of its file under our names. */
async function open(name: string) {
  const path = new URL(`${name}.safetensors`, folder).pathname;
  const { tensors } = await readSafetensorsHeader(path);
  const names = publishedNames(tensors.keys());
  const spec: NetSpec = {
    ...vitDefaults,
    imageSize: { height: 32, width: 32 },
    ...{ patchSize: 8, dim: 24, heads: 3, mlpRatio: 2, classes: 3 },
    epsilon: names.epsilon,
    ...differences[name]!,
  };
  const net = buildNet(spec, { normalization: { mean: [0], std: [1] }, inputChannels: spec.channels });
  return { path, tensors, names, net, spec };
}

describe("publishedNames()", () => {
  for (const name of Object.keys(differences)) {
    it(`gives the network of ${name} the numbers with which it equals transformers, in Float64 and ONNX Runtime`, async () => {
      const { image, answer } = await fixture(name);
      const { path, tensors, names, net, spec } = await open(name);
      assertEquals([names.source, names.epsilon], ["Hugging Face", 1e-12]);
      const report = compareWeights(net.parameters, publishedShapes(names, tensors));
      assertEquals(report, { missing: [], unexpected: [], misfits: [] });
      assertEquals(names.leftOut, name === "hf_vit_base" ? ["pooler.dense.bias", "pooler.dense.weight"] : []);
      const weights = await readPublished(path, names, net.parameters.keys());
      const pixels = {
        shape: [2, spec.channels, 32, 32],
        data: Float64Array.from(bytes(image), (level) => level / 256),
      };
      const expected = new Float32Array(bytes(answer).buffer);
      const close = (actual: ArrayLike<number>, where: string) => {
        assertEquals(actual.length, expected.length);
        const largest = Math.max(...expected.map(Math.abs));
        const worst = Math.max(...expected.map((x, i) => Math.abs(x - actual[i]!)));
        assert(worst < 1e-5 * largest, `${where}: ${worst} of ${largest}`);
      };
      const inFull = [...weights].map(([key, { shape, data }]) => [key, { shape, data: Float64Array.from(data) }]);
      const exact = evaluate({ logits: net.logits }, { image: pixels, ...Object.fromEntries(inFull) });
      close(exact.logits!.data, "Float64");

      const values = new Map(
        [...weights].map(([key, { data }]) =>
          [key, { type: "F32" as const, bytes: new Uint8Array(data.buffer) }] as const
        ),
      );
      const session = await ort.InferenceSession.create(toOnnx({ logits: net.logits }, { weights: { values } }), {
        logSeverityLevel: 3,
        intraOpNumThreads: 1,
      });
      const tensor = new ort.Tensor("float32", Float32Array.from(pixels.data), pixels.shape);
      const { logits } = await session.run({ image: tensor });
      await session.release();
      close(logits!.data as Float32Array, "ONNX Runtime");
    });

    it(`finds the same parameters of ${name} under the names of transformers 4 and 5`, async () => {
      const { namesInMemory } = await fixture(name);
      const old = publishedNames(Object.keys(namesInMemory));
      const today = publishedNames(Object.values(namesInMemory));
      assertEquals(today.source, "Hugging Face");
      assertEquals(
        new Map([...old.parts].map(([own, parts]) => [own, parts.map((part) => namesInMemory[part]!)])),
        new Map([...old.parts.keys()].map((own) => [own, today.parts.get(own)!])),
      );
      assertEquals(today.parts.size, old.parts.size);
      assertEquals(today.leftOut.length, old.leftOut.length);
    });
  }

  it("leaves timm's names alone, and unknown ones for the report", async () => {
    const { net } = await open("hf_vit");
    const names = publishedNames([...net.parameters.keys(), "extra.weight", "mask_token"]);
    assertEquals([names.source, names.epsilon, names.leftOut], ["timm", 1e-6, ["mask_token"]]);
    const found = new Map([...names.parts].map(([name]) => [name, { shape: net.parameters.get(name) ?? [1] }]));
    assertEquals(compareWeights(net.parameters, found), { missing: [], unexpected: ["extra.weight"], misfits: [] });
  });

  it("finds all of torchvision's vit_b_16, old and new names of its MLP", () => {
    const { spec, normalization } = catalogueEntry("vit_base_patch16_224");
    const { parameters } = buildNet(spec, { normalization });
    const both = ["weight", "bias"];
    for (const [first, second] of [["0", "3"], ["linear_1", "linear_2"]]) {
      const layers = Array.from({ length: 12 }, (_, n) => `encoder.layers.encoder_layer_${n}`).flatMap((layer) => [
        `${layer}.self_attention.in_proj_weight`,
        `${layer}.self_attention.in_proj_bias`,
        ...["ln_1", "ln_2", "self_attention.out_proj", `mlp.${first}`, `mlp.${second}`].flatMap((part) =>
          both.map((kind) => `${layer}.${part}.${kind}`)
        ),
      ]);
      const others = ["conv_proj", "encoder.ln", "heads.head"].flatMap((part) => both.map((kind) => `${part}.${kind}`));
      const names = publishedNames(["class_token", "encoder.pos_embedding", ...layers, ...others]);
      assertEquals([names.source, names.epsilon], ["torchvision", 1e-6]);
      assertEquals([...names.parts.keys()].sort(), [...parameters.keys()].sort());
    }
  });

  it("reports a query without its key and value as a missing qkv", async () => {
    const { net, names: { parts } } = await open("hf_vit");
    const all = [...parts.values()].flat().filter((name) => !name.endsWith("layer.1.attention.attention.key.bias"));
    const { missing, unexpected } = compareWeights(
      net.parameters,
      new Map([...publishedNames(all).parts].map(([name]) => [name, { shape: net.parameters.get(name) ?? [1] }])),
    );
    assertEquals(missing, ["blocks.1.attn.qkv.bias"]);
    assertEquals(unexpected.length, 2);
  });

  it("refuses three matrices that do not make one, and says what a file lacks", async () => {
    const parts = new Map([["blocks.0.attn.qkv.weight", ["q", "k", "v"]]]);
    const names = { source: "Hugging Face" as const, epsilon: 1e-12, parts, leftOut: [] };
    const shapes = new Map([["q", { shape: [4, 4] }], ["k", { shape: [4, 3] }], ["v", { shape: [4, 4] }]]);
    assertThrows(() => publishedShapes(names, shapes), MammolabError, "q is [4,4] and k is [4,3]");
    const { path, names: hf } = await open("hf_vit");
    await assertRejects(() => readPublished(path, hf, ["norm.gone"]), MammolabError, "it has no tensor norm.gone");
  });
});
