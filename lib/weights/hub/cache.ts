// The layout of Hugging Face's cache (huggingface_hub, "Understand caching"): blobs by hash, refs that name a commit, and a
// folder a commit in which each file is a name of its blob. Deno gives symbolic links only to programs that may write
// anywhere, so the names here are hard links; Hugging Face's programs read both.
import { dirname, join } from "node:path";
import { cacheFolder, temporaryPathFor, writeFileAtomic } from "../../base/mod.ts";
import type { HubName } from "./name.ts";

/** A model that is on this machine. */
export type Snapshot = {
  /** With `model.safetensors` and what else was fetched. */
  readonly folder: string;
  /** 40 hex digits. */
  readonly commit: string;
};

/** The file without which a snapshot is of no use; it is placed last. */
export const weightFile = "model.safetensors";

/** Whether a text is a commit's name. */
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** Where fetched models are kept: `huggingface` in the cache folder of the project. */
export async function ownHubCache(): Promise<string> {
  return join(await cacheFolder(), "huggingface");
}

/** The cache of Hugging Face's own programs, which is read and never written: HF_HUB_CACHE, HF_HOME, or where they put it. */
export function userHubCache(): string | undefined {
  const direct = variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE");
  if (direct) return direct;
  const caches = variable("XDG_CACHE_HOME") ?? below(variable("HOME") ?? variable("USERPROFILE"), ".cache");
  return below(variable("HF_HOME") ?? below(caches, "huggingface"), "hub");
}

/** An environment variable where it may be read and is not empty. */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

const below = (folder: string | undefined, name: string) => folder === undefined ? undefined : join(folder, name);

/** The folder of a model in a cache. */
export function modelFolder(cache: string, { owner, name }: HubName): string {
  return join(cache, `models--${owner}--${name}`);
}

/**
 * Finds a model on this machine, without network: in the project's cache, then in that of Hugging Face's programs.
 *
 * @param caches where to look; default: both
 * @returns nothing where the revision or its weights are missing
 */
export async function findSnapshot(
  hubName: HubName,
  { caches }: { readonly caches?: readonly string[] } = {},
): Promise<Snapshot | undefined> {
  const user = userHubCache();
  for (const cache of caches ?? [await ownHubCache(), ...user === undefined ? [] : [user]]) {
    const model = modelFolder(cache, hubName);
    const { revision } = hubName;
    const commit = isCommit(revision)
      ? revision
      : (await Deno.readTextFile(join(model, "refs", revision)).catch(() => "")).trim();
    const folder = join(model, "snapshots", commit);
    if (isCommit(commit) && await sizeOf(join(folder, weightFile)) !== undefined) return { folder, commit };
  }
}

/** Bytes of a file, or nothing where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile ? size : undefined;
  } catch {
    return undefined;
  }
}

/** Gives a blob its name in a snapshot: at every moment the name is absent or a whole file. */
export async function placeFile(blob: string, path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const temporary = temporaryPathFor(path);
  try {
    await Deno.link(blob, temporary).catch(() => Deno.copyFile(blob, temporary)); // a disk without hard links
    await Deno.rename(temporary, path); // does nothing where both are names of one file already
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

/** Notes which commit a branch or tag is. A commit needs no note. */
export async function writeRef(model: string, revision: string, commit: string): Promise<void> {
  if (!isCommit(revision)) await writeFileAtomic(join(model, "refs", revision), commit);
}

/**
 * Does work that only one process at a time may do. The lock is the file system's: it goes with its process, however that ends.
 *
 * @param signal ends the waiting
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using file = await Deno.open(path, { write: true, create: true });
  while (!await file.tryLock(true)) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return await work();
}
