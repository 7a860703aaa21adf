import { Readable } from "node:stream";
import { createInflate, createInflateRaw } from "node:zlib";
import { MammolabError } from "../../base/mod.ts";
import { formAt } from "./container.ts";
import { type DicomLimits, frameBytesOf, pixelLayoutOf } from "./layout.ts";
import { parseDataSet } from "./parse.ts";
import { copyAgain, count, loadLarger, refuse } from "./refuse.ts";

/** A header needs a few thousand bytes, with large tables and many frames a few million; past this it is a bomb. */
const maxHeaderBytes = 32 * 2 ** 20;

/**
 * Inflates the data set of a Deflated Explicit VR file (DICOM PS3.5 section A.5) up to the end of the pixels that its own
 * header promises, and not a byte further: half a megabyte can inflate to half a gigabyte.
 *
 * @param deflated everything after the file meta information
 * @throws MammolabError when the stream is cut or damaged, or the header promises more than a limit
 */
export async function inflateDataSet(deflated: Uint8Array, limits: DicomLimits): Promise<Uint8Array> {
  const inflater = openInflater(deflated);
  try {
    for (let size = 2 ** 18; size <= maxHeaderBytes; size *= 4) {
      const bytes = await inflater.upTo(size);
      const needed = promisedBytes(bytes, limits);
      if (needed !== undefined) {
        const whole = await inflater.upTo(needed);
        return whole.length === needed ? whole : refuse(`its deflate stream is cut or damaged; ${copyAgain}`);
      }
      if (bytes.length < size) return bytes; // all of it: the parser will say what is missing
    }
    return refuse(`its header inflates to more than ${count(maxHeaderBytes)} bytes; leave it out`);
  } finally {
    inflater.close();
  }
}

/** How many bytes the data set has up to the last pixel; undefined where its header is not complete yet. */
function promisedBytes(bytes: Uint8Array, limits: DicomLimits): number | undefined {
  let parsed;
  try {
    parsed = parseDataSet(bytes, 0, formAt(bytes, 0));
  } catch (error) {
    if (error instanceof MammolabError) return undefined;
    throw error;
  }
  if (!parsed.pixels) return undefined;
  const layout = pixelLayoutOf(parsed.dataSet, limits);
  const pixelBytes = frameBytesOf(layout) * layout.frames;
  if (pixelBytes > limits.maxFileBytes) {
    refuse(
      `its pixels are ${count(pixelBytes)} bytes, the limit is ${count(limits.maxFileBytes)}; ${
        loadLarger("maxFileBytes")
      }`,
    );
  }
  return parsed.pixels.at + pixelBytes;
}

/** Inflates on demand: what is not asked for is not made, but for what one slice of 16 kB gives. */
function openInflater(deflated: Uint8Array) {
  // node:zlib and not DecompressionStream, which gives nothing at all where a byte follows the end.
  const inflate = isZlib(deflated) ? createInflate() : createInflateRaw();
  const chunks = Readable.from(slices(deflated)).pipe(inflate)[Symbol.asyncIterator]();
  let made = new Uint8Array(2 ** 18);
  let filled = 0;
  let ended = false;
  return {
    /** All bytes made so far, cut to `size`; fewer where the stream has ended, whole or not. */
    async upTo(size: number): Promise<Uint8Array> {
      while (filled < size && !ended) {
        // A stream that is cut fails here; whether that matters is told by the bytes that are there.
        const value: Uint8Array | undefined = await chunks.next().then((next) => next.value, () => undefined);
        if (value === undefined) {
          ended = true;
          break;
        }
        if (filled + value.length > made.length) {
          const larger = new Uint8Array(Math.max(filled + value.length, Math.min(size, made.length * 4)));
          larger.set(made.subarray(0, filled));
          made = larger;
        }
        made.set(value, filled);
        filled += value.length;
      }
      return made.subarray(0, Math.min(size, filled));
    },
    close: () => void inflate.destroy(),
  };
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 2 ** 14) yield bytes.subarray(at, at + 2 ** 14);
}

/** A zlib header before the deflate stream is not the standard's, but met (RFC 1950: method 8, divisible by 31). */
function isZlib(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes;
  return (method & 15) === 8 && (method * 256 + flags) % 31 === 0 && (bytes[2] ?? 0) !== 0;
}
