import { dirname, join } from "node:path";
import { MammolabError, sentenceOf } from "./errors.ts";
import { temporaryPathFor } from "./files.ts";

/**
 * The folder for what can be made again: `.cache` in the project, which is the nearest folder from here upwards that has a
 * `deno.json`, or this folder where there is none. A notebook and a task of one project thus share one cache.
 *
 * @param from where to begin; default: the current folder
 */
export async function cacheFolder(from: string = Deno.cwd()): Promise<string> {
  for (let folder = from;;) {
    if (await exists(join(folder, "deno.json")) || await exists(join(folder, "deno.jsonc"))) {
      return join(folder, ".cache");
    }
    const parent = dirname(folder);
    if (parent === folder) return join(from, ".cache");
    folder = parent;
  }
}

/** The secret that makes hashes of patients' numbers unguessable, and whether it is kept. */
export type Salt = {
  /** At least 16 bytes. */
  readonly bytes: Uint8Array;
  /** False where it could not be written: hashes then hold within this run only. */
  readonly kept: boolean;
};

/**
 * Reads the salt, or makes it once: in the file that the environment variable `MAMMOLAB_SALT_FILE` names, else in `salt` in
 * the cache folder (mode 600, 32 random bytes). An unsalted hash of a patient's number is a leak: numbers can be tried out.
 *
 * @param options.file the file, instead of both
 * @throws MammolabError when the named file is too short or cannot be read
 */
export async function readSalt({ file }: { readonly file?: string } = {}): Promise<Salt> {
  const named = file ?? await namedFile();
  const path = named ?? join(await cacheFolder(), "salt");
  try {
    return { bytes: checked(await Deno.readFile(path), path), kept: true };
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    if (error instanceof MammolabError || (named !== undefined && !missing)) throw unreadable(path, error);
    return missing ? await make(path) : ofThisRun;
  }
}

/** Where none can be kept: the same for all calls, so that films of one patient still belong together. */
const ofThisRun: Salt = { bytes: crypto.getRandomValues(new Uint8Array(32)), kept: false };

async function make(path: string): Promise<Salt> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  // Written whole under another name, then linked: of two processes that begin at once, both get the salt of the first.
  const temporary = temporaryPathFor(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(temporary, bytes, { mode: 0o600, createNew: true });
    try {
      await Deno.link(temporary, path);
      return { bytes, kept: true };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return { bytes: checked(await Deno.readFile(path), path), kept: true };
    } finally {
      await Deno.remove(temporary);
    }
  } catch {
    return ofThisRun; // no right to write, a read-only disk: the run goes on
  }
}

async function namedFile(): Promise<string | undefined> {
  const { state } = await Deno.permissions.query({ name: "env", variable: "MAMMOLAB_SALT_FILE" });
  return state === "granted" ? Deno.env.get("MAMMOLAB_SALT_FILE") || undefined : undefined;
}

function checked(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length >= 16) return bytes;
  throw new MammolabError(
    `Cannot use ${path} as the salt for patients' numbers: it has ${bytes.length} bytes, at least 16 are needed; write 32 random bytes to it`,
  );
}

function unreadable(path: string, error: unknown): MammolabError {
  if (error instanceof MammolabError) return error;
  return new MammolabError(
    `Cannot read ${path}, the salt for patients' numbers: ${sentenceOf(error)}; check MAMMOLAB_SALT_FILE`,
    { cause: error },
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false; // also where reading is not allowed
  }
}
