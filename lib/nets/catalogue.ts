// deno-lint-ignore-file camelcase -- published names are data
import { MammolabError } from "../base/mod.ts";
import {
  batch,
  constant,
  divide,
  expand,
  input,
  scalar,
  scope,
  type Shape,
  subtract,
  type Tensor,
} from "../graph/mod.ts";
import { type NetOutput, parameters } from "./layers.ts";
import { type TrainingOptions, vit, vitDefaults, type VitSpec } from "./vit.ts";

/** Sizes of any network of the catalogue. Plain JSON. */
export type NetSpec = VitSpec;

/** How pixels in 0..1 become the network's input: `(x − mean) / std` per channel. */
export type Normalization = { readonly mean: readonly number[]; readonly std: readonly number[] };

/** A network by name: its sizes, and the normalization that its published weights were trained with. */
export type CatalogueEntry = { readonly spec: NetSpec; readonly normalization: Normalization };

/** A network as an expression. */
export type Net = NetOutput & {
  /** `[batch, 1 or channels, height, width]`, values in 0..1. */
  readonly image: Tensor<"input">;
  /** By published name, in the order of first use. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
};

const half: Normalization = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const imageNet: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const square = (side: number) => ({ imageSize: { height: side, width: side } });

const tiny = { dim: 192, depth: 12, heads: 3 };
const small = { dim: 384, depth: 12, heads: 6 };
const base = { dim: 768, depth: 12, heads: 12 };
const large = { dim: 1024, depth: 24, heads: 16 };
const entry = (
  sizes: Partial<VitSpec> & Pick<VitSpec, "dim" | "depth" | "heads">,
  normalization = half,
): CatalogueEntry => ({
  spec: { ...vitDefaults, ...sizes },
  normalization,
});
const dinov2 = { patchSize: 14, ...square(518), layerScale: true, classes: 0 };

/** timm's names, and our own. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = {
  "vit-phantom": entry(
    {
      imageSize: { height: 384, width: 192 },
      channels: 1,
      classes: 2,
      stem: [16, 32, 64, 128],
      dim: 192,
      depth: 4,
      heads: 3,
    },
    { mean: [0.5], std: [0.25] },
  ),
  test_vit: entry({ ...square(160), dim: 64, depth: 6, heads: 2, mlpRatio: 3 }),
  vit_tiny_patch16_224: entry(tiny),
  vit_tiny_patch16_384: entry({ ...tiny, ...square(384) }),
  vit_small_patch16_224: entry(small),
  vit_small_patch16_384: entry({ ...small, ...square(384) }),
  vit_small_patch32_224: entry({ ...small, patchSize: 32 }),
  vit_base_patch16_224: entry(base),
  vit_base_patch16_384: entry({ ...base, ...square(384) }),
  vit_base_patch32_224: entry({ ...base, patchSize: 32 }),
  vit_base_patch32_384: entry({ ...base, patchSize: 32, ...square(384) }),
  vit_large_patch16_224: entry(large),
  vit_large_patch16_384: entry({ ...large, ...square(384) }),
  deit_tiny_patch16_224: entry(tiny, imageNet),
  deit_small_patch16_224: entry(small, imageNet),
  deit_base_patch16_224: entry(base, imageNet),
  deit_base_patch16_384: entry({ ...base, ...square(384) }, imageNet),
  deit_tiny_distilled_patch16_224: entry({ ...tiny, distilled: true }, imageNet),
  deit_small_distilled_patch16_224: entry({ ...small, distilled: true }, imageNet),
  deit_base_distilled_patch16_224: entry({ ...base, distilled: true }, imageNet),
  deit_base_distilled_patch16_384: entry({ ...base, distilled: true, ...square(384) }, imageNet),
  "vit_small_patch16_224.dino": entry({ ...small, classes: 0 }, imageNet),
  "vit_small_patch8_224.dino": entry({ ...small, patchSize: 8, classes: 0 }, imageNet),
  "vit_base_patch16_224.dino": entry({ ...base, classes: 0 }, imageNet),
  "vit_base_patch8_224.dino": entry({ ...base, patchSize: 8, classes: 0 }, imageNet),
  vit_small_patch14_dinov2: entry({ ...small, ...dinov2 }, imageNet),
  vit_base_patch14_dinov2: entry({ ...base, ...dinov2 }, imageNet),
  vit_large_patch14_dinov2: entry({ ...large, ...dinov2 }, imageNet),
  vit_small_patch14_reg4_dinov2: entry({ ...small, ...dinov2, registers: 4, prefixPositions: false }, imageNet),
  vit_base_patch14_reg4_dinov2: entry({ ...base, ...dinov2, registers: 4, prefixPositions: false }, imageNet),
  vit_large_patch14_reg4_dinov2: entry({ ...large, ...dinov2, registers: 4, prefixPositions: false }, imageNet),
};

/** The entry of a name. @throws MammolabError listing the names that are known */
export function catalogueEntry(name: string): CatalogueEntry {
  const found = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
  if (!found) {
    throw new MammolabError(
      `Cannot find the network ${name}: it is not in the catalogue; known are ${Object.keys(catalogue).join(", ")}`,
    );
  }
  return found;
}

/**
 * Builds a network over an input of grey or color pixels in 0..1: normalization, and the copy of grey to the network's
 * channels, are nodes of the graph.
 *
 * @param inputChannels 1 (grey; copied where the network wants three) or the network's own number
 * @param batchSize fixed for training; free by default
 * @param dropPath, dropout, readOnlyWhatTheHeadReads see `TrainingOptions`
 */
export function buildNet(
  spec: NetSpec,
  { normalization, inputChannels = 1, batchSize, dropPath = 0, dropout = 0, readOnlyWhatTheHeadReads = false }: {
    readonly normalization: Normalization;
    readonly inputChannels?: number;
    readonly batchSize?: number;
  } & TrainingOptions,
): Net {
  check(spec);
  if (inputChannels !== 1 && inputChannels !== spec.channels) {
    throw new MammolabError(
      `Cannot build the network: it takes ${spec.channels} channels, or grey, and not ${inputChannels}; change its input`,
    );
  }
  const { height, width } = spec.imageSize;
  const first = batchSize ?? batch;
  const image = input("image", [first, inputChannels, height, width]);
  const { p, shapes } = parameters();
  const normalized = normalize(image, [first, spec.channels, height, width], normalization);
  const output = vit(normalized, p, spec, { dropPath, dropout, readOnlyWhatTheHeadReads });
  return { ...output, image, parameters: shapes };
}

function normalize(image: Tensor, shape: Shape, { mean, std }: Normalization): Tensor {
  return scope("normalize", () => {
    const channels = shape[1] as number;
    const perChannel = (values: readonly number[]) =>
      values.length === 1 || values.every((value) => value === values[0])
        ? scalar(values[0]!)
        : constant(values, [1, channels, 1, 1]);
    // Equal constants: normalize the one channel, then copy; else the subtraction itself copies.
    const centered = divide(subtract(image, perChannel(mean)), perChannel(std));
    return expand(centered, shape);
  });
}

/** A spec may come from a file: what is no network must not become one. */
function check(spec: VitSpec): void {
  const { imageSize: { height, width }, patchSize, channels, dim, depth, heads, mlpRatio, classes, registers } = spec;
  const { pool, head, classToken, distilled, stem = [] } = spec;
  if (!Array.isArray(stem)) {
    throw new MammolabError(`Cannot build the network: stem is ${stem}, not a list of channels; change its sizes`);
  }
  const stems = Object.fromEntries(stem.map((width, layer) => [`channel number ${layer} of the stem`, width]));
  const sizes = { ...stems, height, width, patchSize, channels, dim, depth, heads, hidden: dim * mlpRatio };
  const strange = Object.entries(sizes).find(([, size]) => !(Number.isSafeInteger(size) && size > 0)) ??
    Object.entries({ classes, registers }).find(([, count]) => !(Number.isSafeInteger(count) && count >= 0));
  const wrong = strange
    ? `${strange[0]} is ${strange[1]}, not a whole number ${strange[0] in sizes ? "above 0" : "of 0 or more"}`
    : !["token", "average", "max"].includes(pool)
    ? `pool is ${pool}, not token, average or max`
    : !["linear", "gelu", "tanh"].includes(head)
    ? `head is ${head}, not linear, gelu or tanh`
    : distilled && (!classToken || pool !== "token")
    ? "the distillation head needs the class token and its head"
    : height % patchSize || width % patchSize
    ? `${height} × ${width} pixels are not whole patches of ${patchSize}`
    : patchSize % 2 ** stem.length
    ? `a stem of ${stem.length} convolutions shrinks by ${
      2 ** stem.length
    }, which does not divide patches of ${patchSize}`
    : dim % heads
    ? `${dim} channels do not divide into ${heads} heads`
    : pool === "token" && !classToken
    ? "the head reads a class token that the network does not have"
    : undefined;
  if (wrong) throw new MammolabError(`Cannot build the network: ${wrong}; change its sizes`);
}
