import { dirname, join } from "node:path";
import { MammolabError, sentenceOf } from "./errors.ts";

/** A file that is being written. */
export type WritableFile = {
  /** Writes all bytes at the end. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Forces what was written to the disk. */
  readonly sync: () => Promise<void>;
  /** Closes the file. */
  readonly close: () => void;
};

/**
 * The four things that every writer of mammolab does to a disk. A test passes a twin that fails or dies at its call n,
 * for every n, so that each point where a disk may fail is tried.
 */
export type FileSystem = {
  /** Creates an empty file (the folder must exist) and opens it. */
  readonly open: (path: string) => Promise<WritableFile>;
  /** Moves a file over another one, atomically. */
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Removes a file; a missing one is no error. */
  readonly remove: (path: string) => Promise<void>;
};

/** The real disk. */
export const disk: FileSystem = {
  async open(path) {
    const file = await Deno.open(path, { write: true, createNew: true });
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename: (from, to) => Deno.rename(from, to),
  async remove(path) {
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  },
};

/** Whether something lies at a path, as far as this process may see. */
export const exists = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);

/** A name beside a file for what is to become it, which no other process, no Worker and no run before this one has. */
export function temporaryPathFor(path: string): string {
  return `${path}.${crypto.randomUUID()}.part`;
}

/**
 * Writes a file so that at every moment either the old content or the new one is there, whole: a temporary name in the
 * same folder, synced, renamed. Missing folders are made.
 *
 * @param chunks the content, at once or piece by piece
 * @throws MammolabError naming the path, when the disk is full, read-only or gone; then no temporary file is left
 */
export async function writeFileAtomic(
  path: string,
  chunks: Uint8Array | string | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { fileSystem = disk }: { readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const temporary = temporaryPathFor(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await fileSystem.open(temporary);
    try {
      if (typeof chunks === "string") await file.write(new TextEncoder().encode(chunks));
      else if (chunks instanceof Uint8Array) await file.write(chunks);
      else for await (const chunk of chunks) await file.write(chunk);
      await file.sync();
    } finally {
      file.close();
    }
    await fileSystem.rename(temporary, path);
  } catch (cause) {
    await fileSystem.remove(temporary).catch(() => {}); // the first failure is the one to tell
    throw cannotWrite(path, cause);
  }
}

/**
 * Makes a folder and writes a byte into it, which is removed again: what cannot be written is said before the work, and once.
 *
 * @throws MammolabError naming the folder, when the disk is full or read-only, or something may not be written there
 */
export async function checkFolder(
  folder: string,
  { fileSystem = disk }: { readonly fileSystem?: FileSystem } = {},
): Promise<void> {
  const temporary = temporaryPathFor(join(folder, "check"));
  try {
    await Deno.mkdir(folder, { recursive: true });
    const file = await fileSystem.open(temporary);
    try {
      await file.write(Uint8Array.of(0));
      await file.sync();
    } finally {
      file.close();
    }
    await fileSystem.remove(temporary);
  } catch (cause) {
    await fileSystem.remove(temporary).catch(() => {});
    throw cannotWrite(folder, cause);
  }
}

/**
 * Removes what {@linkcode writeFileAtomic} left in a folder when its process was killed. Only for a folder into which
 * nobody else writes now; one that there is not is no error.
 */
export async function removeHalfWritten(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/.test(name)) await Deno.remove(join(folder, name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The sentence for a file that could not be written: why, and what to do. An error that says so already stays itself. */
export function cannotWrite(path: string, cause: unknown): MammolabError {
  if (cause instanceof MammolabError) return cause;
  return new MammolabError(`Cannot write ${path}: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Deno.errors.NotCapable) {
    return "this task may write only below out/ and .cache/; choose a folder there, or run the script with --allow-write for that folder";
  }
  if (cause instanceof Deno.errors.PermissionDenied) return "the folder is read-only; choose another folder";
  if (cause instanceof Deno.errors.NotFound) return "the folder has vanished; make it again or choose another";
  const text = sentenceOf(cause);
  if (/no space|ENOSPC|os error 28/i.test(text)) return "the disk is full; free some space or choose another folder";
  if (/read-only file system|os error 30/i.test(text)) return "the disk is read-only; choose another folder";
  if (/not a directory|os error 20\b|file exists/i.test(text)) { // the latter where the last part is that file
    return "a part of its path is a file, not a folder; choose another folder";
  }
  return `${text}; check the folder and its free space`;
}
