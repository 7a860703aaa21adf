import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { MammolabError, sentenceOf, writeFileAtomic } from "../base/mod.ts";
import { type FilmRecord, recordKey } from "../datasets/mod.ts";
import { type Image, imageOf, type Preparation, preparationHash, prepare } from "../image/mod.ts";
import { loadMammogram } from "../io/mod.ts";

/** Gives the prepared image of a film, the same each time, with its place in the film. */
export type PreparedFilms = (film: FilmRecord) => Promise<Image>;

/** How films are prepared and kept. */
export type PreparedFilmsOptions = {
  readonly preparation: Preparation;
  /** Prepares one film; default: its file is read and prepared in this thread. A flow does it in several processes. */
  readonly prepare?: (film: FilmRecord) => Promise<Image>;
  /**
   * Where prepared films are kept: 147 kB for 384 × 192, in files named by the film's file with its time and size, and by
   * the preparation; several trainings may use one folder at once. Without it they are kept in memory.
   */
  readonly folder?: string;
};

/**
 * Films that are read and prepared when they are first asked for, and then kept in 16 bits. What was kept and cannot be
 * read is made again.
 *
 * @throws MammolabError from the film's file, when it is first asked for
 */
export function preparedFilms(
  { preparation, prepare: one = (film) => read(film, preparation), folder }: PreparedFilmsOptions,
): PreparedFilms {
  const under = new Map<string, Promise<Kept>>();
  const fromFolder = async (film: FilmRecord, folder: string): Promise<Kept> => {
    const path = join(folder, `${await preparedName(film, preparation)}.film`);
    const known = await Deno.readFile(path).then(unpack, () => undefined);
    if (known) return known;
    const kept = keep(await one(film));
    await writeFileAtomic(path, pack(kept));
    return kept;
  };
  return async (film) => {
    const key = recordKey(film);
    let made = under.get(key);
    if (!made) {
      made = folder === undefined ? one(film).then(keep) : fromFolder(film, folder);
      under.set(key, made);
      // With a folder the disk keeps it; a film that failed is tried again when it is asked for again.
      const forget = () => under.delete(key);
      made.then(folder === undefined ? () => {} : forget, forget);
    }
    const { values, ...place } = await made;
    // A loop: from() with a function takes 5 ms for a film, which is longer than a training step takes for it.
    const data = new Float32Array(values.length);
    for (let at = 0; at < data.length; at++) data[at] = values[at]! / 65535;
    return imageOf(data, place);
  };
}

type Kept = Omit<Image, "data"> & { readonly values: Uint16Array };

function keep({ data, ...place }: Image): Kept {
  const values = new Uint16Array(data.length);
  for (let at = 0; at < data.length; at++) values[at] = Math.round(65535 * Math.min(1, Math.max(0, data[at]!)));
  return { ...place, values };
}

async function read({ file, frame }: FilmRecord, preparation: Preparation): Promise<Image> {
  return prepare((await loadMammogram(file, frame === undefined ? {} : { frame })).image, preparation);
}

/**
 * A name for a prepared film: a file that was changed has another, and so has the same file prepared in another way.
 *
 * @throws MammolabError when there is no such file
 */
export async function preparedName({ file, frame }: FilmRecord, preparation: Preparation): Promise<string> {
  const { size, mtime } = await Deno.stat(file).catch((cause) => {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : sentenceOf(cause);
    throw new MammolabError(`Cannot read ${file}: ${reason}; check the path`, { cause });
  });
  const key = JSON.stringify([resolve(file), size, mtime?.getTime(), frame, preparationHash(preparation)]);
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}

/** One line of JSON with size and place, then the values, little-endian. */
function pack({ values, ...place }: Kept): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(place)}\n`);
  const bytes = new Uint8Array(line.length + values.byteLength);
  bytes.set(line);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), line.length);
  return bytes;
}

function unpack(bytes: Uint8Array): Kept | undefined {
  try {
    const end = bytes.indexOf(10);
    const place: Omit<Image, "data"> = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    const values = new Uint16Array(bytes.slice(end + 1).buffer); // a copy begins at an even byte
    return values.length === place.height * place.width * place.channels ? { ...place, values } : undefined;
  } catch {
    return undefined;
  }
}
