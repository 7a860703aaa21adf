import {
  add,
  concat,
  conv2d,
  type Dim,
  expand,
  gelu,
  input,
  linear as linearOf,
  max,
  maxPool2d,
  mean,
  multiply,
  relu,
  reshape,
  scale,
  scope,
  slice,
  tanh,
  type Tensor,
  transpose,
} from "../graph/mod.ts";
import {
  type Attention,
  layerNorm,
  linear,
  mlp,
  type NetOutput,
  type Parameters,
  selfAttention,
  within,
} from "./layers.ts";

/** Sizes of a Vision Transformer. Plain JSON. */
export type VitSpec = {
  readonly kind: "vit";
  /** Pixels; multiples of `patchSize`. */
  readonly imageSize: { readonly height: number; readonly width: number };
  readonly patchSize: number;
  /**
   * Channels of 3 × 3 convolutions that read the image before the tokens are made: the hybrid architecture (Dosovitskiy et
   * al. 2021, section 3.1), which learns from far fewer images (Xiao et al. 2021, "Early convolutions help transformers see
   * better"). Each halves the image, the first by its stride, the others by a max pool after their ReLU; together by
   * `patchSize`. Default: none, patches are projected as they are.
   */
  readonly stem?: readonly number[];
  readonly channels: number;
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly classes: number;
  /** Of the layer norms: timm 1e-6, Hugging Face's own checkpoints 1e-12. */
  readonly epsilon: number;
  readonly qkvBias: boolean;
  /**
   * `token`: the head reads the class token. `average`: the mean of the image tokens, normalized after (timm's `fc_norm`).
   * `max`: the largest values of the normalized image tokens, which finds what is small from few images.
   */
  readonly pool: "token" | "average" | "max";
  readonly classToken: boolean;
  /** DeiT's second token and head (Touvron et al. 2021). */
  readonly distilled: boolean;
  /** Tokens without a position (Darcet et al. 2024). */
  readonly registers: number;
  /** Whether the prefix tokens have positions too (timm's `no_embed_class` turns it off). */
  readonly prefixPositions: boolean;
  /** A learned factor on each branch, `ls1.gamma` and `ls2.gamma` (DINOv2). */
  readonly layerScale: boolean;
  /** `linear`: one layer, for fine-tuning. Else an MLP with one hidden layer of `dim` and this activation, for pre-training. */
  readonly head: "linear" | "gelu" | "tanh";
};

/** What most Vision Transformers share: 224 × 224 in three channels, patches of 16, a class token. */
export const vitDefaults: Omit<VitSpec, "dim" | "depth" | "heads"> = {
  kind: "vit",
  imageSize: { height: 224, width: 224 },
  patchSize: 16,
  channels: 3,
  mlpRatio: 4,
  classes: 1000,
  epsilon: 1e-6,
  qkvBias: true,
  pool: "token",
  classToken: true,
  distilled: false,
  registers: 0,
  prefixPositions: true,
  layerScale: false,
  head: "linear",
};

/** Tokens of an image: rows and columns of patches, `N = HW / P²`. */
export function gridOf(
  { imageSize: { height, width }, patchSize }: VitSpec,
): { readonly height: number; readonly width: number } {
  return { height: height / patchSize, width: width / patchSize };
}

/** Tokens before those of the image. */
export function prefixTokensOf({ classToken, distilled, registers }: VitSpec): number {
  return (classToken ? 1 : 0) + (distilled ? 1 : 0) + registers;
}

/** What a training may ask for besides. */
export type TrainingOptions = {
  /** Stochastic depth (Huang et al. 2016): rates rise linearly to this at the last block; the masks are inputs `dropPath.L.*`. */
  readonly dropPath?: number;
  /**
   * Dropout (Srivastava et al. 2014): the chance of a zero for each value of the embedding and of each branch's last layer
   * (timm's `pos_drop_rate` and `proj_drop_rate` without the hidden layer of the MLP); the masks are inputs `dropout.*`.
   */
  readonly dropout?: number;
  /** The attention map of the last block has only the rows of the tokens that the head reads: a little less work. */
  readonly readOnlyWhatTheHeadReads?: boolean;
};

/**
 * The Vision Transformer (Dosovitskiy et al. 2021, equations 1-4), with the parameter names of timm.
 *
 * @param image `[batch, channels, height, width]`, normalized
 */
export function vit(image: Tensor, p: Parameters, spec: VitSpec, training: TrainingOptions = {}): NetOutput {
  const attention: Attention[] = [];
  const wholeMap = !training.readOnlyWhatTheHeadReads;
  const thinned = (x: Tensor, name: string) =>
    (training.dropout ?? 0) > 0 ? multiply(x, input(`dropout.${name}`, x.shape)) : x;
  let z = thinned(embed(image, p, spec), "embedding"); // eq. 1: z₀ = [x_class; x¹E; …; xᴺE] + E_pos

  for (let layer = 0; layer < spec.depth; layer++) {
    const block = within(p, `blocks.${layer}`);
    z = scope(`blocks.${layer}`, () => {
      const branch = (values: Tensor, name: "attn" | "mlp") => {
        const x = thinned(values, `${layer}.${name}`);
        const scaled = spec.layerScale ? multiply(x, block(`${name === "attn" ? "ls1" : "ls2"}.gamma`, [spec.dim])) : x;
        return dropped(
          scaled,
          `dropPath.${layer}.${name}`,
          (training.dropPath ?? 0) * layer / Math.max(1, spec.depth - 1),
        );
      };
      // Of the last block only what the head reads goes on: the same logits with 6 % fewer products in ViT-Tiny.
      const read = layer === spec.depth - 1 ? tokensRead(spec) : z.shape[1] as number;

      const normal = layerNorm(z, block, "norm1", spec.epsilon);
      const msa = scope(
        "attn",
        () => selfAttention(normal, within(block, "attn"), { ...spec, read, wholeMap }),
      );
      attention.push({ tap: tapOf(spec, layer), tensor: msa.attention });
      const attended = add(slice(z, 1, 0, read), branch(msa.x, "attn")); // eq. 2: z′ = MSA(LN(z)) + z

      const wide = scope(
        "mlp",
        () =>
          mlp(layerNorm(attended, block, "norm2", spec.epsilon), within(block, "mlp"), {
            hidden: spec.dim * spec.mlpRatio,
          }),
      );
      return add(attended, branch(wide, "mlp")); // eq. 3: z = MLP(LN(z′)) + z′
    });
  }
  return { ...headOf(z, p, spec), attention };
}

/** How many tokens, from the first, the head reads. */
function tokensRead(spec: VitSpec): number {
  const { height, width } = gridOf(spec);
  return spec.pool !== "token" ? prefixTokensOf(spec) + height * width : spec.distilled ? 2 : 1;
}

/** A branch times its mask, one number an image: 0, or 1 / (1 − rate). */
function dropped(x: Tensor, name: string, rate: number): Tensor {
  return rate > 0 ? multiply(x, input(name, [x.shape[0]!, 1, 1])) : x;
}

/** Patches, projected; prefix tokens; positions. `[batch, prefix + N, dim]` */
function embed(image: Tensor, p: Parameters, spec: VitSpec): Tensor {
  const { dim } = spec;
  const grid = gridOf(spec);
  const batch = image.shape[0] as Dim;
  const tokens = grid.height * grid.width;

  return scope("patch_embed", () => {
    const seen = convolved(image, p, spec); // [batch, C, gh · P, gw · P] with what is left of the patch
    const [, channels, height] = seen.shape as readonly [Dim, number, number];
    const size = height / grid.height;
    // [batch, C, gh, P, gw, P] → [batch, gh, gw, C, P, P]: row by row, each patch flat in the order of a kernel
    const cut = reshape(seen, [batch, channels, grid.height, size, grid.width, size]);
    const patches = reshape(transpose(cut, [0, 2, 4, 1, 3, 5]), [batch, tokens, channels * size * size]);
    // The projection E is published as the kernel of a convolution with stride P: the same numbers, row by row.
    const kernel = p("patch_embed.proj.weight", [dim, channels, size, size]);
    const projected = project(patches, kernel, p("patch_embed.proj.bias", [dim]));

    const prefix = [
      ...(spec.classToken ? [p("cls_token", [1, 1, dim])] : []),
      ...(spec.distilled ? [p("dist_token", [1, 1, dim])] : []),
      ...(spec.registers > 0 ? [p("reg_token", [1, spec.registers, dim])] : []),
    ].map((token) => expand(token, [batch, token.shape[1]!, dim]));
    const positioned = tokens + (spec.prefixPositions ? prefixTokensOf(spec) : 0);
    const positions = p("pos_embed", [1, positioned, dim]);
    return spec.prefixPositions
      ? add(concat([...prefix, projected], 1), positions)
      : concat([...prefix, add(projected, positions)], 1);
  });
}

/** The image after the convolutions of the stem, `[batch, channels, height / 2ⁿ, width / 2ⁿ]`; without a stem the image. */
function convolved(image: Tensor, p: Parameters, { stem = [], channels }: VitSpec): Tensor {
  let x = image;
  stem.forEach((width, layer) => {
    const conv = (name: string, shape: readonly number[]) => p(`patch_embed.stem.${layer}.${name}`, shape);
    const kernel = conv("weight", [width, layer === 0 ? channels : stem[layer - 1]!, 3, 3]);
    x = relu(conv2d(x, kernel, { bias: conv("bias", [width]), padding: 1, stride: layer === 0 ? 2 : 1 }));
    if (layer > 0) x = maxPool2d(x, { size: 2 });
  });
  return x;
}

function project(patches: Tensor, kernel: Tensor, bias: Tensor): Tensor {
  const [dim, ...rest] = kernel.shape as number[];
  return linearOf(patches, reshape(kernel, [dim!, rest.reduce((a, b) => a * b, 1)]), bias);
}

/** eq. 4: y = LN(z_L⁰), and the head. */
function headOf(z: Tensor, p: Parameters, spec: VitSpec): Pick<NetOutput, "logits" | "features"> {
  const batch = z.shape[0] as Dim;
  const prefix = prefixTokensOf(spec);
  const token = (x: Tensor, index: number) => reshape(slice(x, 1, index, index + 1), [batch, spec.dim]);

  if (spec.pool === "max") {
    const tokens = layerNorm(slice(z, 1, prefix, z.shape[1] as number), p, "norm", spec.epsilon);
    const features = max(tokens, { axes: [1] });
    return { features, logits: classify(features, p, spec) };
  }
  if (spec.pool === "average") {
    const pooled = mean(slice(z, 1, prefix, z.shape[1] as number), { axes: [1] });
    const features = layerNorm(pooled, p, "fc_norm", spec.epsilon);
    return { features, logits: classify(features, p, spec) };
  }
  // Only the tokens that the head reads need the last norm: the same numbers for 1 of 197 tokens.
  const read = (index: number) => layerNorm(token(z, index), p, "norm", spec.epsilon);
  const features = read(0);
  const logits = classify(features, p, spec);
  if (!spec.distilled) return { features, logits };
  const second = linear(read(1), p, "head_dist", spec.classes);
  return { features, logits: scale(add(logits, second), 0.5) }; // DeiT: the mean of both heads
}

/** With no classes (DINO) there is no head: the features are the answer. */
function classify(features: Tensor, p: Parameters, { head, dim, classes }: VitSpec): Tensor {
  if (classes === 0) return features;
  if (head === "linear") return linear(features, p, "head", classes);
  const hidden = linear(features, p, "pre_logits", dim);
  return linear(head === "gelu" ? gelu(hidden) : tanh(hidden), p, "head", classes);
}

function tapOf(spec: VitSpec, layer: number): Attention["tap"] {
  return {
    name: `attention.${layer}`,
    layer,
    kind: "global",
    heads: spec.heads,
    grid: gridOf(spec),
    prefixTokens: prefixTokensOf(spec),
    ...(spec.pool === "token" ? {} : { pooled: true }),
  };
}
