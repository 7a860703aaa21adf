// A Worker as the carrier of a pool: for work that we trust to end.
import type { Answer, Carrier } from "./_answers.ts";
import { wholeBody } from "./body.ts";
import { transferable } from "./_frames.ts";

/** Starts a Worker for the jobs of `module`. */
export function startWorker(module: URL): Carrier {
  const worker = new Worker(new URL("./_pool_worker.ts", import.meta.url), { type: "module" });
  worker.postMessage({ module: module.href, silent: false });
  let settle: ((answer: Answer) => void) | undefined;
  const give = (answer: Answer) => settle?.(answer);
  worker.onmessage = ({ data }) => give(data);
  worker.onerror = (event) => {
    event.preventDefault(); // else the whole process ends
    give({ ok: false, kind: "failed", message: event.message, spent: true });
  };
  return {
    async work({ job, body }) {
      const bytes = body && await wholeBody(body);
      const { promise, resolve } = Promise.withResolvers<Answer>();
      settle = resolve;
      worker.postMessage({ job, body: bytes }, body === bytes ? [] : transferable(bytes));
      return promise;
    },
    stop() {
      worker.terminate();
      give({ ok: false, kind: "died", message: "stopped", spent: true });
      return Promise.resolve();
    },
    hold() {}, // a Worker of Deno keeps its process until it is stopped
  };
}
