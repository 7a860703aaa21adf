import { MammolabError } from "../base/mod.ts";

/**
 * Plain JSON. Lengths are shares of the whole training in [0, 1], so that a recipe does not depend on its number of steps.
 * `warmUp` is the share in which the rate rises linearly from near 0 to its peak; default 0.
 */
export type ScheduleOptions =
  | { readonly kind: "constant"; readonly warmUp?: number }
  | {
    readonly kind: "cosine";
    readonly warmUp?: number;
    /** Where it ends, as a share of the peak; default 0. */
    readonly floor?: number;
  }
  | {
    readonly kind: "step";
    readonly warmUp?: number;
    /** At these shares of the training … */
    readonly milestones?: readonly number[];
    /** … the rate is multiplied by this; default 0.1. */
    readonly factor?: number;
  }
  | {
    readonly kind: "oneCycle";
    /** Along a cosine, from 1/25 of the peak; default 0.3. */
    readonly warmUp?: number;
    /** Where it ends, as a share of the peak; default 4e-6, as in PyTorch: 1e-4 of where it began. */
    readonly floor?: number;
  };

/**
 * The learning rate at a step, as a share of its peak, in (0, 1].
 *
 * Warm-up is linear (Goyal et al. 2017, section 2.2: the first step is 1/n of the peak, not 0); `cosine` is Loshchilov &
 * Hutter 2017, eq. 5, without restarts; `oneCycle` is Smith & Topin 2018 with cosine legs, as PyTorch's `OneCycleLR`.
 *
 * @param step from 0
 * @param steps all steps of the training, above zero
 *
 * @example
 * ```ts
 * import { scheduleAt } from "mammolab/train";
 * import { assertAlmostEquals } from "@std/assert";
 * assertAlmostEquals(scheduleAt({ kind: "cosine" }, 50, 100), 0.5, 1e-12);
 * ```
 */
export function scheduleAt(options: ScheduleOptions, step: number, steps: number): number {
  const warmUp = options.warmUp ?? (options.kind === "oneCycle" ? 0.3 : 0);
  if (!(warmUp >= 0 && warmUp < 1)) {
    throw new MammolabError(`Cannot plan the learning rate: warm-up is ${warmUp}; give a share from 0 to below 1`);
  }
  if (options.kind === "oneCycle") {
    const { floor = 4e-6 } = options;
    const top = Math.max(1, warmUp * steps - 1);
    const leg = (from: number, to: number, share: number) => to + (from - to) / 2 * (1 + Math.cos(Math.PI * share));
    return step <= top ? leg(1 / 25, 1, step / top) : leg(1, floor, (step - top) / Math.max(1, steps - 1 - top));
  }
  const rising = Math.round(warmUp * steps);
  if (step < rising) return (step + 1) / rising;
  if (options.kind === "constant") return 1;
  if (options.kind === "step") {
    const { milestones = [0.5, 0.75], factor = 0.1 } = options;
    return factor ** milestones.filter((milestone) => step / steps >= milestone).length;
  }
  const { floor = 0 } = options;
  const share = (step - rising) / Math.max(1, steps - rising);
  return floor + (1 - floor) / 2 * (1 + Math.cos(Math.PI * share));
}

/**
 * Layer-wise learning-rate decay: the deeper a block lies from the head, the smaller its rate (BEiT, Bao et al. 2022,
 * `optim_factory.py`): `decay ** (depth + 1 − layer)`, embeddings are layer 0, block i is layer i + 1, the last norm and the
 * head are not slowed (timm's `param_groups_layer_decay` counts the last norm to the last block).
 *
 * @param depth number of blocks
 * @param decay in (0, 1]; 1 treats all alike
 */
export function layerScale(name: string, { depth, decay }: { readonly depth: number; readonly decay: number }): number {
  const block = name.match(/^blocks\.(\d+)\./)?.[1];
  const layer = block !== undefined
    ? Number(block) + 1
    : /^(cls_token|dist_token|reg_token|pos_embed|patch_embed\.)/.test(name)
    ? 0
    : depth + 1;
  return decay ** (depth + 1 - layer);
}
