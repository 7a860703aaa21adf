// What comes back for a job, from either carrier.
import type { Body } from "./body.ts";

/** Why there is no result. `refused`: the work itself said so, in a sentence; the others are accidents. */
export type FailureKind = "refused" | "failed" | "deadline" | "memory" | "died";

/** A result, or why there is none. After `spent` the carrier must not be used again. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly kind: FailureKind; readonly message: string; readonly spent: boolean };

/** What a pool needs of a child process or a Worker. */
export type Carrier = {
  /** Does one job; never rejects, unless the body's stream does. */
  readonly work: (request: Request) => Promise<Answer>;
  /** Ends it at once, whatever it is doing, and waits until it is gone. */
  readonly stop: () => Promise<void>;
  /** Whether it keeps this process from ending: only while it works. */
  readonly hold: (held: boolean) => void;
};

/** One job on its way. */
export type Request = {
  readonly job: unknown;
  readonly body?: Body;
  readonly deadlineMs: number;
  readonly memoryBytes: number;
};
