/** Where an attention matrix sits in a network, and what is needed to lay it over the image. */
export type AttentionTap = {
  /** Name of the graph output, `attention.3`. */
  readonly name: string;
  /** Layer number from 0, first layer first. */
  readonly layer: number;
  /** `global`: all tokens with all; `windowed`: inside windows (Swin); `reduced`: keys are pooled (PVT); `crossView`: tokens of several films. */
  readonly kind: "global" | "windowed" | "reduced" | "crossView";
  readonly heads: number;
  /** The image tokens' grid at this layer. */
  readonly grid: { readonly height: number; readonly width: number };
  /** Tokens before the image tokens: class, distillation, register tokens. */
  readonly prefixTokens: number;
  /** The head reads the image tokens together (their mean, their largest values), and no token before them. */
  readonly pooled?: true;
  /** Side of Swin's attention window, in tokens. */
  readonly attentionWindow?: number;
  /** Shift of Swin's windows, in tokens. */
  readonly shift?: number;
  /** The keys' grid where it differs from `grid` (PVT). */
  readonly keyGrid?: { readonly height: number; readonly width: number };
};
