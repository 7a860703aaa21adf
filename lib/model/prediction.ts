import type { AttentionTap } from "../graph/mod.ts";
import type { Image, SourceMap } from "../image/mod.ts";

/** One layer's attention for one image. */
export type LayerAttention = AttentionTap & {
  /** Probabilities, rows (queries) sum to 1. */
  readonly data: Float32Array;
  /** `[heads, queries, keys]` */
  readonly shape: readonly number[];
  /** Token grid cells to source pixels: cell (row i, column j) covers [j, j + 1) × [i, i + 1), as pixels of an `Image` do. */
  readonly toSource: SourceMap;
};

/** What a model says about one film. */
export type Prediction = {
  /** Class name → probability; together 1, but for a model whose classes do not exclude each other. */
  readonly scores: Readonly<Record<string, number>>;
  /** Before the softmax (or sigmoid), in the order of the model's classes. */
  readonly logits: Float32Array;
  /** What the head reads, `[dim]`: the class token after the last norm, or the mean of the tokens. */
  readonly features: Float32Array;
  /** One a layer, first layer first; there when it was asked for. */
  readonly attention?: readonly LayerAttention[];
  /** The image that the network saw. */
  readonly prepared: Image;
  /** What is odd about the film, one sentence each; empty for an image, which does not know. */
  readonly warnings: readonly string[];
  /** Where the graph ran: `cpu`, `webgpu`, `cuda`. */
  readonly provider: string;
  /** Where the choice was left to mammolab: why it did not run on what might be faster. */
  readonly providerReason?: string;
  /** False where the weights are random. */
  readonly trained: boolean;
  /** The model's name. */
  readonly model: string;
};

/** A prediction for which attention was asked. */
export type AttentivePrediction = Prediction & { readonly attention: readonly LayerAttention[] };
