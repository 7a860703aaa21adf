import { extname } from "node:path";
import { exists, MammolabError } from "../lib/base/mod.ts";
import { type Conversion, convertToOnnx, convertToSafetensors, loadModel } from "../lib/model/mod.ts";
import { catalogue } from "../lib/nets/mod.ts";
import { isHubName } from "../lib/weights/mod.ts";
import { task } from "./_task.ts";

await task({
  name: "convert",
  summary:
    "Writes a model (its name, its folder or a .safetensors file) as .onnx, or takes the weights of such a file " +
    "back out as .safetensors, and checks what was written.",
  usage: "deno task convert IN OUT",
  example: "deno task convert vit-phantom out/vit-phantom.onnx",
  options: {
    network: { type: "string", value: "NAME", help: "the network of weights that do not say theirs (timm's files)" },
    beside: { type: "boolean", help: "leave the weights where they are: the .onnx points into the .safetensors file" },
  },
  positionals: { min: 2, max: 2, words: true, what: "IN and OUT" },
  run: async ({ files, path, options: { network, beside } }) => {
    const [from, to] = files as [string, string];
    const [source, out] = [path(from), path(to)];
    const direction = `${extname(from)} to ${extname(to)}`;
    if (direction === ".onnx to .safetensors") {
      if (network !== undefined || beside) {
        throw new MammolabError(
          `Cannot convert ${from}: --network and --beside say how ONNX is written, but this takes weights out of it; leave them out`,
        );
      }
      return { from: source, ...await convertToSafetensors(source, out) };
    }
    if (extname(to) !== ".onnx" || extname(from) === ".onnx") {
      throw new MammolabError(
        `Cannot convert ${from} to ${to}: one must be an .onnx file, the other a model's folder or a .safetensors file; change the names`,
      );
    }
    const folder = await folderOf(from, source);
    const options = { beside, ...(network === undefined ? {} : { network }) };
    return { from: folder, ...await convertToOnnx(folder, out, options) };
  },
  print: ({ file, parameters, bytes, checked }: Conversion) =>
    `${file}: ${parameters.toLocaleString("en")} parameters, ${(bytes / 1e6).toFixed(1)} MB; ${checked}`,
});

/** A name stands for the model that comes with mammolab, or that was fetched. */
async function folderOf(typed: string, source: string): Promise<string> {
  const isPath = !isHubName(typed) && await exists(source);
  if (isPath || !(isHubName(typed) || Object.hasOwn(catalogue, typed))) return source;
  await using model = await loadModel(typed, { provider: "cpu" });
  return model.folder;
}
