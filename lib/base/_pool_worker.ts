// The Worker that does the jobs of a pool: either carrier runs this file. Its first message names the module, and whether to be silent.
import { MammolabError } from "./errors.ts";
import type { Answer } from "./_answers.ts";
import { transferable } from "./_frames.ts";
import { collectGarbage, release } from "./_garbage.ts";

type Work = (job: unknown, body?: Uint8Array) => unknown;
const scope = self as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage: (message: unknown, transfer: Transferable[]) => void;
};

let module: Promise<{ work: Work }> | undefined;

scope.onmessage = async ({ data }) => {
  if (data.module !== undefined) {
    if (data.silent) silence();
    module = import(data.module);
    module.catch(() => {}); // told by the first job
    return;
  }
  const answer = await answerTo(data.job, data.body);
  scope.postMessage(answer, answer.ok ? transferable(answer.value) : []);
  if (data.body) release(data.body); // what the answer shows of it is copied by now
  setTimeout(collectGarbage, 0); // when this call holds nothing any more
};

async function answerTo(job: unknown, body?: Uint8Array): Promise<Answer> {
  try {
    return { ok: true, value: await (await module)?.work(job, body) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      kind: error instanceof MammolabError ? "refused" : "failed",
      message,
      spent: !isRefusal(error),
    };
  }
}

/**
 * What we refuse after our own check leaves the codecs as they were. Anything else, and what was caused by anything else, may
 * have left one of them with a broken stack: dcmjs-codecs answers wrongly after 7 to 53 throws (measured).
 */
function isRefusal(error: unknown): boolean {
  return error instanceof MammolabError && (error.cause === undefined || isRefusal(error.cause));
}

/** In a child process standard output carries our messages: nobody else may write there. */
function silence(): void {
  const nothing = () => {};
  Object.assign(globalThis.console, { log: nothing, info: nothing, debug: nothing, warn: nothing, error: nothing });
}
