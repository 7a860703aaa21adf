import { MammolabError } from "./errors.ts";

/**
 * Bytes that travel behind a job: at once, or as a stream of a known size, such as a file that is never held whole. A chunk is
 * read before the next one is asked for: the stream may write over it.
 */
export type Body = Uint8Array | { readonly size: number; readonly chunks: () => AsyncIterable<Uint8Array> };

/** The bytes of a body, held whole. @throws MammolabError when the stream is not as long as it was said to be */
export async function wholeBody(body: Body): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const bytes = new Uint8Array(body.size);
  let at = 0;
  for await (const chunk of body.chunks()) {
    if (at + chunk.length > bytes.length) throw changed();
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at !== bytes.length) throw changed();
  return bytes;
}

/** Several byte arrays in one piece, one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What a stream of another length means where it is a file's. */
export function changed(): MammolabError {
  return new MammolabError("Cannot read the file: it changed while it was read; try again");
}
