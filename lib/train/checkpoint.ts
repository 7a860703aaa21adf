import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  cannotWrite,
  canonicalJson,
  disk,
  exists,
  type FileSystem,
  MammolabError,
  removeHalfWritten,
} from "../base/mod.ts";
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
  /** Hash of the first numbers; absent in the checkpoints of version 0.1. */
  readonly weights?: string;
  /** Hash of how the network is given the first training image, before augmentation; absent in older checkpoints. */
  readonly images?: string;
  /** Steps that are done. Order of the data and all masks follow from it and the seed. */
  readonly step: number;
  readonly history: readonly EpochReport[];
  /** Sum of the losses of the present epoch so far. */
  readonly lossSum: number;
  /** Epoch of the best validation result so far, and that result; lower is better. */
  readonly best?: { readonly epoch: number; readonly score: number; readonly loss?: number };
};

const FILE = "checkpoint.safetensors";
const BEST = "best.safetensors";
const KEY = "mammolab.training";
const HASH = "mammolab.sha256";

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
  const text = JSON.stringify(progress);
  const metadata = { [KEY]: text, [HASH]: hashOf(text, tensors) };
  await writeSafetensors(join(folder, FILE), tensors, { metadata, fileSystem });
}

/** Keeps the best numbers so far, beside the checkpoint. */
export async function writeBest(
  folder: string,
  values: Numbers,
  shapes: ReadonlyMap<string, readonly number[]>,
  { fileSystem = disk }: { readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const tensors = Object.entries(values).map(([name, data]) => ({ name, shape: shapes.get(name)!, data }));
  await writeSafetensors(join(folder, BEST), tensors, { metadata: { [HASH]: hashOf("", tensors) }, fileSystem });
}

/**
 * The best numbers that were kept.
 *
 * @throws MammolabError when they are gone or damaged
 */
export async function readBest(folder: string): Promise<Numbers> {
  const path = join(folder, BEST);
  const anew = `choose another folder, or delete ${FILE} there to start anew`;
  const { metadata, named } = await readNumbers(path, anew);
  const hash = metadata.get(HASH); // those of version 0.1 had none
  if (hash !== undefined && hash !== hashOf("", named)) throw cannotGoOn(path, changed, anew);
  return Object.fromEntries(named.map(({ name, data }) => [name, data]));
}

/**
 * Reads the checkpoint of a folder, if there is one, and makes sure that it belongs to this training.
 *
 * @throws MammolabError when it is damaged, or another network, recipe or data made it: the sentence says which
 */
export async function readCheckpoint(
  folder: string,
  expected: Pick<Progress, "recipe" | "spec" | "data" | "weights" | "images">,
): Promise<{ readonly state: TrainerState; readonly progress: Progress } | undefined> {
  const path = join(folder, FILE);
  try {
    await Deno.stat(path);
  } catch {
    return undefined;
  }
  const anew = "choose another folder, or delete it to start anew";
  const cannot = (reason: string) => cannotGoOn(path, reason, anew);
  const { metadata } = await readable(path, anew, readSafetensorsHeader);
  const text = metadata.get(KEY);
  const progress = text === undefined ? undefined : progressFrom(text);
  if (!progress) throw cannot("it is no checkpoint of a training");
  if (progress.schemaVersion !== 1) throw cannot("another version wrote it");
  if (canonicalJson(progress.spec) !== canonicalJson(expected.spec)) throw cannot("it holds another network");
  const differences = recipeDifferences(expected.recipe, progress.recipe);
  if (differences.length > 0) throw cannot(`the recipe differs in ${differences.join(", ")}`);
  if (progress.weights !== undefined && progress.weights !== expected.weights) {
    throw cannot("it began with other weights (another model, or another seed)");
  }
  if (progress.data !== expected.data) throw cannot("the data differ (other records or labels)");
  if (progress.images !== undefined && expected.images !== undefined && progress.images !== expected.images) {
    throw cannot("the images differ (another preparation, or a file that was changed)");
  }

  const { named } = await readNumbers(path, anew);
  const hash = metadata.get(HASH); // checkpoints of version 0.1 had none
  if (hash !== undefined && hash !== hashOf(text!, named)) throw cannot(changed);
  const parts = new Map(
    ["values", "first", "second", "average"].map((part) => [part, new Map<string, Float32Array>()]),
  );
  for (const { name, data } of named) {
    const slash = name.indexOf("/");
    const part = parts.get(name.slice(0, slash));
    if (!part) throw cannot(`it holds ${JSON.stringify(name)}, which is no part of a training`);
    part.set(name.slice(slash + 1), data);
  }
  const [values, first, second, average] = [...parts.values()].map((part) => Object.fromEntries(part));
  const state = { values: values!, first: first!, second: second! };
  return { state: parts.get("average")!.size > 0 ? { ...state, average: average! } : state, progress };
}

const changed = "its numbers were changed after it was written";

const cannotGoOn = (path: string, reason: string, anew: string, cause?: unknown) =>
  new MammolabError(`Cannot go on from ${path}: ${reason}; ${anew}`, { cause });

/** What a file of a training holds. A file that is cut, damaged, gone or not to be read is said as such. */
async function readable<T>(path: string, anew: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    const reason = await exists(path) ? "it is damaged or may not be read" : "it is gone";
    throw cannotGoOn(path, reason, anew, cause);
  }
}

function readNumbers(path: string, anew: string) {
  return readable(path, anew, async () => ({
    metadata: (await readSafetensorsHeader(path)).metadata,
    named: [...await readSafetensors(path)].map(([name, tensor]) => ({ name, ...tensor })),
  }));
}

/** Of the progress, names, shapes and numbers: what was damaged on the disk is not trained on. */
function hashOf(
  progress: string,
  tensors: Iterable<
    { readonly name: string; readonly shape: readonly number[] } & ({ readonly data: Float32Array } | object)
  >,
): string {
  const hash = createHash("sha256").update(progress);
  for (const tensor of tensors) {
    hash.update(JSON.stringify([tensor.name, tensor.shape]));
    if ("data" in tensor) {
      hash.update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
    }
  }
  return hash.digest("hex");
}

/** Undefined for anything but the progress of a training. */
function progressFrom(text: string): Progress | undefined {
  const record = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const number = (value: unknown) => typeof value === "number" && Number.isFinite(value);
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!record(found) || !record(found.recipe) || !record(found.spec) || !count(found.step)) return undefined;
  const { history, best, lossSum } = found;
  const report = (value: unknown) => record(value) && count(value.epoch) && number(value.trainingLoss);
  if (!number(lossSum) || !Array.isArray(history) || !history.every(report)) return undefined;
  if (best !== undefined && !(record(best) && count(best.epoch) && number(best.score))) return undefined;
  return found as unknown as Progress;
}

/** @throws MammolabError when the folder holds a checkpoint: a training without one would write over its model */
export async function refuseCheckpoint(folder: string): Promise<void> {
  if (await exists(join(folder, FILE))) {
    throw new MammolabError(
      `Cannot train in ${folder}: another training is kept there, whose model would be lost; choose another folder`,
    );
  }
}

/**
 * Takes a folder for one training; another one that wants it is refused. The lock ends with the process, however that ends.
 * What a killed training left half written there is removed.
 *
 * @returns gives the folder back when it is disposed of: `using lock = await lockFolder(folder)`
 * @throws MammolabError when a training runs there, or nothing may be written there
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  const path = join(folder, "lock");
  let file: Deno.FsFile;
  let locked: boolean;
  try {
    await Deno.mkdir(folder, { recursive: true });
    file = await Deno.open(path, { create: true, write: true });
    locked = await file.tryLock(true);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  if (!locked) {
    file.close();
    throw new MammolabError(
      `Cannot train in ${folder}: another training runs there; wait for it or choose another folder`,
    );
  }
  for (const own of [folder, join(folder, "model")]) await removeHalfWritten(own).catch(() => {}); // no condition for a training
  return { [Symbol.dispose]: () => file.close() };
}
