// One side of a comparison, in a process of its own: see _subject.ts. Answers a line of JSON for each line that it is sent.
import ort from "onnxruntime-node";
import process from "node:process";
import { basename, dirname } from "node:path";
import { seededRandom } from "mammolab/base";
import { openBlockingSession } from "mammolab/engine";
import { batch as batchDim, input, matmul, parameter, type Tensor, toOnnx, type WeightPlace } from "mammolab/graph";
import { type Image, imageOf } from "mammolab/image";
import { loadModel, readDefinition } from "mammolab/model";
import { buildNet, catalogueEntry, gridOf, type NetSpec, prefixTokensOf } from "mammolab/nets";
import { readSafetensorsHeader } from "mammolab/weights";
import { lines, type Ready, type Subject } from "./_subject.ts";

type Side = { readonly ready: Ready; readonly run: () => Promise<unknown>; readonly close?: () => PromiseLike<void> };

const subject: Subject = JSON.parse(Deno.args[0]!);
const sides: Readonly<Record<"predict" | "bare" | "products", () => Promise<Side>>> = { predict, bare, products };
const side = await sides[subject.runs as "predict"]();

const say = (value: unknown) => Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
await say(side.ready);
for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(lines())) {
  const [word, count] = line.split(" ");
  if (word === "close") {
    await side.close?.();
    await say({});
    continue;
  }
  const [start, before] = [performance.now(), process.cpuUsage()];
  for (let n = 0; n < Number(count); n++) await side.run();
  const { user, system } = process.cpuUsage(before);
  await say({
    seconds: (performance.now() - start) / 1000 / Number(count),
    cpuSeconds: (user + system) / 1e6 / Number(count),
  });
}
Deno.exit(0);

/** Our way: prepared images to predictions, in a Worker. */
async function predict(): Promise<Side> {
  const { folder, batch, threads, attention = false } = subject;
  const model = await loadModel(folder, { provider: "cpu", threads, spinning: true });
  const { spec } = await definitionOf(folder);
  const images = imagesFor(spec, batch);
  const [first] = await model.predictPrepared(images);
  return {
    ready: {
      version: `mammolab on ONNX Runtime ${ort.env.versions.node}`,
      flop: batch * flopOf(spec),
      provider: model.provider,
      logit: Math.max(...first!.logits),
    },
    run: () => model.predictPrepared(images, { attention }),
    close: () => model[Symbol.asyncDispose](),
  };
}

/** ONNX Runtime's own session over the same graph, in this thread, with nothing around it. */
async function bare(): Promise<Side> {
  const { folder, batch, threads, attention = false } = subject;
  const { spec, preparation } = await definitionOf(folder);
  const file = await Deno.realPath(`${folder}/model.safetensors`);
  const { tensors } = await readSafetensorsHeader(file);
  const net = buildNet(spec, { normalization: preparation });
  const places = new Map([...tensors].map(([name, { type, offset, length }]) => {
    return [name, { location: basename(file), offset, length, type } as WeightPlace];
  }));
  const taps = Object.fromEntries(net.attention.map(({ tap, tensor }) => [tap.name, tensor]));
  const session = await ort.InferenceSession.create(toOnnx({ logits: net.logits, ...taps }, { weights: { places } }), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: dirname(file) } },
  });
  const { height, width } = spec.imageSize;
  const pixels = new Float32Array(batch * height * width);
  imagesFor(spec, batch).forEach(({ data }, n) => pixels.set(data, n * height * width));
  const feeds = { image: new ort.Tensor("float32", pixels, [batch, 1, height, width]) };
  const wanted = ["logits", ...attention ? Object.keys(taps) : []];
  const { logits } = await session.run(feeds, wanted);
  return {
    ready: {
      version: `ONNX Runtime ${ort.env.versions.node}`,
      flop: batch * flopOf(spec),
      logit: Math.max(...(logits!.data as Float32Array).slice(0, spec.classes)),
    },
    run: () => session.run(feeds, wanted),
  };
}

/**
 * The engine's own limit, R: products with constant weights of the network's shapes, one after the other (dim → 3 dim →
 * dim → 4 dim → dim a layer, each with weights of its own), and nothing between them.
 */
async function products(): Promise<Side> {
  const { net, batch, threads } = subject;
  const { spec } = catalogueEntry(net);
  const { dim, depth } = spec;
  const rows = batch * tokensOf(spec);
  const { uniform } = seededRandom("products");
  const values = new Map<string, Float32Array>();
  const widths = Array.from({ length: depth }, () => [3, 1, 4, 1]).flat().map((factor) => factor * dim);
  let x: Tensor = input("x", [batchDim, dim]);
  let flop = 0;
  for (const [n, width] of widths.entries()) {
    const depthOfProduct = x.shape[1] as number;
    const name = `weight.${n}`;
    const reach = Math.sqrt(3 / depthOfProduct); // keeps the values near 1 through the chain
    values.set(name, new Float32Array(depthOfProduct * width).map(() => (2 * uniform() - 1) * reach));
    x = matmul(x, parameter(name, [depthOfProduct, width]));
    flop += 2 * rows * depthOfProduct * width;
  }
  const model = toOnnx({ y: x }, { weights: { values } });
  const session = await openBlockingSession({ model, threads, spinning: true, name: "the products" });
  const feeds = { x: { data: new Float32Array(rows * dim).map(() => 2 * uniform() - 1), shape: [rows, dim] } };
  await session.run(feeds);
  return { ready: { version: `ONNX Runtime ${ort.env.versions.node}`, flop }, run: () => session.run(feeds) };
}

async function definitionOf(folder: string) {
  return await readDefinition(folder, (await readSafetensorsHeader(`${folder}/model.safetensors`)).metadata);
}

/** The same pixels as in torch_peer.py. */
function imagesFor({ imageSize: { height, width } }: NetSpec, batch: number): Image[] {
  return Array.from({ length: batch }, (_, n) =>
    imageOf(
      new Float32Array(height * width).map((_, i) => (Math.sin(n * height * width + i) + 1) / 2),
      { height, width },
    ));
}

function tokensOf(spec: NetSpec): number {
  const { height, width } = gridOf(spec);
  return height * width + prefixTokensOf(spec);
}

/** Floating-point operations for one image, two a multiply-add: products only, as in the papers' tables. */
function flopOf(spec: NetSpec): number {
  const { dim, depth, mlpRatio, patchSize, channels } = spec;
  const tokens = tokensOf(spec);
  const layer = tokens * (4 + 2 * mlpRatio) * dim ** 2 + 2 * tokens ** 2 * dim;
  return 2 * (depth * layer + (tokens - prefixTokensOf(spec)) * patchSize ** 2 * channels * dim);
}
