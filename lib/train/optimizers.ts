import { MammolabError } from "../base/mod.ts";
import type { FlatParameters, Slice } from "./flat_parameters.ts";

/** Plain JSON; stands in the recipe and in the checkpoint. */
export type OptimizerOptions =
  | {
    readonly kind: "adamw";
    readonly weightDecay?: number;
    readonly betas?: readonly [number, number];
    readonly epsilon?: number;
  }
  | { readonly kind: "sgd"; readonly weightDecay?: number; readonly momentum?: number };

/** One step at a time; its state lies in the flat parameters and in the count of steps. */
export type Optimizer = {
  /**
   * Updates all trained parameters from their gradients.
   *
   * @param learningRate for this step, above zero
   * @param step from 1, of the whole training: Adam's correction of the first moments depends on it
   */
  readonly step: (learningRate: number, step: number) => void;
};

/** Neighbouring slices that are treated alike. */
type Run = {
  readonly from: number;
  to: number;
  readonly decay: boolean;
  readonly scale: number;
  readonly begun: number;
};

/**
 * Whether weight decay applies: matrices and kernels yes; biases, norms, layer scales, position and class tokens no
 * (the habit of timm's `param_groups_weight_decay` and of the papers).
 */
export function decays(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !/(^|\.)(cls_token|dist_token|reg_token|pos_embed)$/.test(name);
}

/**
 * Makes the optimiser of a recipe.
 *
 * AdamW is Loshchilov & Hutter 2019, algorithm 2, and SGD has momentum after Sutskever et al. 2013, both in the order of
 * PyTorch's: the losses of the first steps agree to 1e-5.
 *
 * @param scaleOf factor on the learning rate for each parameter (layer-wise decay); default 1
 * @param begunAt steps before a parameter's own first one, default 0: PyTorch's Adam counts for each parameter by itself. One
 * that is unfrozen late would otherwise move by up to six times the rate, its moments taken for old ones.
 */
export function optimizer(
  parameters: FlatParameters,
  options: OptimizerOptions,
  scaleOf: (name: string) => number = () => 1,
  begunAt: (name: string) => number = () => 0,
): Optimizer {
  const { values, gradients, first, second, kernels } = parameters;
  const runs = runsOf(parameters, scaleOf, begunAt);
  const weightDecay = options.weightDecay ?? (options.kind === "adamw" ? 0.01 : 0);
  if (!(weightDecay >= 0)) {
    throw new MammolabError(`Cannot make the optimiser: weight decay is ${weightDecay}; give 0 or more`);
  }
  const at = (array: Float32Array, { from }: Run) => array.byteOffset + 4 * from;

  if (options.kind === "sgd") {
    const { momentum = 0.9 } = options;
    return {
      step: (learningRate) => {
        for (const run of runs) {
          kernels.sgd(
            at(values, run),
            at(gradients, run),
            at(first, run),
            run.to - run.from,
            learningRate * run.scale,
            momentum,
            run.decay ? weightDecay : 0,
          );
        }
      },
    };
  }
  const { betas: [b1, b2] = [0.9, 0.999], epsilon = 1e-8 } = options;
  return {
    step: (learningRate, step) => {
      for (const run of runs) {
        const rate = learningRate * run.scale;
        const own = step - run.begun;
        kernels.adamw(
          at(values, run),
          at(gradients, run),
          at(first, run),
          at(second, run),
          run.to - run.from,
          run.decay ? 1 - rate * weightDecay : 1,
          rate / (1 - b1 ** own),
          1 / Math.sqrt(1 - b2 ** own),
          b1,
          b2,
          epsilon,
        );
      }
    },
  };
}

/** The Euclidean norm of all gradients together. */
export function gradientNorm({ gradients, kernels }: FlatParameters): number {
  return Math.sqrt(kernels.squares(gradients.byteOffset, gradients.length));
}

/** Shrinks all gradients together so that their norm is at most `maximum` (Pascanu et al. 2013); gives the norm before. */
export function clipGradients(parameters: FlatParameters, maximum: number): number {
  const norm = gradientNorm(parameters);
  const { gradients, kernels } = parameters;
  // PyTorch adds 1e-6 to the norm; a norm that is no number is left for the caller to name.
  if (norm > maximum) {
    kernels.blend(gradients.byteOffset, gradients.byteOffset, gradients.length, maximum / (norm + 1e-6), 0);
  }
  return norm;
}

function runsOf(
  { slices }: FlatParameters,
  scaleOf: (name: string) => number,
  begunAt: (name: string) => number,
): readonly Run[] {
  const runs: Run[] = [];
  const end = ({ offset, length }: Slice) => offset + Math.ceil(length / 4) * 4;
  for (const slice of slices.values()) {
    if (!slice.trainable) continue;
    const own = { decay: decays(slice.name, slice.shape), scale: scaleOf(slice.name), begun: begunAt(slice.name) };
    const last = runs.at(-1);
    const alike = last && last.to === slice.offset && last.decay === own.decay && last.scale === own.scale &&
      last.begun === own.begun;
    if (alike) last.to = end(slice);
    else runs.push({ from: slice.offset, to: end(slice), ...own });
  }
  return runs;
}
