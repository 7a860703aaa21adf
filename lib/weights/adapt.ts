import { MammolabError } from "../base/mod.ts";
import { initialize } from "./initialize.ts";
import { resamplePositions, type TokenGrid } from "./resample.ts";

/** Numbers by the nets' names. */
export type NamedTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }
>;

/** `(x − mean) / std` per channel, of pixels in 0..1. */
export type ChannelNormalization = { readonly mean: readonly number[]; readonly std: readonly number[] };

/** What was changed so that weights fit another network. */
export type Adaptation =
  /** Position embeddings, resampled to another grid of tokens. */
  | { readonly kind: "positions"; readonly from: TokenGrid; readonly to: TokenGrid }
  /** The patch projection, from color to grey. */
  | { readonly kind: "channels"; readonly from: number; readonly to: 1 }
  /** The last norm, which stands before or after the mean of the tokens and is named so: the same numbers. */
  | { readonly kind: "norm"; readonly from: string; readonly to: string }
  /** The head, drawn anew: the old one told other classes apart. */
  | { readonly kind: "head"; readonly names: readonly string[]; readonly from: number; readonly to: number };

/** Weights that fit, how they want their pixels, and what was changed for it. */
export type AdaptedWeights = {
  readonly weights: NamedTensors;
  readonly normalization: ChannelNormalization;
  readonly changes: readonly Adaptation[];
};

/**
 * Makes published weights fit a network of the same kind with another image size, one channel instead of three, another
 * pool before the head, or other classes. What else differs is left as it is, for `requireFit` to refuse.
 *
 * @param needed the network's parameters: name → shape
 * @param options.grid of the network's tokens
 * @param options.trainedGrid that the weights were trained on; default: a square
 * @param options.normalization that the weights were trained with
 * @param options.seed of the new head
 * @param options.newHead draws the head anew where the number of classes is the same too
 */
export function adaptWeights(
  weights: NamedTensors,
  needed: ReadonlyMap<string, readonly number[]>,
  { grid, trainedGrid, prefixTokens, normalization, seed, newHead = false }: {
    readonly grid: TokenGrid;
    readonly trainedGrid?: TokenGrid;
    /** Tokens that have a row in `pos_embed` before those of the image. */
    readonly prefixTokens: number;
    readonly normalization: ChannelNormalization;
    readonly seed: number;
    readonly newHead?: boolean;
  },
): AdaptedWeights {
  const out = new Map(weights);
  const changes: Adaptation[] = [];

  const positions = weights.get("pos_embed");
  if (positions && needed.has("pos_embed")) {
    const side = Math.round(Math.sqrt((positions.shape[1] ?? 0) - prefixTokens));
    const from = trainedGrid ?? { height: side, width: side };
    if (from.height !== grid.height || from.width !== grid.width) {
      out.set("pos_embed", resamplePositions(positions, { prefixTokens, from, to: grid }));
      changes.push({ kind: "positions", from, to: { height: grid.height, width: grid.width } });
    }
  }

  let own = normalization;
  const kernel = weights.get("patch_embed.proj.weight");
  const bias = weights.get("patch_embed.proj.bias");
  if (kernel && bias && needed.get("patch_embed.proj.weight")?.[1] === 1 && (kernel.shape[1] ?? 1) > 1) {
    const grey = toGrey(kernel, { bias: bias.data, normalization });
    out.set("patch_embed.proj.weight", grey.kernel).set("patch_embed.proj.bias", { ...bias, data: grey.bias });
    changes.push({ kind: "channels", from: kernel.shape[1]!, to: 1 });
    own = grey.normalization;
  }

  for (const [from, to] of [["norm", "fc_norm"], ["fc_norm", "norm"]] as const) {
    const parts = ["weight", "bias"].map((part) => [`${from}.${part}`, `${to}.${part}`] as const);
    if (!parts.every(([old, own]) => weights.has(old) && needed.has(own) && !weights.has(own))) continue;
    for (const [old, own] of parts) {
      out.set(own, weights.get(old)!);
      if (!needed.has(old)) out.delete(old);
    }
    changes.push({ kind: "norm", from, to });
  }

  const heads = [...needed.keys()].filter((name) => /^(?:head|head_dist|pre_logits)\./.test(name));
  const rows = (shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>) =>
    shapes.get("head.weight")?.shape[0] ?? 0;
  const asNeeded = new Map([...needed].map(([name, shape]) => [name, { shape }]));
  const other = heads.some((name) => weights.get(name)?.shape.join() !== needed.get(name)!.join());
  if (heads.length > 0 && (newHead || other)) {
    const drawn = initialize(new Map(heads.map((name) => [name, needed.get(name)!])), { seed });
    for (const name of heads) out.set(name, { shape: needed.get(name)!, data: drawn.get(name)! });
    changes.push({ kind: "head", names: heads, from: rows(weights), to: rows(asNeeded) });
  }
  // A head that the network does not have is no part of the answer.
  for (const name of weights.keys()) {
    if (/^(?:head|head_dist|pre_logits)\./.test(name) && !needed.has(name)) out.delete(name);
  }
  return { weights: out, normalization: own, changes };
}

/**
 * The patch projection for grey pixels that gives the same numbers as the one for color gives for grey copied to all
 * channels: a convolution is linear, so the sum over the channels of its kernels, each divided by its channel's deviation,
 * takes their place. Exact, because no zeros are padded. The grey image is normalized by the mean of the channels' means
 * and deviations; where these are equal the result is the plain sum (timm's `adapt_input_conv`) and the same bias.
 *
 * @param kernel `[dim, channels, height, width]`
 * @returns `[dim, 1, height, width]`, the bias `[dim]`, and the normalization of one channel
 */
export function toGrey(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float32Array },
  { bias, normalization: { mean, std } }: {
    readonly bias: Float32Array;
    readonly normalization: ChannelNormalization;
  },
): {
  readonly kernel: { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> };
  readonly bias: Float32Array<ArrayBuffer>;
  readonly normalization: ChannelNormalization;
} {
  const [dim = 0, channels = 0, height = 0, width = 0] = shape;
  const of = (values: readonly number[], channel: number) => values.length === 1 ? values[0]! : values[channel]!;
  if (shape.length !== 4 || [mean, std].some((values) => values.length !== 1 && values.length !== channels)) {
    throw new MammolabError(
      `Cannot make the patch projection [${shape}] grey: its channels need as many means and deviations, there are ${mean.length} and ${std.length}; give those of its training`,
    );
  }
  const average = (values: readonly number[]) =>
    values.every((value) => value === values[0])
      ? values[0]!
      : values.reduce((sum, value) => sum + value, 0) / values.length;
  const [m, s] = [average(mean), average(std)];
  const size = height * width;
  const kernel = new Float32Array(dim * size);
  const shifted = new Float32Array(dim);
  // With z = (x − m) / s, channel c is (x − μ) / σ = z s/σ + (m − μ)/σ.
  for (let d = 0; d < dim; d++) {
    let constant = bias[d]!;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) {
        const value = data[(d * channels + c) * size + i]!;
        sum += value * (s / of(std, c));
        constant += value * ((m - of(mean, c)) / of(std, c));
      }
      kernel[d * size + i] = sum;
    }
    shifted[d] = constant;
  }
  return {
    kernel: { shape: [dim, 1, height, width], data: kernel },
    bias: shifted,
    normalization: { mean: [m], std: [s] },
  };
}

/** A change in words, for a report. */
export function adaptationSentence(change: Adaptation): string {
  switch (change.kind) {
    case "positions":
      return `position embeddings resampled from ${change.from.height} × ${change.from.width} to ${change.to.height} × ${change.to.width} tokens (bicubic)`;
    case "channels":
      return `patch projection folded from ${change.from} channels to grey: the same numbers for grey films`;
    case "norm":
      return `the last norm is ${change.to} in place of ${change.from}: the same numbers`;
    case "head":
      return `head drawn anew: ${change.from} classes before, ${change.to} now`;
  }
}
