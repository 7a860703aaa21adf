import { createHash } from "node:crypto";
import { join } from "node:path";
import { MammolabError, sentenceOf } from "../base/mod.ts";
import { type Preparation, readPreparation } from "../image/mod.ts";
import { catalogueEntry, type NetSpec } from "../nets/mod.ts";

/** What must be known of a model besides its numbers: the content of `model.json`. Plain JSON. */
export type ModelDefinition = {
  readonly schemaVersion: 1;
  /** Shown with every result. */
  readonly name: string;
  /** Sizes of the network. */
  readonly spec: NetSpec;
  /** Names of the outputs, in their order. */
  readonly classes: readonly string[];
  /**
   * How logits become scores: `softmax`, together, so that they sum to 1 (default), or `sigmoid`, each by itself, for a network
   * that was trained with the loss `binary`.
   */
  readonly scores?: "softmax" | "sigmoid";
  /** How a film becomes the network's input. */
  readonly preparation: Preparation;
  /** False where the numbers are random: every result says so. */
  readonly trained: boolean;
  /** Where the numbers come from, in words. */
  readonly origin: string;
  /** The films that it was trained on, so that it is not tested on what it learned from. */
  readonly trainedOn?: TrainedOn;
};

/** Which films were split how, for a training. */
export type TrainedOn = {
  /** Hash of the ids of all films that were split. */
  readonly films: string;
  /** Hash of the split. */
  readonly split: string;
  /** What gives the same split, as options of `deno task evaluate`. */
  readonly options: string;
};

/** The classes of a model that tells cancer from all else. */
export const defaultClasses: readonly string[] = ["negative", "malignant"];

/**
 * The definition of a network of the catalogue that is not trained yet: for mammograms, cut to the breast and facing left.
 *
 * @param classes names of the outputs
 * @throws MammolabError listing the catalogue when it has no such name
 *
 * @example
 * ```ts
 * import { untrainedDefinition } from "mammolab/model";
 * import { assertEquals } from "@std/assert";
 * const { preparation, classes } = untrainedDefinition("vit-phantom", { seed: 1 });
 * assertEquals([preparation.resize.height, preparation.resize.width], [384, 192]);
 * assertEquals(classes, ["negative", "malignant"]);
 * ```
 */
export function untrainedDefinition(
  name: string,
  { seed, classes = defaultClasses }: { readonly seed: number; readonly classes?: readonly string[] },
): ModelDefinition {
  const { spec, normalization } = catalogueEntry(name);
  return {
    schemaVersion: 1,
    name,
    spec: { ...spec, classes: classes.length },
    classes,
    preparation: {
      crop: "breast",
      face: "left",
      resize: { ...spec.imageSize, filter: "area", fit: "pad" },
      range: "display",
      ...normalization,
      channels: spec.channels === 1 ? 1 : 3,
    },
    trained: false,
    origin: `random numbers, seed ${seed}`,
  };
}

/** The text of a definition: the content of `model.json`, and what the weight file holds to belong to it. */
export function definitionText(definition: ModelDefinition): string {
  return `${JSON.stringify(definition, null, 2)}\n`;
}

/** A name for a definition, 16 hex digits. */
export function definitionHash(definition: ModelDefinition): string {
  return createHash("sha256").update(definitionText(definition)).digest("hex").slice(0, 16);
}

/** The key under which a weight file holds its definition. */
export const definitionKey = "mammolab";

/**
 * The definition of the model in a folder: `model.json`, or the copy that the weight file holds.
 *
 * @param metadata of the weight file
 * @throws MammolabError when there is none, when it is broken, or when the two differ
 */
export async function readDefinition(folder: string, metadata: ReadonlyMap<string, string>): Promise<ModelDefinition> {
  const path = join(folder, "model.json");
  const held = metadata.get(definitionKey);
  const written = await Deno.readTextFile(path).catch((error) => {
    if (held !== undefined && error instanceof Deno.errors.NotFound) return undefined;
    const reason = error instanceof Deno.errors.NotFound
      ? "it has no model.json, which says what network it is; save it with saveModel, or write one"
      : `${path} cannot be read (${sentenceOf(error)}); check its permissions`;
    throw new MammolabError(`Cannot open the model ${folder}: ${reason}`, { cause: error });
  });
  const definition = parseDefinition(written ?? held as string, path);
  // Weights are written first: a save that was interrupted leaves new weights beside the old model.json.
  if (held !== undefined && definitionText(definition) !== definitionText(parseDefinition(held, path))) {
    throw new MammolabError(
      `Cannot open the model ${folder}: model.json and model.safetensors do not belong together (a save was interrupted, or model.json was changed by hand); delete model.json to take what the weights say`,
    );
  }
  return definition;
}

/** A definition from its text. @throws MammolabError when it is none, naming `path` */
export function parseDefinition(text: string, path: string): ModelDefinition {
  const cannot = (reason: string, cause?: unknown): never => {
    throw new MammolabError(`Cannot read ${path}: ${reason}; save the model again`, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    cannot("it is no JSON", cause);
  }
  return checkedDefinition(value as Partial<ModelDefinition>, path, cannot);
}

/** A definition that holds together; `cannot` makes the sentence of what does not. */
export function checkedDefinition(
  value: Partial<ModelDefinition>,
  from: string,
  cannot: (reason: string) => never,
): ModelDefinition {
  if (value?.schemaVersion !== 1) cannot("it is not a model of this version (schemaVersion 1)");
  const { name, spec, classes, preparation, trained } = value;
  if (typeof name !== "string" || typeof trained !== "boolean") cannot("name or trained is missing");
  if (spec?.kind !== "vit") cannot(`it names no network that is known (spec.kind "vit")`);
  if (
    !Array.isArray(classes) || classes.length !== spec?.classes || !classes.every((one) => typeof one === "string") ||
    new Set(classes).size < classes.length
  ) {
    cannot(`classes must be ${spec?.classes} names, all different, as many as the network has outputs`);
  }
  if (value.scores !== undefined && value.scores !== "softmax" && value.scores !== "sigmoid") {
    cannot(`scores is ${JSON.stringify(value.scores)}, it may be "softmax" or "sigmoid"`);
  }
  const size = readPreparation(preparation, from).resize;
  if (size.height !== spec?.imageSize?.height || size.width !== spec?.imageSize?.width) {
    cannot("preparation.resize is not the size that the network takes (spec.imageSize)");
  }
  return value as ModelDefinition;
}
