// deno run --allow-read --allow-write write_graph.ts NAME WEIGHTS.safetensors OUT.onnx: the graph of a catalogue network over color pixels in 0..1.
import { basename } from "node:path";
import { toOnnx, type WeightPlace } from "../../lib/graph/mod.ts";
import { buildNet, catalogueEntry } from "../../lib/nets/mod.ts";
import { readSafetensorsHeader } from "../../lib/weights/mod.ts";

const [name, weights, out] = Deno.args as [string, string, string];
const { spec, normalization } = catalogueEntry(name);
const net = buildNet(spec, { normalization, inputChannels: spec.channels });
const { tensors } = await readSafetensorsHeader(weights);
const places = new Map<string, WeightPlace>(
  [...tensors].map(([key, { offset, length }]) => [key, { location: basename(weights), offset, length, type: "F32" }]),
);
const outputs = {
  logits: net.logits,
  ...Object.fromEntries(net.attention.map(({ tap, tensor }) => [tap.name, tensor])),
};
await Deno.writeFile(out, toOnnx(outputs, { weights: { places }, graphName: name }));
