// The engine's side of a session: one Worker, one session, one call after the other. See session.ts for the caller's side.
import { parentPort } from "node:worker_threads";
import { sentenceOf } from "../base/mod.ts";
import { type BlockingSession, openBlockingSession } from "./native.ts";
import type { checkProvider as CheckProvider } from "./provider.ts";
import { type Answer, type Call, packed, type Results, unpacked } from "./_messages.ts";

/** Loaded only where a card is tried: the processor needs no test graph. */
const checkProvider: typeof CheckProvider = async (...parameters) =>
  (await import("./provider.ts")).checkProvider(...parameters);

let session: BlockingSession | undefined;
let queue = Promise.resolve();

parentPort!.on("message", (message: unknown) => {
  const call = unpacked(message) as Call;
  queue = queue.then(() => answer(call));
});

async function answer(call: Call): Promise<void> {
  try {
    const [result, transfer] = await resultOf(call);
    post({ id: call.id, result }, transfer);
  } catch (error) {
    // An error that leaves a Worker's handler would end the whole process.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
    post({ id: call.id, error: { sentence: sentenceOf(error), ...(cause === undefined ? {} : { cause }) } });
  }
}

async function resultOf(call: Call): Promise<[Results[Call["kind"]], ArrayBuffer[]]> {
  switch (call.kind) {
    case "open": {
      const { provider = "cpu" } = call.options;
      if (provider !== "cpu") {
        const check = await checkProvider(provider, { mustBeFaster: call.mustBeFaster });
        if (!check.works) return [check, []];
      }
      session = await openBlockingSession(call.options);
      return [{ inputs: session.inputs, outputs: session.outputs }, []];
    }
    case "check":
      return [await checkProvider(call.provider, { mustBeFaster: false }), []];
    case "run": {
      if (call.cancelled && Atomics.load(call.cancelled, 0) === 1) return ["cancelled", []];
      const start = performance.now();
      const outputs = await session!.run(call.feeds, {
        ...(call.fetch ? { fetch: call.fetch } : {}),
        ...(call.into ? { into: call.into } : {}),
      });
      const buffers = new Set(Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer));
      return [{ outputs, seconds: (performance.now() - start) / 1000 }, [...buffers]];
    }
    case "close":
      await session?.[Symbol.asyncDispose](); // a Worker that is ended without this keeps the session's memory
      return [undefined, []];
  }
}

function post(message: Answer, transfer: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(packed(message, transfer), [...transfer]);
}
