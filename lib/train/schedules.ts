import { MammolabError } from "../base/mod.ts";

/** Plain JSON. Lengths are shares of the whole training in [0, 1], so that a recipe does not depend on its number of steps. */
export type ScheduleOptions = {
  readonly kind: "constant" | "cosine" | "step" | "oneCycle";
  /** Share of the steps in which the rate rises linearly from near 0 to its peak; default 0 (`oneCycle`: 0.3). */
  readonly warmUp?: number;
  /** Where `cosine` and `oneCycle` end, as a share of the peak; default 0 (`oneCycle`: 1e-4). */
  readonly floor?: number;
  /** `step`: at these shares of the training … */
  readonly milestones?: readonly number[];
  /** … the rate is multiplied by this; default 0.1. */
  readonly factor?: number;
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
  const { kind } = options;
  const warmUp = options.warmUp ?? (kind === "oneCycle" ? 0.3 : 0);
  if (!(warmUp >= 0 && warmUp < 1)) {
    throw new MammolabError(`Cannot plan the learning rate: warm-up is ${warmUp}; give a share from 0 to below 1`);
  }
  if (kind === "oneCycle") {
    const floor = options.floor ?? 1e-4;
    const top = Math.max(1, warmUp * steps - 1);
    const leg = (from: number, to: number, share: number) => to + (from - to) / 2 * (1 + Math.cos(Math.PI * share));
    return step <= top ? leg(1 / 25, 1, step / top) : leg(1, floor / 25, (step - top) / Math.max(1, steps - 1 - top));
  }
  const rising = Math.round(warmUp * steps);
  if (step < rising) return (step + 1) / rising;
  const share = (step - rising) / Math.max(1, steps - rising);
  if (kind === "constant") return 1;
  if (kind === "step") {
    const { milestones = [0.5, 0.75], factor = 0.1 } = options;
    return factor ** milestones.filter((milestone) => step / steps >= milestone).length;
  }
  const floor = options.floor ?? 0;
  return floor + (1 - floor) / 2 * (1 + Math.cos(Math.PI * share));
}

/**
 * Layer-wise learning-rate decay: the deeper a block lies from the head, the smaller its rate (BEiT, Bao et al. 2022;
 * timm `param_groups_layer_decay`): `decay ** (depth + 1 − layer)`, embeddings are layer 0, block i is layer i + 1.
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
