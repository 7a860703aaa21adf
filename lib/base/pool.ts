import type { Answer, Carrier } from "./_answers.ts";
import { type ChildRights, startChild } from "./_carrier_child.ts";
import { startWorker } from "./_carrier_worker.ts";
import type { Body } from "./body.ts";
import { MammolabError } from "./errors.ts";

export type { Body } from "./body.ts";
export type { ChildRights } from "./_carrier_child.ts";

/** How a pool is made. */
export type PoolOptions = ChildRights & {
  /**
   * `child`: processes, for work on files from outside; they are killed when they are late, whatever they do.
   * `worker`: threads of this process, for work that is trusted to end; they cannot be stopped while they are busy.
   */
  readonly carrier: "child" | "worker";
  /** The module that does the work: it exports `work(job, body?)`, which returns the result or a promise of it. */
  readonly module: URL;
  /** How many work at once; default: the number of cores, at most 4. They are started when they are first needed. */
  readonly size?: number;
  /** The time a job may take; default 30,000. */
  readonly deadlineMs?: number;
  /** The memory that a child may hold beside twice the body of its job; default 1.5e9. Not watched in Workers. */
  readonly memoryBytes?: number;
  /** How long a child without work is kept; default 60,000. */
  readonly idleMs?: number;
};

/** How one job is done. */
export type RunOptions = {
  /** What is being done, for the sentence of a failure: `"read a.dcm"`. */
  readonly what?: string;
  /** Bytes for the job; a stream is never held whole by this process. A `Uint8Array` is copied. */
  readonly body?: Body;
  /** The time that this job may take. */
  readonly deadlineMs?: number;
  /** Stops the job: what works on it is ended. */
  readonly signal?: AbortSignal;
};

/** Does jobs elsewhere; close it with `await using`, or `close()`. */
export type Pool<Job, Result> = AsyncDisposable & {
  /** How many jobs are worked on at once. */
  readonly size: number;
  /**
   * Does one job, as soon as one of the carriers is free. Job and result are plain JSON with typed arrays in it.
   *
   * @throws MammolabError the work's own, or one that says that it was late, needed too much memory or died
   */
  readonly run: (job: Job, options?: RunOptions) => Promise<Result>;
  /** Ends all carriers, also those that work. */
  readonly close: () => Promise<void>;
};

/**
 * A pool of carriers that do jobs outside of this thread, and the same code for both kinds of them.
 *
 * Children and Workers are reused; one is replaced after it was late, died, or threw anything but a refusal of ours. An
 * idle child does not keep this process from ending, and ends with it, however that ends.
 */
export function createPool<Job, Result>(
  { carrier, module, size = defaultSize(), deadlineMs = 30_000, memoryBytes = 1.5e9, idleMs = 60_000, ...rights }:
    PoolOptions,
): Pool<Job, Result> {
  if (!(Number.isSafeInteger(size) && size > 0)) {
    throw new MammolabError(`Cannot make a pool for ${size} jobs at once: give a whole number above 0`);
  }
  const idle: Idle[] = [];
  const started = new Set<Carrier>();
  const waiting: PromiseWithResolvers<void>[] = [];
  let taken = 0;
  let closed = false;

  async function take(signal?: AbortSignal): Promise<Carrier> {
    if (taken < size) taken++;
    else {
      const turn = Promise.withResolvers<void>();
      waiting.push(turn);
      try {
        await orAborted(turn.promise, signal);
      } catch (error) {
        const place = waiting.indexOf(turn);
        if (place >= 0) waiting.splice(place, 1);
        else free(); // the turn came at the moment of the abort: pass it on
        throw error;
      }
    }
    if (closed) {
      free();
      throw isClosed();
    }
    const kept = idle.pop();
    if (kept) {
      clearTimeout(kept.timer);
      kept.carrier.hold(true);
      return kept.carrier;
    }
    try {
      const fresh = carrier === "child" ? await startChild(module, rights) : startWorker(module);
      started.add(fresh);
      if (!closed) return fresh;
      await drop(fresh); // closed while it was started
      throw isClosed();
    } catch (error) {
      free();
      throw error;
    }
  }

  function free(): void {
    const next = waiting.shift();
    if (next) next.resolve();
    else taken--;
  }

  function giveBack(kept: Carrier): void {
    kept.hold(false);
    const timer = setTimeout(() => {
      idle.splice(idle.findIndex((one) => one.carrier === kept), 1);
      drop(kept);
    }, Math.min(idleMs, longestMs));
    Deno.unrefTimer(timer);
    idle.push({ carrier: kept, timer });
    free();
  }

  function drop(spent: Carrier): Promise<void> {
    started.delete(spent);
    return spent.stop();
  }

  async function run(job: Job, { what = "do a job", body, signal, ...own }: RunOptions = {}): Promise<Result> {
    signal?.throwIfAborted();
    const limitMs = Math.min(own.deadlineMs ?? deadlineMs, longestMs);
    const used = await take(signal);
    const late = Promise.withResolvers<Answer>();
    const timer = setTimeout(
      () => late.resolve({ ok: false, kind: "deadline", message: "", spent: true }),
      limitMs,
    );
    let reusable = false;
    try {
      const bytes = Math.min(memoryBytes, Number.MAX_SAFE_INTEGER); // Infinity is no JSON
      const request = { job, deadlineMs: limitMs, memoryBytes: bytes, ...(body === undefined ? {} : { body }) };
      const work = used.work(request);
      work.catch(() => {}); // it may fail after it was given up
      const answer = await orAborted(Promise.race([work, late.promise]), signal);
      if (answer.ok) {
        reusable = true;
        return answer.value as Result;
      }
      reusable = !answer.spent;
      throw failure(answer, what, { limitMs, memoryBytes });
    } finally {
      clearTimeout(timer);
      if (reusable && !closed) giveBack(used);
      else {
        await drop(used);
        free();
      }
    }
  }

  async function close(): Promise<void> {
    closed = true;
    for (const { timer } of idle.splice(0)) clearTimeout(timer);
    await Promise.all([...started].map(drop));
    for (const turn of waiting.splice(0)) turn.resolve();
  }

  return { size, run, close, [Symbol.asyncDispose]: close };
}

type Idle = { readonly carrier: Carrier; readonly timer: ReturnType<typeof setTimeout> };

/** 24 days: a timer holds 31 bits of milliseconds, and one for longer, such as Infinity, would end at once. */
const longestMs = 2 ** 31 - 1 - 60_000;

function isClosed(): MammolabError {
  return new MammolabError("Cannot do a job: its pool is closed; make another");
}

function defaultSize(): number {
  return Math.min(4, navigator.hardwareConcurrency);
}

function failure(
  { kind, message }: Extract<Answer, { ok: false }>,
  what: string,
  { limitMs, memoryBytes }: { readonly limitMs: number; readonly memoryBytes: number },
): MammolabError {
  if (kind === "refused") return new MammolabError(message);
  const sentences = {
    failed: "its contents are damaged or of a kind that is not supported; copy or export it again",
    deadline: `it took longer than ${
      limitMs / 1000
    } s and was stopped; try again, and leave it out or allow more time (deadlineMs) if that does not help`,
    memory: `it needed more than ${Math.round(memoryBytes / 1e6)} MB of memory and was stopped; leave it out`,
    died: "the process that worked on it ended; try again, and leave it out if that does not help",
  };
  // The decoder's own words are for developers: they name functions, and may hold values of the file.
  return new MammolabError(`Cannot ${what}: ${sentences[kind]}`, { cause: new Error(message) });
}

/** Waits for a promise, but not longer than until the signal. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
