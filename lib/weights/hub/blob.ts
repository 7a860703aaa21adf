import { createHash, type Hash } from "node:crypto";
import { dirname } from "node:path";
import { cannotWrite, MammolabError } from "../../base/mod.ts";
import { sizeOf } from "./cache.ts";
import { type Answer, type Connection, persist, request, type Watch } from "./request.ts";

/** A file of the hub: its length and the hash of its content, which is its name in the cache. */
export type RemoteFile = {
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of a large file (LFS oid), or the SHA-1 that Git gives a small one. */
  readonly hash: { readonly kind: "sha256" | "git"; readonly hex: string };
};

/**
 * Fetches a file so that `blob` is absent or exactly it: what arrives goes to `blob.incomplete`, from which a later call
 * goes on; length and hash are compared before it gets its name.
 *
 * @param what for sentences: `fetch config.json of hf:…`
 * @param count told of the bytes that came over the network
 * @throws MammolabError when the content is not what the hub said, or the connection fails again and again
 */
export async function fetchBlob(
  what: string,
  remote: RemoteFile,
  { url, blob, connection, count }: {
    readonly url: string;
    readonly blob: string;
    readonly connection: Connection;
    readonly count: (bytes: number) => void;
  },
): Promise<void> {
  const partial = `${blob}.incomplete`;
  await using sink = await openSink(partial, remote);
  // A second try from nothing, where the first began with bytes of an earlier run or of several connections.
  for (let trusted = false;;) {
    const begun = sink.at();
    let connections = 0;
    if (sink.at() < remote.bytes || remote.bytes === 0) {
      await persist(what, connection, (watch) => {
        connections++;
        return receive(what, remote, { url, connection, sink, watch: counting(watch, count) });
      });
    }
    if (sink.digest() === remote.hash.hex) break;
    trusted ||= begun === 0 && connections === 1;
    await sink.restart();
    if (trusted) {
      await Deno.remove(partial);
      throw new MammolabError(
        `Cannot ${what}: what arrived is not the file that the hub describes (its hash differs); nothing was kept, try again later or over another network`,
      );
    }
    trusted = true;
  }
  await sink.finish();
  await Deno.rename(partial, blob).catch((cause) => {
    throw cannotWrite(blob, cause);
  });
}

const counting = (watch: Watch, count: (bytes: number) => void): Watch => ({
  ...watch,
  count: (bytes) => {
    watch.count(bytes);
    count(bytes);
  },
});

/** One connection: from where the sink ends, as far as it goes. */
async function receive(
  what: string,
  { bytes, hash }: RemoteFile,
  { url, connection, sink, watch }: {
    readonly url: string;
    readonly connection: Connection;
    readonly sink: Sink;
    readonly watch: Watch;
  },
): Promise<Answer<true>> {
  const from = sink.at();
  const answer = await request(what, url, connection, {
    signal: watch.signal,
    ...from > 0 ? { range: `bytes=${from}-` } : {},
  });
  if (!("value" in answer)) return answer;
  const { response, linkedEtag } = answer.value;
  const odd = strange(response, linkedEtag, { from, bytes, hash });
  if (odd) {
    await response.body?.cancel().catch(() => {});
    if (response.status === 416) await sink.restart();
    return { again: odd };
  }
  if (response.status === 200 && from > 0) await sink.restart(); // it does not do ranges: all of it again
  for await (const chunk of response.body ?? []) {
    if (sink.at() + chunk.length > bytes) return { again: `the server sends more than the ${bytes} bytes of the file` };
    await sink.write(chunk);
    watch.count(chunk.length);
  }
  return sink.at() === bytes ? { value: true } : { again: `the connection ended at byte ${sink.at()} of ${bytes}` };
}

/** What is wrong with the head of an answer, before a byte of it is taken. */
function strange(
  { status, headers }: Response,
  linkedEtag: string | undefined,
  { from, bytes, hash }: { readonly from: number; readonly bytes: number; readonly hash: RemoteFile["hash"] },
): string | undefined {
  if (linkedEtag && hash.kind === "sha256" && linkedEtag !== hash.hex) {
    return "the hub names another hash for the file than before";
  }
  if (status === 416) return `the server has no byte ${from} of the file`;
  if (headers.get("content-encoding") && headers.get("content-encoding") !== "identity") {
    return "the server packs the file, which was asked for as it is";
  }
  const start = status === 206 ? from : 0;
  const range = headers.get("content-range");
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? "") ?? [];
  if (status === 206) {
    const fits = from > 0 && Number(first) === from && Number(last) === bytes - 1 &&
      (total === "*" || Number(total) === bytes);
    if (!fits) return `the server answers with another part of the file (${range?.slice(0, 60) ?? "unnamed"})`;
  }
  const length = headers.get("content-length");
  if (length !== null && Number(length) !== bytes - start) {
    return `the server announces ${Number(length)} bytes, ${bytes - start} are missing`;
  }
}

/** The file that grows, and the hash of what is in it. */
type Sink = AsyncDisposable & {
  readonly at: () => number;
  readonly write: (chunk: Uint8Array) => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly digest: () => string;
  /** Everything is on the disk. */
  readonly finish: () => Promise<void>;
};

async function openSink(path: string, { bytes, hash: { kind } }: RemoteFile): Promise<Sink> {
  const fresh = (): Hash => kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`); // as git hash-object
  const failing = (cause: unknown): never => {
    throw cannotWrite(path, cause);
  };
  await Deno.mkdir(dirname(path), { recursive: true }).catch(failing);
  const earlier = await sizeOf(path) ?? 0;
  const file = await Deno.open(path, { read: true, write: true, create: true }).catch(failing) as Deno.FsFile;
  let [at, hash] = [0, fresh()];
  const restart = async () => {
    await file.truncate(0).catch(failing);
    await file.seek(0, Deno.SeekMode.Start);
    [at, hash] = [0, fresh()];
  };
  if (earlier > bytes) await restart();
  const buffer = new Uint8Array(1 << 18);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    at += read;
  }
  return {
    at: () => at,
    write: async (chunk) => {
      for (let done = 0; done < chunk.length;) {
        done += await file.write(chunk.subarray(done)).catch(failing) as number;
      }
      hash.update(chunk);
      at += chunk.length;
    },
    restart,
    digest: () => hash.copy().digest("hex"),
    finish: () => file.sync().catch(failing),
    [Symbol.asyncDispose]: () => Promise.resolve(file.close()),
  };
}

/** Whether a file is the one that the hub describes. */
export async function isWhole(path: string, remote: RemoteFile): Promise<boolean> {
  if (await sizeOf(path) !== remote.bytes) return false;
  const { bytes, hash: { kind, hex } } = remote;
  const hash = kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  return hash.digest("hex") === hex;
}
