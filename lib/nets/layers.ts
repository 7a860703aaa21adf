import {
  type AttentionTap,
  gelu,
  layerNorm as normalizeLayer,
  linear as linearLayer,
  matmul,
  parameter,
  reshape,
  scale,
  scope,
  slice,
  softmax,
  swapLast,
  type Tensor,
  transpose,
} from "../graph/mod.ts";

/** Gives the parameter of a name, made on first use; names are those of timm. */
export type Parameters = (name: string, shape: readonly number[]) => Tensor;

/** An attention of the network: what it is, and its probabilities `[batch, heads, queries, keys]`. */
export type Attention = { readonly tap: AttentionTap; readonly tensor: Tensor };

/** What a network gives. */
export type NetOutput = {
  /** `[batch, classes]`, before the softmax. */
  readonly logits: Tensor;
  /** `[batch, dim]`: what the head reads. */
  readonly features: Tensor;
  /** Layer by layer, first layer first. */
  readonly attention: readonly Attention[];
};

/** Collects parameters: the same name is the same leaf. */
export function parameters(): { readonly p: Parameters; readonly shapes: ReadonlyMap<string, readonly number[]> } {
  const leaves = new Map<string, Tensor>();
  const shapes = new Map<string, readonly number[]>();
  const p: Parameters = (name, shape) => {
    const leaf = leaves.get(name) ?? parameter(name, shape);
    leaves.set(name, leaf);
    shapes.set(name, shape);
    return leaf;
  };
  return { p, shapes };
}

/** Parameters below a name: `within(p, "blocks.3")("norm1.weight", …)` is `blocks.3.norm1.weight`. */
export function within(p: Parameters, prefix: string): Parameters {
  return (name, shape) => p(`${prefix}.${name}`, shape);
}

/**
 * `x wᵀ + b` with the parameters `name.weight [out, in]` and `name.bias [out]`.
 *
 * @param part one of several equal parts of the outputs, `[which, of how many]`: those rows of the weight alone
 */
export function linear(
  x: Tensor,
  p: Parameters,
  name: string,
  outputs: number,
  { bias = true, part: [which, parts] = [0, 1] }: {
    readonly bias?: boolean;
    readonly part?: readonly [which: number, parts: number];
  } = {},
): Tensor {
  const inputs = x.shape.at(-1) as number;
  const size = outputs / parts;
  const own = (t: Tensor) => slice(t, 0, which * size, (which + 1) * size);
  return scope(
    name,
    () =>
      linearLayer(x, own(p(`${name}.weight`, [outputs, inputs])), bias ? own(p(`${name}.bias`, [outputs])) : undefined),
  );
}

/** Layer normalization with the parameters `name.weight` and `name.bias`. */
export function layerNorm(x: Tensor, p: Parameters, name: string, epsilon: number): Tensor {
  const dim = x.shape.at(-1) as number;
  return scope(name, () => normalizeLayer(x, p(`${name}.weight`, [dim]), p(`${name}.bias`, [dim]), epsilon));
}

/**
 * Multi-head self-attention: `softmax(q kᵀ / √d) v` for each head, all heads projected together
 * (Vaswani et al. 2017, eq. 1 and section 3.2.2; parameters `qkv`, `proj` as in timm: rows q, k, v, head by head).
 *
 * @param x `[batch, tokens, dim]`
 * @param read how many tokens, from the first, somebody goes on with; default all
 * @param wholeMap whether the others still ask, for the map's sake; default true
 * @returns `x` `[batch, read, dim]`, and the attention `[batch, heads, tokens (or read), tokens]`
 */
export function selfAttention(
  x: Tensor,
  p: Parameters,
  { heads, qkvBias = true, read = x.shape[1] as number, wholeMap = true }: {
    readonly heads: number;
    readonly qkvBias?: boolean;
    readonly read?: number;
    readonly wholeMap?: boolean;
  },
): { readonly x: Tensor; readonly attention: Tensor } {
  const [batch, , dim] = x.shape as [Tensor["shape"][number], number, number];
  const headDim = dim / heads;
  const perHead = (t: Tensor) => transpose(reshape(t, [batch, t.shape[1]!, heads, headDim]), [0, 2, 1, 3]);
  // Three products with parts of one weight: parts of weights cost nothing, parts of activations are copies.
  const projected = (t: Tensor, which: number) =>
    perHead(linear(t, p, "qkv", 3 * dim, { bias: qkvBias, part: [which, 3] }));

  const q = projected(wholeMap ? x : slice(x, 1, 0, read), 0);
  const [k, v] = [projected(x, 1), projected(x, 2)];
  const attention = softmax(matmul(scale(q, headDim ** -0.5), swapLast(k))); // [batch, heads, queries, tokens]
  const mixed = matmul(slice(attention, 2, 0, read), v);
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [batch, read, dim]);

  return { x: linear(joined, p, "proj", dim), attention };
}

/** Two linear layers with a GELU between (Vaswani et al. 2017, eq. 2, with GELU as in Dosovitskiy et al. 2021). */
export function mlp(x: Tensor, p: Parameters, { hidden }: { readonly hidden: number }): Tensor {
  return linear(gelu(linear(x, p, "fc1", hidden)), p, "fc2", x.shape.at(-1) as number);
}
