// The child process of a pool: jobs come in by standard input, answers leave by standard output. The jobs run in a Worker, so
// that this thread stays free to hold the deadline and the memory limit, and to leave at once when the parent is gone: by
// then standard input is closed. (Killing the child is not enough: `deno` may be a wrapper whose death its child outlives.)
import type { Answer } from "./_answers.ts";
import { joinBytes } from "./body.ts";
import { encodeFrame, readFrame, transferable } from "./_frames.ts";
import { collectGarbage, release } from "./_garbage.ts";

Deno.addSignalListener("SIGINT", () => {}); // Ctrl-C goes to the whole group: whether to stop is the parent's decision

const worker = new Worker(new URL("./_pool_worker.ts", import.meta.url), { type: "module" });
worker.postMessage({ module: Deno.args[0], silent: true });

/**
 * Waits for a message without holding this thread, and then takes the rest of it at once: it is under way, no job runs that has
 * to be watched, and a parent that is gone ends it.
 */
const nextFrame = () => readFrame((into) => Deno.stdin.readSync(into), (into) => Deno.stdin.read(into));
type Job = { readonly job: unknown; readonly deadlineMs: number; readonly memoryBytes: number };

for (let next = nextFrame();;) {
  const frame = await next;
  if (!frame) Deno.exit(0);
  next = nextFrame();
  next.then((following) => following ?? Deno.exit(0), () => Deno.exit(1));
  const answer = await doJob(frame.value as Job, frame.body);
  const pieces = encodeFrame(answer);
  // A small answer in one piece is read in one piece.
  const small = pieces.reduce((sum, { length }) => sum + length, 0) <= 128 << 10;
  for (const piece of small ? [joinBytes(pieces)] : pieces) writeAll(piece);
  if (!answer.ok && answer.spent) Deno.exit(0);
  for (const buffer of answer.ok ? transferable(answer.value) : []) release(new Uint8Array(buffer));
  collectGarbage();
}

function doJob({ job, deadlineMs, memoryBytes }: Job, body: Uint8Array | undefined): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const give = (kind: "deadline" | "memory" | "failed", message = "") =>
    resolve({ ok: false, kind, message, spent: true });
  const allowed = memoryBytes + 2 * (body?.length ?? 0);
  const late = setTimeout(() => give("deadline"), deadlineMs);
  const watch = setInterval(() => Deno.memoryUsage().rss > allowed && give("memory"), 25);
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    give("failed", event.message);
  };
  worker.postMessage({ job, body }, transferable(body));
  return promise.finally(() => {
    clearTimeout(late);
    clearInterval(watch);
  });
}

/** Synchronous: 1.6 times as fast for a large film (57 MB in 108 ms), and a parent that is gone ends it all the same. */
function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
