import { join } from "node:path";
import { disk, type FileSystem, MammolabError } from "../base/mod.ts";
import type { NetSpec } from "../nets/mod.ts";
import { readSafetensors, readSafetensorsHeader, type TensorToWrite, writeSafetensors } from "../weights/mod.ts";
import { type Recipe, recipeDifferences } from "./recipe.ts";
import type { EpochReport } from "./fit.ts";
import type { Numbers, TrainerState } from "./trainer.ts";

/** Where a training stands, besides its numbers. Plain JSON, in the metadata of the checkpoint file. */
export type Progress = {
  readonly schemaVersion: 1;
  readonly recipe: Recipe;
  readonly spec: NetSpec;
  /** Hash of the record ids and labels of both sides. */
  readonly data: string;
  /** Steps that are done. Order of the data and all masks follow from it and the seed. */
  readonly step: number;
  readonly history: readonly EpochReport[];
  /** Sum of the losses of the present epoch so far. */
  readonly lossSum: number;
  /** Epoch of the best validation result so far, and that result; lower is better. */
  readonly best?: { readonly epoch: number; readonly score: number };
};

const FILE = "checkpoint.safetensors";
const BEST = "best.safetensors";
const KEY = "mammolab.training";

/** Writes where a training stands, atomically: at every moment one readable checkpoint is there. */
export async function writeCheckpoint(
  folder: string,
  state: TrainerState,
  progress: Progress,
  shapes: ReadonlyMap<string, readonly number[]>,
  { fileSystem = disk }: { readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const tensors = (["values", "first", "second", "average"] as const).flatMap((part) =>
    Object.entries(state[part] ?? {}).map(([name, data]): TensorToWrite => ({
      name: `${part}/${name}`,
      shape: shapes.get(name)!,
      data,
    }))
  );
  await writeSafetensors(join(folder, FILE), tensors, { metadata: { [KEY]: JSON.stringify(progress) }, fileSystem });
}

/** Keeps the best numbers so far, beside the checkpoint. */
export async function writeBest(
  folder: string,
  values: Numbers,
  shapes: ReadonlyMap<string, readonly number[]>,
  { fileSystem = disk }: { readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const tensors = Object.entries(values).map(([name, data]) => ({ name, shape: shapes.get(name)!, data }));
  await writeSafetensors(join(folder, BEST), tensors, { fileSystem });
}

/** The best numbers that were kept. */
export async function readBest(folder: string): Promise<Numbers> {
  const tensors = await readSafetensors(join(folder, BEST));
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
}

/**
 * Reads the checkpoint of a folder, if there is one, and makes sure that it belongs to this training.
 *
 * @throws MammolabError when it is damaged, or another network, recipe or data made it: the sentence says which
 */
export async function readCheckpoint(
  folder: string,
  expected: Pick<Progress, "recipe" | "spec" | "data">,
): Promise<{ readonly state: TrainerState; readonly progress: Progress } | undefined> {
  const path = join(folder, FILE);
  try {
    await Deno.stat(path);
  } catch {
    return undefined;
  }
  const { metadata } = await readSafetensorsHeader(path);
  const cannot = (reason: string) =>
    new MammolabError(`Cannot go on from ${path}: ${reason}; choose another folder, or delete it to start anew`);
  let progress: Progress;
  try {
    progress = JSON.parse(metadata.get(KEY) ?? "");
  } catch {
    throw cannot("it is no checkpoint of a training");
  }
  if (progress.schemaVersion !== 1) throw cannot("another version wrote it");
  if (JSON.stringify(progress.spec) !== JSON.stringify(expected.spec)) throw cannot("it holds another network");
  const differences = recipeDifferences(expected.recipe, progress.recipe);
  if (differences.length > 0) throw cannot(`the recipe differs in ${differences.join(", ")}`);
  if (progress.data !== expected.data) throw cannot("the data differ (other records or labels)");

  const parts: Record<string, Record<string, Float32Array>> = { values: {}, first: {}, second: {} };
  for (const [key, { data }] of await readSafetensors(path)) {
    const slash = key.indexOf("/");
    (parts[key.slice(0, slash)] ??= {})[key.slice(slash + 1)] = data;
  }
  return { state: parts as unknown as TrainerState, progress };
}

/**
 * Takes a folder for one training; another one that wants it is refused. The lock ends with the process, however that ends.
 *
 * @returns gives the folder back
 */
export async function lockFolder(folder: string): Promise<() => void> {
  await Deno.mkdir(folder, { recursive: true });
  const file = await Deno.open(join(folder, "lock"), { create: true, write: true });
  if (!await file.tryLock(true)) {
    file.close();
    throw new MammolabError(
      `Cannot train in ${folder}: another training runs there; wait for it or choose another folder`,
    );
  }
  return () => file.close();
}
