import { join } from "node:path";
import { buildNet, vitDefaults } from "mammolab/nets";
import { initialize } from "mammolab/weights";
import { type ModelDefinition, type ModelWeights, saveModel } from "mammolab/model";

/** A Vision Transformer of 15 tokens: all of the line, in milliseconds. */
export const small: ModelDefinition = {
  schemaVersion: 1,
  name: "small",
  spec: {
    ...vitDefaults,
    imageSize: { height: 40, width: 24 },
    patchSize: 8,
    channels: 3,
    classes: 3,
    dim: 12,
    depth: 2,
    heads: 2,
  },
  classes: ["normal", "benign", "malignant"],
  preparation: {
    crop: "none",
    face: "none",
    resize: { height: 40, width: 24, filter: "area", fit: "pad" },
    range: "display",
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.25, 0.3],
    channels: 3,
  },
  trained: true,
  origin: "a test",
};

/** Numbers that let every part count: four times the usual deviation, and no zeros. */
export function weightsOf({ spec, preparation }: ModelDefinition, seed: number): ModelWeights {
  const { parameters } = buildNet(spec, { normalization: preparation });
  const values = initialize(parameters, { seed });
  return new Map([...parameters].map(([name, shape]) => {
    const data = values.get(name)!.map((value, i) => 4 * value + ((i * 7 + name.length) % 5 - 2) / 50);
    return [name, { shape, data }];
  }));
}

/** Saves the small model into a new folder, which is removed when the tests of a file end. */
export async function smallModel(seed = 1, changes: Partial<ModelDefinition> = {}): Promise<string> {
  const around = await Deno.makeTempDir({ prefix: "mammolab-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(around, { recursive: true }));
  const folder = join(around, "model");
  const definition = { ...small, ...changes };
  await saveModel(folder, { definition, weights: weightsOf(definition, seed) });
  return folder;
}
