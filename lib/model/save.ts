import { join } from "node:path";
import { type FileSystem, writeFileAtomic } from "../base/mod.ts";
import { buildNet } from "../nets/mod.ts";
import { compareWeights, requireFit, writeSafetensors } from "../weights/mod.ts";
import { definitionKey, definitionText, type ModelDefinition } from "./definition.ts";

/** A network's numbers, by published name. */
export type ModelWeights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/**
 * Writes a model as a folder with `model.safetensors` and `model.json`, which `loadModel` opens and others' tools read.
 *
 * The weight file is complete in itself (it holds the definition too) and is replaced at once, so that at every moment the
 * folder holds a whole model, or says which of its two files is older.
 *
 * @param folder made where it is missing
 * @param options.type `F16` halves the file and rounds each number to half precision
 * @throws MammolabError when a parameter is missing or has another shape, or the disk does not let it
 */
export async function saveModel(
  folder: string,
  { definition, weights }: { readonly definition: ModelDefinition; readonly weights: ModelWeights },
  { type = "F32", fileSystem }: { readonly type?: "F32" | "F16"; readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const net = buildNet(definition.spec, { normalization: definition.preparation });
  requireFit(compareWeights(net.parameters, weights), `of ${definition.name}`);
  const system = fileSystem ? { fileSystem } : {};
  const text = definitionText(definition);
  await writeSafetensors(
    join(folder, "model.safetensors"),
    [...net.parameters.keys()].map((name) => ({ name, ...weights.get(name)! })),
    { type, metadata: { format: "pt", [definitionKey]: text }, ...system },
  );
  await writeFileAtomic(join(folder, "model.json"), text, system);
}
