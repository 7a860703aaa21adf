// One side of a comparison of training steps, in a process of its own: see _subject.ts. Answers a line of JSON for each line.
import ort from "onnxruntime-node";
import process from "node:process";
import { nodesOf, sizeOf, type Tensor } from "mammolab/graph";
import { readDefinition } from "mammolab/model";
import { openTrainer, type StepSpec, trainedNames } from "mammolab/train";
import { readSafetensors, readSafetensorsHeader } from "mammolab/weights";
import { stepTensors } from "../../lib/train/step_graph.ts";
import { collectGarbage } from "../../lib/train/_garbage.ts";
import { lines, type Subject } from "./_subject.ts";

const { folder, batch, threads, lastBlocks }: Subject = JSON.parse(Deno.args[0]!);
const file = `${folder}/model.safetensors`;
const { metadata, tensors } = await readSafetensorsHeader(file);
const { spec, preparation } = await readDefinition(folder, metadata);
const step: StepSpec = {
  spec,
  normalization: preparation,
  inputChannels: 1,
  batchSize: batch,
  loss: { kind: "crossEntropy" },
  trained: trainedNames([...tensors.keys()], lastBlocks === undefined ? "all" : { lastBlocks }, spec),
};
const { height, width } = spec.imageSize;
// The same pixels and labels as in torch_peer.py.
const image = new Float32Array(batch * height * width).map((_, i) => (Math.sin(i) + 1) / 2);
const targets = new Float32Array(batch * spec.classes);
for (let n = 0; n < batch; n++) targets[n * spec.classes + n % spec.classes] = 1;

const trainer = await openTrainer({
  ...step,
  optimizer: { kind: "adamw", weightDecay: 0.05 },
  layerDecay: 1,
  provider: "cpu",
  threads,
  // Kept by nobody, as in torch_peer.py: from here on the numbers are the trainer's.
  values: Object.fromEntries([...await readSafetensors(file)].map(([name, { data }]) => [name, data])),
});
collectGarbage(Infinity); // Python frees them at once
let done = 0;
/** The rate is so small that hundreds of steps leave the numbers, and so the time, as they were. */
const run = () => trainer.step({ batches: [{ image, targets }], learningRate: 1e-6, step: ++done });

const first = [(await run()).loss, (await run()).loss];
await say({
  version: `mammolab on ONNX Runtime ${ort.env.versions.node}`,
  flop: products(nodesOf(Object.values(stepTensors(step)))),
  logit: first[1],
  pid: Deno.pid,
});
for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(lines())) {
  const [word, count] = line.split(" ");
  if (word === "close") {
    await trainer[Symbol.asyncDispose]();
    await say({});
    continue;
  }
  const [start, before] = [performance.now(), process.cpuUsage()];
  let optimizer = 0;
  for (let n = 0; n < Number(count); n++) optimizer += (await run()).optimizerSeconds;
  const { user, system } = process.cpuUsage(before);
  await say({
    seconds: (performance.now() - start) / 1000 / Number(count),
    cpuSeconds: (user + system) / 1e6 / Number(count),
    optimizerSeconds: optimizer / Number(count),
  });
}
Deno.exit(0);

function say(value: unknown): Promise<number> {
  return Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

/** Floating-point operations of the products that a graph does, two a multiply-add. */
function products(nodes: readonly Tensor[]): number {
  return nodes.reduce((sum, { op, inputs: [a], shape, attributes }) => {
    if (op !== "gemm" && op !== "matmul") return sum;
    const turned = op === "gemm" && (attributes as Tensor<"gemm">["attributes"]).transA;
    return sum + 2 * sizeOf(shape) * (a!.shape.at(turned ? 0 : -1) as number);
  }, 0);
}
