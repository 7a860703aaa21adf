import { sentenceOf } from "../lib/base/mod.ts";
import { hubDefinition, type ModelDefinition } from "../lib/model/mod.ts";
import { fetchFromHub, type HubDownload, isHubName, parseHubName, readSafetensorsHeader } from "../lib/weights/mod.ts";
import { table, task, UsageError } from "./_task.ts";

await task({
  name: "fetch",
  summary:
    "Fetches a model of the Hugging Face hub into .cache/huggingface, once, checked by its hash; the only task " +
    "with network. Afterwards its name opens it without network.",
  usage: "deno task fetch hf:OWNER/NAME[@REVISION]",
  example: "deno task fetch hf:timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k",
  positionals: { min: 1, max: 1, words: true, what: "hf:OWNER/NAME" },
  run: async ({ files: [word], signal, progress, note }) => {
    if (!isHubName(word!)) {
      throw new UsageError(`fetch: "${word}" is no model of the hub, which is written hf:owner/name`);
    }
    const fetched = await fetchFromHub(parseHubName(word!), { signal, onProgress: progress });
    if (fetched.offline) note(`${fetched.model} was not asked for anew: ${fetched.offline}`);
    const { network, problem } = await networkOf(fetched);
    if (problem) note(problem);
    return {
      ...fetched,
      licence: fetched.licence ?? null,
      network: network ? { ...network.spec, classes: network.classes.length } : null,
      ...problem ? { problem } : {},
    };
  },
  print: ({ model, commit, folder, files, bytes, licence, network }) =>
    [
      table(files.map(({ file, bytes, from }) => ({ file, MB: +(bytes / 1e6).toFixed(3), from }))),
      "",
      `${model}, commit ${commit.slice(0, 12)}, ${(bytes / 1e6).toFixed(1)} MB, licence ${licence ?? "not named"}`,
      ...network
        ? [
          `ViT, ${network.imageSize.height} × ${network.imageSize.width} pixels, patches of ${network.patchSize}, ${network.depth} layers of ${network.dim}, ${network.classes} classes`,
        ]
        : [],
      folder,
    ].join("\n"),
});

/** What can be opened of it; a model of another kind is fetched all the same, and said. */
async function networkOf(
  { model, folder }: HubDownload,
): Promise<{ readonly network?: ModelDefinition; readonly problem?: string }> {
  try {
    const { tensors } = await readSafetensorsHeader(`${folder}/model.safetensors`);
    return { network: await hubDefinition(folder, tensors, { name: model }) };
  } catch (error) {
    return { problem: sentenceOf(error) };
  }
}
