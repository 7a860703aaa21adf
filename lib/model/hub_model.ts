import { basename, join } from "node:path";
import { MammolabError, sentenceOf } from "../base/mod.ts";
import type { ResizeFilter } from "../image/mod.ts";
import { catalogue, type NetSpec, type Normalization, vitDefaults } from "../nets/mod.ts";
import { publishedNames, publishedShapes } from "../weights/mod.ts";
import type { ModelDefinition } from "./definition.ts";

type Json = Readonly<Record<string, unknown>>;
type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;
type Facts = {
  readonly spec: NetSpec;
  readonly normalization: Normalization;
  readonly filter: ResizeFilter;
  readonly labels: unknown;
};

/** Longer ones are no configuration. */
const configLimit = 2_000_000;

const imageNet: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const half: Normalization = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/**
 * What a model of the Hugging Face hub is, from its `config.json` (timm's, or that of transformers' ViT and DeiT, with
 * `preprocessor_config.json`) and the shapes of its weights. Sizes, normalization and interpolation are those of its training; a
 * film is cut to the breast and padded to the size, where a photograph would be cut in the middle.
 *
 * @param folder with `config.json`
 * @param tensors of its weights, by the names in the file
 * @param options.name shown with every result
 * @param options.origin where the numbers come from, in words
 * @throws MammolabError when it is a network of another kind, or the configuration cannot be understood
 */
export async function hubDefinition(
  folder: string,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { name = basename(folder), origin = folder }: { readonly name?: string; readonly origin?: string } = {},
): Promise<ModelDefinition> {
  const path = join(folder, "config.json");
  const config = await readJson(path);
  const names = publishedNames(tensors.keys());
  const shapes = publishedShapes(names, tensors);
  const refuse = (found: string): never => {
    throw new MammolabError(`Cannot open the model ${name}: ${found}; choose a ViT or DeiT`);
  };
  const facts = typeof config.architecture === "string"
    ? timmFacts(config, shapes, refuse)
    : config.model_type === "vit" || config.model_type === "deit"
    ? huggingFaceFacts(config, await readJson(join(folder, "preprocessor_config.json"), {}), {
      shapes,
      epsilon: names.epsilon,
      refuse,
    })
    : refuse(`its config.json names the network ${JSON.stringify(config.model_type ?? null)}, which is not known here`);
  const { spec, normalization, filter, labels } = facts;

  const layers = [...shapes.keys()].filter((name) => /^blocks\.\d+\.norm1\.weight$/.test(name)).length;
  if (layers !== spec.depth) refuse(`its config.json says ${spec.depth} layers, its weights have ${layers}`);
  return {
    schemaVersion: 1,
    name,
    spec,
    classes: classNames(labels, spec.classes),
    preparation: {
      crop: "breast",
      face: "left",
      resize: { ...spec.imageSize, filter, fit: "pad" },
      range: "display",
      ...normalization,
      channels: spec.channels === 1 ? 1 : 3,
    },
    trained: true,
    origin,
  };
}

/** timm's config.json: a name of the catalogue, and `pretrained_cfg` (in older files its fields stand beside the name). */
function timmFacts(config: Json, shapes: Shapes, refuse: (found: string) => never): Facts {
  const own = { ...config, ...record(config.pretrained_cfg) };
  const names = [`${config.architecture}.${own.tag}`, String(config.architecture)];
  const known = names.find((name) => Object.hasOwn(catalogue, name));
  if (known === undefined) refuse(`its network ${JSON.stringify(config.architecture)} is not in the catalogue`);
  const { spec, normalization } = catalogue[known!]!;
  const [channels, height, width] = sizes(own.input_size) ??
    [spec.channels, spec.imageSize.height, spec.imageSize.width];
  const head = shapes.get("head.weight")?.shape[0];
  return {
    spec: {
      ...spec,
      imageSize: { height: height!, width: width! },
      channels: shapes.get("patch_embed.proj.weight")?.shape[1] ?? channels!,
      classes: head ?? 0,
      pool: config.global_pool === "avg" ? "average" : "token",
    },
    normalization: normalizationOf(own.mean, own.std, { channels: channels!, otherwise: normalization, refuse }),
    filter: own.interpolation === "bilinear" ? "bilinear" : "bicubic",
    labels: config.label_names,
  };
}

/** transformers' config.json; what it leaves out has the default of `ViTConfig`. */
function huggingFaceFacts(
  config: Json,
  preprocessor: Json,
  { shapes, epsilon, refuse }: {
    readonly shapes: Shapes;
    readonly epsilon: number;
    readonly refuse: (found: string) => never;
  },
): Facts {
  const number = (field: string, otherwise: number): number => {
    const value = config[field] ?? otherwise;
    return typeof value === "number" && Number.isFinite(value) && value > 0
      ? value
      : refuse(`${field} in its config.json is ${JSON.stringify(value)}, no number above zero`);
  };
  if ((config.hidden_act ?? "gelu") !== "gelu") {
    refuse(`its activation is ${JSON.stringify(config.hidden_act)}, the networks here have "gelu"`);
  }
  const dim = number("hidden_size", 768);
  const channels = number("num_channels", 3);
  const [height, width] = pair(config.image_size ?? 224) ?? refuse("image_size in its config.json is no size");
  const [patchSize, other] = pair(config.patch_size ?? 16) ?? refuse("patch_size in its config.json is no size");
  if (patchSize !== other) refuse(`its patches are ${patchSize} × ${other}, the networks here have square ones`);
  const distilled = shapes.has("head_dist.weight");
  const normalize = preprocessor.do_normalize !== false;
  return {
    spec: {
      ...vitDefaults,
      imageSize: { height, width },
      patchSize,
      channels,
      dim,
      depth: number("num_hidden_layers", 12),
      heads: number("num_attention_heads", 12),
      mlpRatio: number("intermediate_size", 4 * dim) / dim,
      classes: shapes.get("head.weight")?.shape[0] ?? 0,
      epsilon: number("layer_norm_eps", epsilon),
      qkvBias: config.qkv_bias !== false,
      distilled,
      registers: shapes.has("reg_token") ? 1 : 0, // DeiT's second token, read by no head
    },
    normalization: normalize
      ? normalizationOf(preprocessor.image_mean, preprocessor.image_std, {
        channels,
        otherwise: config.model_type === "deit" ? imageNet : half,
        refuse,
      })
      : { mean: [0], std: [1] },
    filter: (preprocessor.resample ?? (config.model_type === "deit" ? 3 : 2)) === 3 ? "bicubic" : "bilinear", // as Pillow
    labels: config.id2label,
  };
}

/** Names as the model gives them, where they are as many as the outputs and differ. */
function classNames(labels: unknown, count: number): string[] {
  const given = Array.from({ length: count }, (_, i) => (labels as Json | undefined | null)?.[i]);
  const named = given.every((label) => typeof label === "string" && label !== "") && new Set(given).size === count;
  return named ? given as string[] : given.map((_, i) => `class ${i}`);
}

function normalizationOf(
  mean: unknown,
  std: unknown,
  { channels, otherwise, refuse }: {
    readonly channels: number;
    readonly otherwise: Normalization;
    readonly refuse: (found: string) => never;
  },
): Normalization {
  if (mean === undefined && std === undefined) {
    return channels === otherwise.mean.length ? otherwise : { mean: [0.5], std: [0.5] };
  }
  const fits = (values: unknown): values is number[] =>
    Array.isArray(values) && (values.length === 1 || values.length === channels) &&
    values.every((value) => typeof value === "number" && Number.isFinite(value));
  if (!fits(mean) || !fits(std) || std.some((value) => value <= 0)) {
    return refuse(`its mean and deviation are not ${channels} numbers each, deviations above zero`);
  }
  return { mean, std };
}

const record = (value: unknown): Json => typeof value === "object" && value !== null ? value as Json : {};

function sizes(value: unknown): number[] | undefined {
  const fits = Array.isArray(value) && value.length === 3 && value.every((n) => Number.isSafeInteger(n) && n > 0);
  return fits ? value as number[] : undefined;
}

/** 224, [224, 224] or { height, width }. */
function pair(value: unknown): readonly [number, number] | undefined {
  const { height, width } = record(value);
  const two = Array.isArray(value) ? value : typeof value === "number" ? [value, value] : [height, width];
  const fits = two.length === 2 && two.every((n) => Number.isSafeInteger(n) && n > 0 && n <= 16384);
  return fits ? two as [number, number] : undefined;
}

async function readJson(path: string, otherwise?: Json): Promise<Json> {
  const cannot = (reason: string, cause?: unknown): never => {
    throw new MammolabError(`Cannot read ${path}: ${reason}; fetch the model again`, { cause });
  };
  try {
    const { size } = await Deno.stat(path);
    if (size > configLimit) return cannot(`it has ${size} bytes, which is no configuration`);
    const value: unknown = JSON.parse(await Deno.readTextFile(path));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Json
      : cannot("it is no JSON object");
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    if (cause instanceof Deno.errors.NotFound && otherwise) return otherwise;
    return cannot(cause instanceof SyntaxError ? "it is no JSON" : sentenceOf(cause), cause);
  }
}
