// Trains vit-phantom for one step, four times, in a process of its own: prints its resident memory after each, in MB.
import { readModel } from "mammolab/model";
import { openTrainer, usualOptimizer } from "mammolab/train";

const { definition: { spec, preparation }, weights } = await readModel("vit-phantom");
const values = Object.fromEntries([...weights].map(([name, { data }]) => [name, data]));
const image = new Float32Array(4 * spec.imageSize.height * spec.imageSize.width);
const targets = Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
const resident: number[] = [];
for (let n = 0; n < 4; n++) {
  {
    await using trainer = await openTrainer({
      spec,
      normalization: preparation,
      inputChannels: 1,
      batchSize: 4,
      loss: { kind: "crossEntropy" },
      trained: Object.keys(values),
      optimizer: usualOptimizer,
      layerDecay: 1,
      provider: "cpu",
      threads: 1,
      values,
    });
    await trainer.step({ batches: [{ image, targets }], learningRate: 1e-4, step: 1 });
    await trainer.predict(image);
  }
  resident.push(Math.round(Deno.memoryUsage().rss / 1e6));
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(resident)));
