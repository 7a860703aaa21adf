// A fresh process that predicts one prepared image and ends: `deno run … _first_prediction.ts FOLDER`.
import { imageOf } from "mammolab/image";
import { loadModel } from "mammolab/model";

const model = await loadModel(Deno.args[0]!, { provider: "cpu" });
const { height, width } = model.preparation.resize;
const image = imageOf(new Float32Array(height * width).fill(0.5), { height, width });
const [prediction] = await model.predictPrepared([image]);
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(prediction!.scores)}\n`));
