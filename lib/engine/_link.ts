// The caller's side of one Worker: calls go out, answers come back, in order.
import { Worker } from "node:worker_threads";
import { MammolabError, sentenceOf } from "../base/mod.ts";
import { type Answer, type Call, packed, type Request, type Results, unpacked } from "./_messages.ts";

export type Link = {
  /** Sends a request; the buffers in `transfer` move over and are empty here afterwards. */
  readonly call: <K extends Request["kind"]>(
    request: Extract<Request, { kind: K }>,
    transfer?: readonly ArrayBuffer[],
  ) => Promise<Results[K]>;
  /** Waits for the calls under way, frees the engine's memory and ends the Worker. */
  readonly close: () => Promise<void>;
};

type Waiting = { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void };

/** Starts a Worker. It keeps the process alive only while a call is under way, so that a script may forget to close it. */
export function startWorker(): Link {
  const worker = new Worker(new URL("./session_worker.ts", import.meta.url));
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let dead: Error | undefined;
  worker.unref();

  worker.on("message", (message: unknown) => {
    const answer = unpacked(message) as Answer;
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ("result" in answer) call?.resolve(answer.result as never);
    else {
      const { sentence, cause } = answer.error;
      call?.reject(new MammolabError(sentence, cause === undefined ? {} : { cause: new Error(cause) }));
    }
  });
  const died = (reason: string, cause?: unknown) => {
    dead ??= new MammolabError(`Cannot run the engine: its worker ${reason}; open the model again`, { cause });
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };
  worker.on("error", (error: unknown) => died(`stopped (${sentenceOf(error)})`, error));
  worker.on("exit", () => died("has ended"));

  const call: Link["call"] = (request, transfer = []) =>
    new Promise((resolve, reject) => {
      if (dead) return reject(dead);
      const id = calls++;
      worker.postMessage(packed({ ...request, id } as Call, transfer), [...transfer]); // first: what cannot be sent throws
      waiting.set(id, { resolve: resolve as (result: never) => void, reject });
      worker.ref();
    });

  return {
    call,
    async close() {
      if (!dead) await call({ kind: "close" }).catch(() => {}); // a Worker that died has nothing left to free
      await worker.terminate();
    },
  };
}
