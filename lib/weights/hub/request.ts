// One question to the hub, with redirects followed by hand: the token goes to the hub alone, and never over plain http.
import { MammolabError, sentenceOf } from "../../base/mod.ts";

/** Where and how to ask. */
export type Connection = {
  readonly endpoint: string;
  readonly token: string | undefined;
  /** A connection that brings fewer than `leastBytes` in this time is given up. */
  readonly idleMs: number;
  readonly leastBytes: number;
  /** How many connections in a row may fail. */
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one, to at most 16 times. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
};

/** What came of one connection: an answer, or why to try again. */
export type Answer<T> = { readonly value: T } | { readonly again: string; readonly waitMs?: number };

/** The cause of an error that another network, or another hour, may mend. */
export const unreachable = { reason: "the hub cannot be reached" } as const;

/** Watches a connection: `count` what arrives; `signal` is aborted where that is too little, or by the user. */
export type Watch = { readonly signal: AbortSignal; readonly count: (bytes: number) => void };

/**
 * Asks until there is an answer; a connection that brought something worth having begins the count anew.
 *
 * @param what is done, for the sentence: `fetch config.json of hf:…`
 * @param ask makes one connection, says what it brought by `Watch.count`
 */
export async function persist<T>(
  what: string,
  connection: Connection,
  ask: (watch: Watch) => Promise<Answer<T>>,
): Promise<T> {
  const { attempts, waitMs, leastBytes, signal } = connection;
  for (let failures = 0;;) {
    signal?.throwIfAborted();
    let brought = 0;
    const answer = await watched(connection, (watch) =>
      ask({
        ...watch,
        count: (bytes) => {
          brought += bytes;
          watch.count(bytes);
        },
      }));
    if ("value" in answer) return answer.value;
    failures = brought >= leastBytes ? 1 : failures + 1;
    if (failures >= attempts) {
      throw new MammolabError(
        `Cannot ${what}: ${answer.again}${
          attempts > 1 ? `, ${attempts} times` : ""
        }; try again later, what has arrived is kept`,
        { cause: unreachable },
      );
    }
    await pause(Math.max(answer.waitMs ?? 0, waitMs * 2 ** Math.min(4, failures - 1)), signal);
  }
}

async function watched<T>(
  { idleMs, leastBytes, signal }: Connection,
  ask: (watch: Watch) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const idle = new AbortController();
  let [arrived, seen] = [0, 0];
  const timer = setInterval(() => {
    if (arrived - seen < leastBytes) idle.abort();
    seen = arrived;
  }, idleMs);
  const watch = {
    signal: signal ? AbortSignal.any([signal, idle.signal]) : idle.signal,
    count: (bytes: number) => {
      arrived += bytes;
    },
  };
  try {
    return await ask(watch);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MammolabError) throw error;
    if (error instanceof Deno.errors.NotCapable) throw error;
    return idle.signal.aborted
      ? { again: `fewer than ${leastBytes} bytes arrived in ${idleMs / 1000} s` }
      : { again: `the connection failed (${briefly(error)})` };
  } finally {
    clearInterval(timer);
  }
}

/** The last of the causes, which says what happened; what stands before it holds the address, which may hold a signature. */
function briefly(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const last = sentenceOf(cause).split(": ").at(-1) ?? "";
  return last.replace(/https?:\/\/\S+|[;:]/g, "").replace(/\(os error \d+\)/, "").trim();
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** An answer of the server, and what the hub itself said before it sent the question on. */
export type Reply = { readonly response: Response; readonly linkedEtag: string | undefined };

/**
 * Asks once, following redirects.
 *
 * @param what as for `persist`
 * @throws MammolabError for what no second try would change: no such thing, no right to it, a host that may not be asked
 */
export async function request(
  what: string,
  url: string,
  { endpoint, token }: Connection,
  { signal, range }: { readonly signal: AbortSignal; readonly range?: string },
): Promise<Answer<Reply>> {
  const home = new URL(endpoint).origin;
  let here = new URL(url);
  let linkedEtag: string | undefined;
  for (let hops = 0; hops <= 5; hops++) {
    const safe = here.protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(here.hostname);
    const headers: Record<string, string> = { "accept-encoding": "identity", "user-agent": "mammolab" };
    if (range) headers.range = range;
    if (token && safe && here.origin === home) headers.authorization = `Bearer ${token}`;
    const response = await ask(what, here, { headers, signal });
    linkedEtag ??= response.headers.get("x-linked-etag")?.replace(/^(?:W\/)?"|"$/g, "");
    if (![301, 302, 303, 307, 308].includes(response.status)) return checked(what, response, linkedEtag);
    await response.body?.cancel();
    const next = URL.parse(response.headers.get("location") ?? "", here);
    if (!next || !(next.protocol === "https:" || next.protocol === "http:" && here.protocol === "http:")) {
      throw new MammolabError(`Cannot ${what}: ${here.host} sends on to no address that is safe; try again later`);
    }
    here = next;
  }
  throw new MammolabError(`Cannot ${what}: ${home} sends from one address to the next without end; try again later`);
}

async function ask(what: string, url: URL, init: { headers: HeadersInit; signal: AbortSignal }): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: "manual" });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new MammolabError(
      `Cannot ${what}: this program may not talk to ${url.host}; only deno task fetch has network, for another host run deno run -P=fetch --allow-net=${url.host} tasks/fetch.ts`,
      { cause },
    );
  }
}

async function checked(what: string, response: Response, linkedEtag: string | undefined): Promise<Answer<Reply>> {
  const { status, headers } = response;
  if (status === 200 || status === 206 || status === 416) return { value: { response, linkedEtag } };
  await response.body?.cancel();
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get("retry-after") ?? 0);
    return { again: `the hub answers ${status}`, waitMs: Math.min(60, seconds > 0 ? seconds : 0) * 1000 };
  }
  const reasons: Record<number, string> = {
    401: "the hub wants to know who asks, or there is no such model; check the name, or set HF_TOKEN",
    403: "the hub gives it only to those who accepted its terms; accept them on its page and set HF_TOKEN",
    404: "the hub has no such model, revision or file; check the name",
  };
  throw new MammolabError(
    `Cannot ${what}: ${reasons[status] ?? `the hub answers ${status}, which is no answer to this; try again later`}`,
  );
}
