import { type Body, MammolabError, sentenceOf } from "../base/mod.ts";
import { count, loadLarger } from "./dicom/refuse.ts";
import { headBytes } from "./sniff.ts";

/** A file that is there, is a file and is small enough: its size, its first bytes, and a stream of all. */
export type Source = {
  /** The path as it was given, or the name of the bytes. */
  readonly file: string;
  readonly head: Uint8Array;
  readonly body: Body;
};

/**
 * Looks at a file before anything is read from it, so that a pipe does not hang and a huge file is not begun.
 *
 * @throws MammolabError one sentence for a missing file, a folder, a pipe or device, an empty or too large file, and for rights
 */
export async function openSource(
  input: string | Uint8Array,
  { name = "the given bytes", maxFileBytes }: { readonly name?: string; readonly maxFileBytes: number },
): Promise<Source> {
  if (input instanceof Uint8Array) {
    checkBytes(name, input.length, maxFileBytes);
    return { file: name, head: input.subarray(0, headBytes), body: input };
  }
  if (typeof input !== "string") {
    throw new MammolabError(
      `Cannot read ${name}: it is neither a path nor bytes; give a text, or the bytes as a Uint8Array (new Uint8Array(buffer))`,
    );
  }
  const cannot = (reason: string, cause?: unknown) => new MammolabError(`Cannot read ${input}: ${reason}`, { cause });
  try {
    const { size, isFile, isDirectory } = await Deno.stat(input);
    if (isDirectory) throw cannot("it is a folder; name the files in it");
    if (!isFile) throw cannot("it is a pipe or a device, not a file; name a file");
    checkBytes(input, size, maxFileBytes);
    using file = await Deno.open(input);
    const head = new Uint8Array(Math.min(size, headBytes));
    for (let at = 0; at < head.length;) {
      const count = await file.read(head.subarray(at));
      if (count === null) throw cannot("it became shorter while it was read; try again");
      at += count;
    }
    return { file: input, head, body: { size, chunks: () => chunksOf(input, size) } };
  } catch (error) {
    if (error instanceof MammolabError) throw error;
    const pattern = error instanceof Deno.errors.NotFound && /[*?]/.test(input);
    throw cannot(pattern ? "no file matches this pattern; check the folder" : reasonOf(error), error);
  }
}

/**
 * A file's bytes, as many as it had when it was looked at; this process never holds more than one megabyte of them. What is given
 * out is written over by the next bytes, and by those of the next file.
 */
async function* chunksOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  const chunk = spare.pop() ?? new Uint8Array(1 << 20);
  try {
    for (let left = size; left > 0;) {
      const count = await file.read(left < chunk.length ? chunk.subarray(0, left) : chunk);
      if (count === null) return; // shorter than it was: whoever counts will say so
      left -= count;
      yield chunk.subarray(0, count);
    }
  } finally {
    spare.push(chunk);
  }
}

/** Chunks that no file is read into: as many as were read at once. A new one for each film would be garbage that waits for long. */
const spare: Uint8Array[] = [];

function checkBytes(file: string, size: number, maxFileBytes: number): void {
  if (size === 0) throw new MammolabError(`Cannot read ${file}: it is empty; copy or export it again`);
  if (size > maxFileBytes) {
    throw new MammolabError(
      `Cannot read ${file}: it has ${count(size)} bytes, the limit is ${count(maxFileBytes)}; ${
        loadLarger("maxFileBytes")
      }`,
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file; check the path";
  if (error instanceof Deno.errors.NotCapable) return "this script may not read it; add --allow-read for its folder";
  if (error instanceof Deno.errors.PermissionDenied) return "you have no right to read it; change its rights";
  const text = sentenceOf(error);
  if (/not a directory|os error 20/i.test(text)) return "a part of its path is a file, not a folder; check the path";
  return `${text}; check the path`;
}
