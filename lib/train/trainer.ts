import { checkWord, createPool } from "../base/mod.ts";
import type { Opened, StepJob, StepReport, TrainerJob, TrainerSetup, TrainerState } from "./_step_worker.ts";

export type { Numbers, StepJob, StepReport, TrainerSetup, TrainerState, TrainingEngine } from "./_step_worker.ts";

/** A network that is being trained, in a Worker of its own; close it with `await using`. */
export type Trainer = AsyncDisposable & {
  /** What runs it: `onnxruntime-node on cpu`, `@tensorflow/tfjs on cpu`. */
  readonly ranBy: string;
  /** Numbers in all, and those that are trained. */
  readonly counts: { readonly parameters: number; readonly trained: number };
  /** What a batch holds: shapes by name (`image`, `targets`, masks of branches and of values that are dropped). */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** One step of the optimiser over one or several batches, whose gradients are averaged. */
  readonly step: (job: StepJob) => Promise<StepReport>;
  /** Logits `[images, classes]` with the present numbers, or with their average. */
  readonly predict: (images: Float32Array, options?: { readonly averaged?: boolean }) => Promise<Float32Array>;
  /** A copy of all numbers: what a checkpoint holds. */
  readonly read: () => Promise<TrainerState>;
  /** Puts the numbers of a checkpoint back. */
  readonly write: (state: TrainerState) => Promise<void>;
};

const forever = 2 ** 31 - 1;

/**
 * Opens a network for training: builds the graph of a step, lays the parameters into one memory and starts the engine.
 *
 * @throws MammolabError when weights are missing or do not fit, or the engine cannot start
 */
export async function openTrainer(setup: TrainerSetup): Promise<Trainer> {
  checkWord("Cannot train: the engine", setup.engine ?? "onnx", ["onnx", "tfjs"]);
  const pool = createPool<TrainerJob, unknown>({
    carrier: "worker",
    module: new URL("./_step_worker.ts", import.meta.url),
    size: 1,
    deadlineMs: forever,
    idleMs: forever,
  });
  try {
    const opened = await pool.run({ kind: "open", setup }, { what: "open the training" }) as Opened;
    const { parameters, trained, inputs, ranBy } = opened;
    return {
      ranBy,
      counts: { parameters, trained },
      inputs: new Map(inputs),
      step: (job) => pool.run({ kind: "step", ...job }, { what: "train" }) as Promise<StepReport>,
      predict: (images, { averaged = false } = {}) =>
        pool.run({ kind: "predict", images, averaged }, { what: "validate" }) as Promise<Float32Array>,
      read: () => pool.run({ kind: "read" }, { what: "read the numbers" }) as Promise<TrainerState>,
      write: async (state) => {
        await pool.run({ kind: "write", state }, { what: "restore the numbers" });
      },
      [Symbol.asyncDispose]: async () => {
        await pool.run({ kind: "close" }, { what: "end the training" }).catch(() => {}); // a Worker that died has nothing left
        await pool.close();
      },
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}
