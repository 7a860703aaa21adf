import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, exists, MammolabError, sentenceOf } from "../base/mod.ts";
import { buildNet, catalogue } from "../nets/mod.ts";
import {
  compareWeights,
  findSnapshot,
  hubNameText,
  initialize,
  isHubName,
  parseHubName,
  publishedNames,
  publishedShapes,
  readPublished,
  readSafetensorsHeader,
  requireFit,
  type SafetensorsHeader,
  type TensorEntry,
} from "../weights/mod.ts";
import {
  definitionHash,
  definitionKey,
  type ModelDefinition,
  readDefinition,
  untrainedDefinition,
} from "./definition.ts";
import { hubDefinition } from "./hub_model.ts";
import { type ModelWeights, saveModel } from "./save.ts";

/** What a model's name leads to: its definition, and where the numbers lie. */
export type ModelSource = {
  readonly folder: string;
  /** The weights; no link. */
  readonly file: string;
  readonly definition: ModelDefinition;
  /** By the nets' names. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
};

/** What may be said besides the name. */
export type SourceOptions = {
  /** A network of the catalogue with random numbers. */
  readonly seed?: number | undefined;
  /** Where random and converted numbers are kept; default `models` in the cache folder. */
  readonly cache?: string | undefined;
  /** Where models of the hub are looked for; default: the project's cache, then that of Hugging Face's programs. */
  readonly hubCaches?: readonly string[] | undefined;
};

/**
 * Finds a model: one that comes with mammolab, a folder that `saveModel` wrote, one of the hub that was fetched
 * (`hf:owner/name`), a folder with a hub's `config.json`, or with a seed a network of the catalogue.
 *
 * @throws MammolabError when there is no such model or its files are broken
 */
export async function modelSource(model: string, options: SourceOptions = {}): Promise<ModelSource> {
  const place = await placeOf(model, options);
  const file = await realPath(place.folder, model);
  const header = await readSafetensorsHeader(file);
  if (!await isHubFolder(place.folder, header)) {
    const definition = await readDefinition(place.folder, header.metadata);
    return { folder: place.folder, file, definition, tensors: header.tensors };
  }
  const definition = await hubDefinition(place.folder, header.tensors, place);
  const names = publishedNames(header.tensors.keys());
  const { parameters } = buildNet(definition.spec, { normalization: definition.preparation });
  requireFit(compareWeights(parameters, publishedShapes(names, header.tensors)), file);
  const oneToOne = [...parameters.keys()].every((name) => names.parts.get(name)!.length === 1);
  if (!oneToOne) return await converted({ definition, file, parameters: [...parameters.keys()] }, options);
  const tensors = new Map(
    [...parameters.keys()].map((name) => [name, header.tensors.get(names.parts.get(name)![0]!)!] as const),
  );
  return { folder: place.folder, file, definition, tensors };
}

/**
 * Reads a model's definition and numbers, without an engine: to go on training from it, or to save it.
 *
 * @param model as for `loadModel`
 * @returns also the names in its file that the network does not know
 */
export async function readModel(
  model: string,
  options: SourceOptions = {},
): Promise<
  { readonly definition: ModelDefinition; readonly weights: ModelWeights; readonly unused: readonly string[] }
> {
  const { file, definition, tensors } = await modelSource(model, options);
  const { parameters } = buildNet(definition.spec, { normalization: definition.preparation });
  requireFit(compareWeights(parameters, tensors), file);
  const inFile = publishedNames((await readSafetensorsHeader(file)).tensors.keys());
  return {
    definition,
    weights: await readPublished(file, inFile, parameters.keys()),
    unused: [...inFile.parts.keys()].filter((name) => !parameters.has(name)),
  };
}

/** Where a folder's numbers lie under the nets' names: there, or, where the hub's have to be joined, as a model of our own. */
export async function ownFolder(folder: string, options: SourceOptions = {}): Promise<string> {
  const header = await readSafetensorsHeader(join(folder, "model.safetensors"));
  return await isHubFolder(folder, header) ? (await modelSource(folder, options)).folder : folder;
}

/** Neither model.json nor a definition in the weights, but a hub's configuration. */
async function isHubFolder(folder: string, { metadata }: SafetensorsHeader): Promise<boolean> {
  return !metadata.has(definitionKey) && !await exists(join(folder, "model.json")) &&
    await exists(join(folder, "config.json"));
}

const shipped = fileURLToPath(new URL("../../models/", import.meta.url));

type Place = { readonly folder: string; readonly name?: string; readonly origin?: string };

async function placeOf(model: string, { seed, cache, hubCaches }: SourceOptions): Promise<Place> {
  if (isHubName(model)) return await fetched(model, hubCaches);
  const known = Object.hasOwn(catalogue, model);
  if (known && seed === undefined) {
    const folder = join(shipped, model);
    if (await exists(join(folder, "model.safetensors"))) return { folder };
    throw new MammolabError(
      `Cannot open the model ${model}: mammolab does not ship its weights; give a folder with them, or a seed for random ones`,
    );
  }
  if (known && seed !== undefined) return { folder: await untrained(model, seed, cache) };
  if (seed !== undefined || !await exists(model)) {
    throw new MammolabError(
      `Cannot open the model ${model}: it is neither a folder nor a known name; known are ${
        Object.keys(catalogue).join(", ")
      }`,
    );
  }
  return { folder: model };
}

/** A model of the hub that is on this machine: opening one never uses the network. */
async function fetched(model: string, caches: readonly string[] | undefined): Promise<Place> {
  const hubName = parseHubName(model);
  const found = await findSnapshot(hubName, caches ? { caches } : {});
  if (!found) {
    throw new MammolabError(
      `Cannot open the model ${model}: it is not on this machine; fetch it first: deno task fetch ${
        hubNameText(hubName)
      }`,
    );
  }
  const { owner, name } = hubName;
  return { folder: found.folder, name: `${owner}/${name}`, origin: `hf:${owner}/${name}@${found.commit}` };
}

/** Goes up when the same seed would draw other numbers, so that no old ones are taken from the cache. */
const drawn = 2;

/** Random numbers, made once and kept: the same in every process, and read by the engine like any other weights. */
async function untrained(name: string, seed: number, cache?: string): Promise<string> {
  const definition = untrainedDefinition(name, { seed });
  const folder = join(cache ?? join(await cacheFolder(), "models"), name, `${definitionHash(definition)}-${drawn}`);
  if (await exists(join(folder, "model.safetensors"))) return folder;
  const { parameters } = buildNet(definition.spec, { normalization: definition.preparation });
  await saveModel(folder, { definition, weights: initialize(parameters, { seed }) });
  return folder;
}

/** Query, key and value lie apart in the file and are one matrix here: written once as a model of our own. */
async function converted(
  { definition, file, parameters }: {
    readonly definition: ModelDefinition;
    readonly file: string;
    readonly parameters: readonly string[];
  },
  { cache }: SourceOptions,
): Promise<ModelSource> {
  const { size, mtime } = await Deno.stat(file);
  const key = createHash("sha256").update(JSON.stringify([definitionHash(definition), file, size, mtime])).digest(
    "hex",
  );
  const folder = join(cache ?? join(await cacheFolder(), "models"), "converted", key.slice(0, 16));
  if (!await exists(join(folder, "model.safetensors"))) {
    const { tensors } = await readSafetensorsHeader(file);
    await saveModel(folder, {
      definition,
      weights: await readPublished(file, publishedNames(tensors.keys()), parameters),
    });
  }
  const own = join(folder, "model.safetensors");
  const header = await readSafetensorsHeader(own);
  return { folder, file: own, definition: await readDefinition(folder, header.metadata), tensors: header.tensors };
}

/** Of the weights in a folder. */
async function realPath(folder: string, model: string): Promise<string> {
  try {
    return await Deno.realPath(join(folder, "model.safetensors")); // a link in the cache of Hugging Face: the engine refuses links that lead elsewhere
  } catch (cause) {
    const cannot = (reason: string) => new MammolabError(`Cannot open the model ${model}: ${reason}`, { cause });
    if (!(cause instanceof Deno.errors.NotFound)) throw cannot(`${sentenceOf(cause)}; check the path`);
    const below = join(folder, "model"); // where a training put it
    if (await exists(join(below, "model.safetensors"))) {
      throw cannot(`the folder has no model.safetensors, but there is one in its folder model; give ${below}`);
    }
    throw cannot("the folder has no model.safetensors; give the folder that a training, or saveModel, wrote");
  }
}
