// A child process as the carrier of a pool. Files from outside go here, because SIGKILL ends it whatever it is doing; ending a
// Worker does not stop one that is busy (Deno 2.9: JavaScript, WebAssembly, regular expressions).
import { fileURLToPath } from "node:url";
import type { Answer, Carrier } from "./_answers.ts";
import { changed } from "./body.ts";
import { MammolabError, sentenceOf } from "./errors.ts";
import { encodeFrame, readFrame, type ReadInto } from "./_frames.ts";

/** What the child may do beside computing. */
export type ChildRights = {
  /** Folders and files that it may read; default: this package's code and its npm packages. */
  readonly read?: readonly URL[];
  /** Environment variables that it may read. */
  readonly env?: readonly string[];
};

/** Starts a child for the jobs of `module`. @throws MammolabError when no program `deno` may be started */
export async function startChild(module: URL, { read = ownCode, env = [] }: ChildRights): Promise<Carrier> {
  const flags = [
    "-q",
    "--no-prompt",
    "--cached-only",
    "--v8-flags=--expose-gc,--min-semi-space-size=4,--max-semi-space-size=4", // a young generation that does not grow
    `--allow-read=${read.filter(({ protocol }) => protocol === "file:").map((url) => fileURLToPath(url)).join(",")}`,
    ...(env.length > 0 ? [`--allow-env=${env.join(",")}`] : []),
  ];
  const entry = new URL("./_pool_child.ts", import.meta.url).href;
  const child = spawn(await denoProgram(), ["run", ...flags, entry, module.href]);
  const input = child.stdin.getWriter();
  const read_ = readerOf(child.stdout);
  input.closed.catch(() => {}); // told by the write that fails

  const died = async (): Promise<Answer> => {
    const { signal, code } = await child.status;
    return { ok: false, kind: "died", message: signal ?? `exit code ${code}`, spent: true };
  };
  return {
    async work({ job, body, deadlineMs, memoryBytes }) {
      for (const piece of encodeFrame({ job, deadlineMs: deadlineMs + graceMs, memoryBytes }, body)) {
        if (!await writes(input, piece)) return died();
      }
      if (body && !(body instanceof Uint8Array)) {
        let sent = 0;
        for await (const chunk of body.chunks()) {
          if (!await writes(input, chunk)) return died();
          sent += chunk.length;
        }
        if (sent !== body.size) throw changed();
      }
      const frame = await readFrame(read_).catch(() => undefined);
      return frame ? frame.value as Answer : died();
    },
    async stop() {
      child.ref(); // an idle one does not keep this process; its end is waited for
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended already
      }
      input.abort().catch(() => {}); // closes the child's standard input: what a wrapper leaves behind ends by itself
      await child.status;
    },
    hold: (held) => held ? child.ref() : child.unref(),
  };
}

/** The parent stops it first, with the better sentence; the child's own deadline is for when the parent cannot. */
const graceMs = 500;

const ownCode = [new URL("../", import.meta.url), new URL("../../node_modules/", import.meta.url)];

async function denoProgram(): Promise<string> {
  const path = Deno.execPath();
  const { state } = await Deno.permissions.query({ name: "run", command: path });
  return state === "granted" ? path : "deno";
}

function spawn(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, { args, ...surroundings(), stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotCapable
      ? "this script may not run deno; add --allow-run=deno"
      : cause instanceof Deno.errors.NotFound
      ? "no program named deno was found; add its folder to PATH"
      : `${sentenceOf(cause)}; check that deno can be started`;
    throw new MammolabError(`Cannot start a decoding process: ${reason}`, { cause });
  }
}

/**
 * What makes memory of a child steady, where its C library is that of Linux: one heap for all threads, because else each of them
 * keeps what another one has freed (15 MB more after a thousand films); and large arrays come from it and stay in it, because
 * pages that are handed back and fetched again for each film cost more than its augmentation.
 */
const steadyHeap = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: `${32 << 20}`,
  MALLOC_TRIM_THRESHOLD_: `${64 << 20}`,
};

/**
 * The environment of a child. Deno refuses to start a process that would inherit LD_LIBRARY_PATH or its like, unless everything
 * may be run. It is set where CUDA is installed; what decodes needs no such library.
 */
function surroundings(): Pick<Deno.CommandOptions, "clearEnv" | "env"> {
  try {
    const all = Object.entries(Deno.env.toObject());
    const kept = all.filter(([name]) => !/^(LD|DYLD)_/.test(name));
    if (kept.length < all.length) return { clearEnv: true, env: { ...Object.fromEntries(kept), ...steadyHeap } };
  } catch {
    // without the right to see the environment
  }
  return { env: steadyHeap };
}

async function writes(input: WritableStreamDefaultWriter<Uint8Array>, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length === 0) return true;
  try {
    await input.write(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Reads through one buffer that goes to the stream and comes back: a new one for each piece is garbage that waits for long. */
function readerOf(stream: ReadableStream<Uint8Array>): ReadInto {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(128 << 10); // more than a pipe holds
  let rest = new Uint8Array(0);
  const take = (into: Uint8Array) => {
    const count = Math.min(rest.length, into.length);
    into.set(count < rest.length ? rest.subarray(0, count) : rest);
    rest = rest.subarray(count);
    return count;
  };
  return (into) => {
    if (rest.length > 0) return take(into);
    return reader.read(buffer).then(({ done, value }) => {
      if (done) return null;
      rest = value as Uint8Array<ArrayBuffer>;
      buffer = new Uint8Array(rest.buffer);
      return take(into);
    });
  };
}
