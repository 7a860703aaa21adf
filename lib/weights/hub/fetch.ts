import { join } from "node:path";
import { MammolabError, type OnProgress, temporaryPathFor } from "../../base/mod.ts";
import { fetchBlob, isWhole, type RemoteFile } from "./blob.ts";
import {
  findSnapshot,
  isCommit,
  modelFolder,
  ownHubCache,
  placeFile,
  sizeOf,
  userHubCache,
  variable,
  weightFile,
  withLock,
  writeRef,
} from "./cache.ts";
import { describeModel, type RemoteModel } from "./describe.ts";
import { type HubName, hubNameText } from "./name.ts";
import { type Connection, unreachable } from "./request.ts";

/** How models of the hub are fetched. */
export type HubOptions = {
  /** Where they are kept; default `.cache/huggingface` in the project. */
  readonly cache?: string;
  /** A cache that is read and never written; default: that of Hugging Face's own programs. `null`: none. */
  readonly userCache?: string | null;
  /** The hub; default HF_ENDPOINT, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Default HF_TOKEN. It is sent to the hub alone, never to the hosts that it sends on to. */
  readonly token?: string;
  /** No network: what is on this machine, or a sentence. Default HF_HUB_OFFLINE. */
  readonly offline?: boolean;
  /** A connection that brings fewer than 1 kB in this time is given up; default 30,000. */
  readonly idleMs?: number;
  /** Connections in a row that may fail; default 5. */
  readonly attempts?: number;
  /** Before the second attempt, doubled before each further one; default 500. */
  readonly waitMs?: number;
  /** Ends the work; what has arrived is kept, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /** Told of megabytes. */
  readonly onProgress?: OnProgress;
};

/** A file of a fetched model. */
export type HubFile = {
  readonly file: string;
  readonly bytes: number;
  /** Where it came from: the network, this project's cache, or that of Hugging Face's own programs. */
  readonly from: "network" | "cache" | "Hugging Face's cache";
};

/** A model that was fetched, or was there. */
export type HubDownload = {
  /** `hf:owner/name[@revision]` */
  readonly model: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly folder: string;
  readonly files: readonly HubFile[];
  /** Of all files. */
  readonly bytes: number;
  /** As the model's card names it. */
  readonly licence: string | undefined;
  /** Why the hub was not asked whether there is a newer revision. */
  readonly offline?: string;
};

/** What is fetched of a model; all else (other formats, pickles, logs) stays where it is. */
const wanted =
  /^(?:model\.safetensors|config\.json|model\.json|preprocessor_config\.json|README\.md|LICEN[CS]E(?:\.(?:md|txt))?)$/;

/**
 * Fetches a model of the Hugging Face hub into the cache of the project, in Hugging Face's layout. What is there already is
 * not fetched again; a download that was cut goes on where it ended; each file is compared with the hash that the hub names.
 * Afterwards no network is needed.
 *
 * @throws MammolabError when the hub has no such model, does not give it, or what arrives is not what it describes
 */
export async function fetchFromHub(hubName: HubName, options: HubOptions = {}): Promise<HubDownload> {
  const cache = options.cache ?? await ownHubCache();
  const userCache = options.userCache === undefined ? userHubCache() : options.userCache ?? undefined;
  const what = `fetch ${hubNameText(hubName)}`;
  const here = async (offline?: string) => {
    const caches = [cache, ...userCache === undefined ? [] : [userCache]];
    const found = await findSnapshot(hubName, { caches });
    return found && await describeSnapshot(hubName, found, { cache, offline });
  };

  const offline = options.offline ?? /^(1|on|yes|true)$/i.test(variable("HF_HUB_OFFLINE") ?? "");
  if (offline || isCommit(hubName.revision)) { // what a commit holds never changes
    const found = await here(offline ? "HF_HUB_OFFLINE is set" : undefined);
    if (found) return found;
    if (offline) {
      throw new MammolabError(`Cannot ${what}: it is not on this machine and HF_HUB_OFFLINE is set; unset it once`);
    }
  }
  const connection = connectionOf(what, options);
  let model: RemoteModel;
  try {
    model = await describeModel(what, hubName, connection);
  } catch (error) {
    options.signal?.throwIfAborted();
    const found = error instanceof MammolabError && error.cause === unreachable
      ? await here(unreachable.reason)
      : undefined;
    if (found) return found;
    throw error;
  }
  const files = model.files.filter(({ file }) => wanted.test(file));
  if (!files.some(({ file }) => file === weightFile)) {
    const pieces = model.files.some(({ file }) => file === `${weightFile}.index.json`);
    throw new MammolabError(
      `Cannot ${what}: ${
        pieces
          ? "its weights are in several files, which are too large for the networks here"
          : `it has no ${weightFile}, and pickles are not read because they may hold code`
      }; choose another model or revision`,
    );
  }
  return await fetchFiles(hubName, { ...model, files }, {
    cache,
    userCache,
    connection,
    onProgress: options.onProgress,
  });
}

async function fetchFiles(
  hubName: HubName,
  { commit, files, licence }: RemoteModel,
  { cache, userCache, connection, onProgress }: {
    readonly cache: string;
    readonly userCache: string | undefined;
    readonly connection: Connection;
    readonly onProgress: OnProgress | undefined;
  },
): Promise<HubDownload> {
  const model = modelFolder(cache, hubName);
  const folder = join(model, "snapshots", commit);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const report = progressOf(total, onProgress);
  const done: HubFile[] = [];
  // Small files first, the weights last: a snapshot with weights is whole.
  for (const remote of [...files].sort((a, b) => Number(a.file === weightFile) - Number(b.file === weightFile))) {
    const { file, bytes, hash: { hex } } = remote;
    const blob = join(model, "blobs", hex);
    const url = `${connection.endpoint}/${hubName.owner}/${hubName.name}/resolve/${commit}/${encodeURIComponent(file)}`;
    const lock = join(cache, ".locks", `models--${hubName.owner}--${hubName.name}`, `${hex}.lock`);
    const from = await withLock(lock, async (): Promise<HubFile["from"]> => {
      if (await sizeOf(blob) === bytes) return "cache";
      if (userCache && await copyWhole(join(modelFolder(userCache, hubName), "blobs", hex), blob, remote)) {
        return "Hugging Face's cache";
      }
      const what = `fetch ${file} of ${hubNameText(hubName)}`;
      await fetchBlob(what, remote, { url, blob, connection, count: report.count });
      return "network";
    }, { signal: connection.signal });
    report.reached(bytes);
    await placeFile(blob, join(folder, file));
    done.push({ file, bytes, from });
  }
  await writeRef(model, hubName.revision, commit);
  return { model: hubNameText(hubName), commit, folder, files: done, bytes: total, licence };
}

/** Takes a file from a cache that is not ours, where it is what the hub describes. */
async function copyWhole(from: string, to: string, remote: RemoteFile): Promise<boolean> {
  if (await sizeOf(from) !== remote.bytes) return false;
  const temporary = temporaryPathFor(to);
  try {
    await Deno.mkdir(join(to, ".."), { recursive: true });
    await Deno.copyFile(from, temporary);
    if (!await isWhole(temporary, remote)) return false;
    await Deno.rename(temporary, to);
    return true;
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

async function describeSnapshot(
  hubName: HubName,
  { folder, commit }: { readonly folder: string; readonly commit: string },
  { cache, offline }: { readonly cache: string; readonly offline: string | undefined },
): Promise<HubDownload> {
  const from = folder.startsWith(cache) ? "cache" : "Hugging Face's cache";
  const files: HubFile[] = [];
  for (const entry of await Array.fromAsync(Deno.readDir(folder))) {
    const bytes = wanted.test(entry.name) ? await sizeOf(join(folder, entry.name)) : undefined;
    if (bytes !== undefined) files.push({ file: entry.name, bytes, from });
  }
  const card = await Deno.readTextFile(join(folder, "README.md")).catch(() => "");
  const [, licence] = /^---\n(?:(?!---)[^\n]*\n)*?license:[ \t]*["']?([\w.+-]{1,60})/.exec(card) ?? [];
  return {
    model: hubNameText(hubName),
    commit,
    folder,
    files: files.sort((a, b) => a.file < b.file ? -1 : 1),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    licence,
    ...offline === undefined ? {} : { offline },
  };
}

function connectionOf(what: string, options: HubOptions): Connection {
  const endpoint = (options.endpoint ?? variable("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new MammolabError(
      `Cannot ${what}: HF_ENDPOINT is no web address; set it to https://huggingface.co or unset it`,
    );
  }
  const { idleMs = 30_000, attempts = 5, waitMs = 500, signal } = options;
  return { endpoint, token: options.token ?? variable("HF_TOKEN"), idleMs, leastBytes: 1000, attempts, waitMs, signal };
}

/** Megabytes that are here, of those of all files. */
function progressOf(totalBytes: number, onProgress: OnProgress = () => {}) {
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
  let [finished, current, told] = [0, 0, -1];
  const tell = () => {
    const done = megabytes(Math.min(finished + current, totalBytes));
    if (done === told) return;
    told = done;
    onProgress({ done, total: megabytes(totalBytes), unit: "MB" });
  };
  return {
    count: (bytes: number) => {
      current += bytes;
      tell();
    },
    /** A file is here, however it came. */
    reached: (bytes: number) => {
      [finished, current] = [finished + bytes, 0];
      tell();
    },
  };
}
