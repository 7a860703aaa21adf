import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { buildNet, catalogueEntry } from "mammolab/nets";
import {
  compareWeights,
  initialize,
  parseHeader,
  readRawSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  requireFit,
  safetensorsChunks,
  writeSafetensors,
} from "mammolab/weights";

const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const tensors = [
  { name: "a.weight", shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 65504, 1e-8, 3) },
  { name: "b", shape: [], data: Float32Array.of(7) },
  { name: "empty", shape: [0], data: new Float32Array() },
];
const bytesOf = (chunks: Iterable<Uint8Array>) => {
  const parts = [...chunks];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
/** A file with this JSON as its header and so many bytes of data. */
const file = async (json: unknown, data: number) => {
  const header = new TextEncoder().encode(typeof json === "string" ? json : JSON.stringify(json));
  const bytes = new Uint8Array(8 + header.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  const path = `${folder}/bad.safetensors`;
  await Deno.writeFile(path, bytes);
  return path;
};

describe("writeSafetensors()", () => {
  it("is read back exactly, with its metadata, data aligned to 8 bytes", async () => {
    const path = `${folder}/there.safetensors`;
    await writeSafetensors(path, tensors, { metadata: { format: "mammolab", "ü": "é" } });
    const header = await readSafetensorsHeader(path);
    assertEquals(Object.fromEntries(header.metadata), { format: "mammolab", "ü": "é" });
    assertEquals(header.tensors.get("a.weight")!.offset % 8, 0);
    for (const { name, shape, data } of tensors) {
      const back = (await readSafetensors(path)).get(name)!;
      assertEquals([back.shape, back.data], [shape, data]);
    }
  });
  it("rounds to half precision where asked, to nearest even", async () => {
    const path = `${folder}/half.safetensors`;
    await writeSafetensors(path, tensors, { type: "F16" });
    assertEquals((await readSafetensors(path)).get("a.weight")!.data, Float32Array.of(1, -2, 0.5, 65504, 0, 3));
  });
  it("refuses half precision for a number that it would make infinite, and leaves the file that was there", async () => {
    const path = `${folder}/large.safetensors`;
    await writeSafetensors(path, tensors, { type: "F16" });
    const before = await Deno.readFile(path);
    const large = [...tensors, { name: "c", shape: [2], data: Float32Array.of(1, 65536) }];
    const sentence = "Cannot write c in 16 bits: it holds 65536, the largest is 65504";
    await assertRejects(() => writeSafetensors(path, large, { type: "F16" }), MammolabError, sentence);
    assertEquals(await Deno.readFile(path), before);
    await writeSafetensors(path, large);
  });
  it("writes raw bytes of any type as they are", async () => {
    const path = `${folder}/raw.safetensors`;
    const raw = [
      { name: "half", shape: [3], type: "BF16", bytes: Uint8Array.of(1, 2, 3, 4, 255, 127) }, // the last is a NaN
      { name: "counts", shape: [1], type: "I64", bytes: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 128) },
    ] as const;
    await writeSafetensors(path, [...raw, ...tensors], { type: "F16" });
    const back = await readRawSafetensors(path);
    for (const { name, ...tensor } of raw) assertEquals(back.get(name), tensor);
    assertEquals(back.get("b")!.type, "F16");
    assertEquals([...back.keys()], ["half", "counts", "a.weight", "b", "empty"]);
  });
  it("reads what PyTorch's library wrote", async () => {
    const path = new URL("../fixtures/vit/class_token.safetensors", import.meta.url).pathname;
    assertEquals((await readSafetensors(path, ["cls_token"])).get("cls_token")!.shape, [1, 1, 24]);
  });
});

describe("readSafetensorsHeader()", () => {
  const entry = (from: number, to: number, shape = [(to - from) / 4], dtype = "F32") => ({
    dtype,
    shape,
    data_offsets: [from, to],
  });
  const cases: readonly [string, unknown, number, string][] = [
    ["overlapping tensors", { a: entry(0, 8), b: entry(4, 12) }, 12, "overlap"],
    ["a hole between tensors", { a: entry(0, 4), b: entry(8, 12) }, 12, "hole"],
    ["data after the last tensor", { a: entry(0, 4) }, 8, "end at byte"],
    ["offsets beyond the file", { a: entry(0, 400) }, 8, "end at byte"],
    ["a shape that does not fit its bytes", { a: entry(0, 8, [3]) }, 8, "its shape [3] needs 12"],
    ["a product of sizes beyond all numbers", { a: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8, "needs"],
    ["negative sizes", { a: entry(0, 8, [-2]) }, 8, "damaged"],
    ["an unknown number type", { a: entry(0, 8, [2], "F4") }, 8, "number type"],
    ["a header that is no JSON", "{ a:", 0, "no JSON"],
    ["a header that is a list", [], 0, "no JSON object"],
    ["metadata that is null", { __metadata__: null }, 0, "metadata is no JSON object"],
    ["metadata that is no object", { __metadata__: "ab" }, 0, "metadata is no JSON object"],
    ["metadata that is no text", { __metadata__: { a: 1 } }, 0, "no text"],
  ];
  for (const [name, json, data, message] of cases) {
    it(`refuses ${name}`, async () => {
      const path = await file(json, data);
      await assertRejects(() => readSafetensorsHeader(path), MammolabError, message);
    });
  }
  it("names the whole path of a file that is damaged or none", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    await assertRejects(() => readSafetensorsHeader(folder), MammolabError, `the weights ${folder}: it is no file`);
    await Deno.writeTextFile(`${folder}/a`, "");
    await assertRejects(() => readSafetensorsHeader(`${folder}/a`), MammolabError, `${folder}/a: it ends too early`);
    await Deno.remove(folder, { recursive: true });
  });
  it("refuses a header longer than the file without allocating it", async () => {
    const path = `${folder}/long.safetensors`;
    await Deno.writeFile(path, new Uint8Array([255, 255, 255, 255, 255, 255, 255, 127, 1, 2]));
    await assertRejects(() => readSafetensorsHeader(path), MammolabError, "header claims");
    await assertRejects(() => readSafetensorsHeader(`${folder}/none`), MammolabError, "no such file");
  });
  it("ends in a header or one sentence for 1,000 damaged files", () => {
    const whole = bytesOf(safetensorsChunks(tensors, { metadata: { x: "y" } }));
    const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
    for (let seed = 0; seed < 1000; seed++) {
      const random = seededRandom(seed, "damage");
      const bytes = whole.slice(8, 8 + length);
      for (let n = random.integer(3); n >= 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
      try {
        const header = parseHeader(bytes, whole.length, "damaged");
        for (const { offset, length: own } of header.tensors.values()) assert(offset + own <= whole.length);
      } catch (error) {
        assert(error instanceof MammolabError, `${(error as Error).stack}`);
      }
    }
  });
});

describe("compareWeights()", () => {
  it("reports what is missing, unexpected and of another shape", () => {
    const needed = new Map([["a", [2]], ["b", [3]], ["c", [1]]]);
    const found = new Map([["a", { shape: [2] }], ["b", { shape: [4] }], ["d", { shape: [1] }], [
      "x.num_batches_tracked",
      { shape: [] },
    ]]);
    const report = compareWeights(needed, found);
    assertEquals(report, { missing: ["c"], unexpected: ["d"], misfits: [{ name: "b", needed: [3], found: [4] }] });
    assertThrows(() => requireFit(report, "w"), MammolabError, "they lack c");
    assertThrows(() => requireFit({ ...report, missing: [] }, "w"), MammolabError, "b is [4], the network needs [3]");
  });
});

describe("initialize()", () => {
  const { spec, normalization } = catalogueEntry("test_vit");
  const { parameters } = buildNet(spec, { normalization });
  it("draws as timm does: deviations, ones and zeros", () => {
    const values = initialize(parameters, { seed: 1 });
    const deviation = (name: string) =>
      Math.sqrt(values.get(name)!.reduce((sum, x) => sum + x * x, 0) / values.get(name)!.length);
    assert(Math.abs(deviation("blocks.0.attn.qkv.weight") - 0.02) < 0.001);
    assert(Math.abs(deviation("pos_embed") - 0.02) < 0.001);
    assert(deviation("cls_token") < 2e-6);
    assertEquals(
      [values.get("norm.weight")![5], values.get("blocks.3.norm1.weight")![0], values.get("head.bias")![0]],
      [1, 1, 0],
    );
    const kernel = values.get("patch_embed.proj.weight")!;
    assert(Math.max(...kernel) <= 1 / Math.sqrt(3 * 256) && Math.max(...kernel) > 0.9 / Math.sqrt(3 * 256));
  });
  it("draws DeiT's second token like a matrix, and the bias of the patches like their kernel", () => {
    const deit = catalogueEntry("deit_tiny_distilled_patch16_224");
    const values = initialize(buildNet(deit.spec, deit).parameters, { seed: 1 });
    const largest = (name: string) => Math.max(...values.get(name)!.map(Math.abs));
    assert(largest("dist_token") > 0.02 && largest("dist_token") < 0.1);
    assert(largest("patch_embed.proj.bias") <= 1 / Math.sqrt(768) && largest("patch_embed.proj.bias") > 0.03);
  });
  it("gives each parameter its own stream: the order and the others change nothing", () => {
    const alone = initialize(new Map([["pos_embed", parameters.get("pos_embed")!]]), { seed: 1 });
    assertEquals(alone.get("pos_embed"), initialize(parameters, { seed: 1 }).get("pos_embed"));
    assert(alone.get("pos_embed")![0] !== initialize(parameters, { seed: 2 }).get("pos_embed")![0]);
  });
});
