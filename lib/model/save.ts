import { join } from "node:path";
import { type FileSystem, MammolabError, writeFileAtomic } from "../base/mod.ts";
import { buildNet } from "../nets/mod.ts";
import { compareWeights, requireFit, writeSafetensors } from "../weights/mod.ts";
import { checkedDefinition, definitionKey, definitionText, type ModelDefinition } from "./definition.ts";

/** A network's numbers, by published name. */
export type ModelWeights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** A network's numbers by published name, without their shapes: what `fit` and `initialize` give. */
export type PlainWeights = ReadonlyMap<string, Float32Array> | Readonly<Record<string, Float32Array>>;

/**
 * Writes a model as a folder with `model.safetensors` and `model.json`, which `loadModel` opens and others' tools read.
 *
 * The weight file is complete in itself (it holds the definition too) and is replaced at once, so that at every moment the
 * folder holds a whole model, or says which of its two files is older.
 *
 * @param folder made where it is missing
 * @param model what it is and its numbers; numbers without shapes, as `fit` and `initialize` give them, get the network's
 * @param options.type `F16` halves the file and rounds each number to half precision
 * @throws MammolabError when the definition does not hold together, a parameter is missing or has another shape, or the disk does not let it
 */
export async function saveModel(
  folder: string,
  { definition, weights }: { readonly definition: ModelDefinition; readonly weights: ModelWeights | PlainWeights },
  { type = "F32", fileSystem }: { readonly type?: "F32" | "F16"; readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  checkedDefinition(definition, folder, (reason) => {
    throw new MammolabError(`Cannot save ${folder}: ${reason}; change the definition`);
  });
  const net = buildNet(definition.spec, { normalization: definition.preparation });
  const shaped = shapedAs(net.parameters, weights);
  requireFit(compareWeights(net.parameters, shaped), `of ${definition.name}`);
  const system = fileSystem ? { fileSystem } : {};
  const text = definitionText(definition);
  await writeSafetensors(
    join(folder, "model.safetensors"),
    [...net.parameters.keys()].map((name) => ({ name, ...shaped.get(name)! })),
    { type, metadata: { format: "pt", [definitionKey]: text }, ...system },
  );
  await writeFileAtomic(join(folder, "model.json"), text, system);
}

/** Numbers of another count than the network needs keep that count as their shape, so that the comparison names them. */
function shapedAs(
  needed: ReadonlyMap<string, readonly number[]>,
  weights: ModelWeights | PlainWeights,
): ModelWeights {
  const given = weights instanceof Map ? [...weights] : Object.entries(weights);
  return new Map(given.map(([name, numbers]) => {
    if (!(numbers instanceof Float32Array)) return [name, numbers];
    const shape = needed.get(name);
    const fits = shape?.reduce((size, length) => size * length, 1) === numbers.length;
    return [name, { shape: fits ? shape! : [numbers.length], data: numbers }];
  }));
}
