import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import ort from "onnxruntime-node";
import { evaluate, type Tensor, toOnnx, type Value } from "mammolab/graph";
import { buildNet, type Net, type NetSpec, vitDefaults } from "mammolab/nets";
import { readSafetensors, readSafetensorsHeader } from "mammolab/weights";

// fixtures/vit/make.py: timm in PyTorch, random weights, float32
const folder = new URL("../fixtures/vit/", import.meta.url);
const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text: string) => new Float32Array(bytes(text).buffer);

type Fixture = {
  readonly timm: string;
  readonly torch: string;
  readonly spec: Partial<NetSpec> & Pick<NetSpec, "dim" | "depth" | "heads" | "channels" | "imageSize">;
  readonly image: string;
  readonly logits: string;
  readonly attention: readonly string[];
};

async function load(name: string): Promise<{ fixture: Fixture; net: Net; outputs: Record<string, Tensor> }> {
  const fixture: Fixture = JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, folder)));
  const spec = { ...vitDefaults, ...fixture.spec };
  const net = buildNet(spec, { normalization: { mean: [0], std: [1] }, inputChannels: spec.channels });
  return { fixture, net, outputs: { logits: net.logits, ...attentionOf(net) } };
}
const attentionOf = (net: Net) => Object.fromEntries(net.attention.map(({ tap, tensor }) => [tap.name, tensor]));

/** Largest difference over the largest expected value. */
function relative(actual: ArrayLike<number>, expected: Float32Array): number {
  assertEquals(actual.length, expected.length);
  const largest = expected.reduce((top, x) => Math.max(top, Math.abs(x)), 0);
  return expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - actual[i]!)), 0) / largest;
}

const names = ["class_token", "tall_grey", "average", "registers", "no_qkv_bias", "distilled", "stem_max"];

describe("vit()", () => {
  for (const name of names) {
    it(`equals timm on ${name}: logits and every attention map, in Float64 and in ONNX Runtime`, async () => {
      const { fixture, net, outputs } = await load(name);
      const path = new URL(`${name}.safetensors`, folder).pathname;
      const weights = await readSafetensors(path);
      assertEquals([...net.parameters.keys()].sort(), [...weights.keys()].sort());
      for (const [key, shape] of net.parameters) assertEquals([...shape], [...weights.get(key)!.shape], key);

      const image = Float32Array.from(bytes(fixture.image), (level) => level / 256);
      const { channels, imageSize: { height, width } } = fixture.spec;
      const shape = [2, channels, height, width];
      const feeds: Record<string, Value> = { image: { shape, data: Float64Array.from(image) } };
      for (const [key, { shape, data }] of weights) feeds[key] = { shape, data: Float64Array.from(data) };
      const exact = evaluate(outputs, feeds);

      const { tensors } = await readSafetensorsHeader(path);
      const places = new Map(
        [...tensors].map(([key, { type, offset, length }]) =>
          [key, { location: `${name}.safetensors`, offset, length, type: type as "F32" }] as const
        ),
      );
      const session = await ort.InferenceSession.create(toOnnx(outputs, { weights: { places } }), {
        logSeverityLevel: 3,
        intraOpNumThreads: 1,
        extra: { session: { model_external_initializers_file_folder_path: folder.pathname } },
      });
      const results = await session.run({ image: new ort.Tensor("float32", image, shape) });
      await session.release();

      const expected = {
        logits: fixture.logits,
        ...Object.fromEntries(fixture.attention.map((map, i) => [`attention.${i}`, map])),
      };
      for (const [key, text] of Object.entries(expected)) {
        assert(
          relative(exact[key]!.data, floats(text)) < 1e-5,
          `${key} in Float64: ${relative(exact[key]!.data, floats(text))}`,
        );
        const data = results[key]!.data as Float32Array;
        assert(relative(data, floats(text)) < 1e-5, `${key} in ONNX Runtime: ${relative(data, floats(text))}`);
      }
    });
  }
});
