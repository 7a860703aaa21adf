import { createHash } from "node:crypto";
import { correlation, distance, type Fingerprint, orientations } from "./_fingerprint.ts";
import { nearHashes } from "./_near_hashes.ts";
import { copyMarks } from "./copies.ts";
import type { Match } from "./oddities.ts";
import type { FilmRecord } from "./records.ts";

/** Records that seem to show one film. */
export type Copies = { readonly records: readonly FilmRecord[]; readonly match?: Match };

/**
 * Two films are held for one when the hashes of their breast crops, or of the whole films, differ in at most so many of 256
 * bits and the pictures correlate at least so much at 48 × 48 pixels.
 *
 * Measured on the 322 films of mini-MIAS in eight orientations (tests/datasets/measure_alike.ts): crops of different films
 * differ in at least 26 bits; whole films come as near as 6 bits, but of the pairs within 40 bits none correlates above 0.992.
 * A film at half its size differs from itself in at most 8 bits by its crop and 2 as a whole (correlation above 0.9987). With
 * noise of 1 % on it, 1 film in 100 is cropped so differently that only the whole film tells (11 bits, correlation 0.9999).
 */
export const alikeWhen = {
  breast: { distance: 18, correlation: 0.985 },
  whole: { distance: 12, correlation: 0.997 },
} as const;

/** Groups of records whose names tell of one film, with the marks they bear; see {@linkcode copyMarks}. */
export function copiesByName(
  records: readonly FilmRecord[],
): { readonly records: readonly FilmRecord[]; readonly marks: readonly string[] }[] {
  const named = records.map((record) => ({ record, ...copyMarks(record.file) }));
  return [...Map.groupBy(named, ({ original, record }) => `${record.dataset} ${original}`).values()].flatMap((same) => {
    const marks = [...new Set(same.flatMap(({ marks }) => marks))].sort();
    return marks.length > 0 ? [{ records: same.map(({ record }) => record), marks }] : [];
  });
}

/** Groups of records whose files are equal, byte for byte; files of a size of their own are not read. Missing ones are no matter. */
export async function copiesByBytes(
  records: readonly FilmRecord[],
  { signal, onFile }: { readonly signal?: AbortSignal; readonly onFile?: () => void } = {},
): Promise<Copies[]> {
  const sizes = await Promise.all(records.map(({ file }) => Deno.stat(file).then(({ size }) => size, () => -1)));
  const bySize = Map.groupBy(records.keys(), (index) => `${sizes[index]} ${records[index]!.frame ?? ""}`);
  const found: Copies[] = [];
  for (const same of bySize.values()) {
    if (same.length > 1 && sizes[same[0]!] !== -1) {
      const byHash = new Map<string, FilmRecord[]>();
      for (const index of same) {
        if (signal?.aborted) return found;
        const hash = await hashOfFile(records[index]!.file);
        onFile?.();
        if (hash) byHash.set(hash, [...byHash.get(hash) ?? [], records[index]!]);
      }
      for (const equal of byHash.values()) if (equal.length > 1) found.push({ records: equal });
    } else for (const _ of same) onFile?.();
  }
  return found;
}

/** Films to be told apart by their pixels. */
export type PixelCopies = {
  /** Compares a film with all before it. */
  readonly add: (record: FilmRecord, print: Fingerprint) => void;
  /** Groups of records whose films look alike in one of the eight orientations. */
  readonly groups: () => Copies[];
};

/**
 * Compares films as they come, so that a check of many tells how far it is and can be stopped. A pair is alike by the first of
 * breast and whole, and there by the first orientation, that is near enough; a group tells the least alike of its pairs.
 */
export function pixelCopies(): PixelCopies {
  const films: { readonly record: FilmRecord; readonly print: Fingerprint }[] = [];
  const pairs: { readonly a: number; readonly b: number; readonly match: Match }[] = [];
  const near = { breast: nearHashes(alikeWhen.breast.distance), whole: nearHashes(alikeWhen.whole.distance) };

  const add = (record: FilmRecord, print: Fingerprint) => {
    const found = new Map<number, Match>();
    for (const part of ["breast", "whole"] as const) {
      const { hashes, thumbnail } = print[part];
      for (const [turned, hash] of hashes.entries()) {
        for (const a of near[part].near(hash)) {
          if (found.has(a)) continue;
          const before = films[a]!.print[part];
          const match = correlation(before.thumbnail, thumbnail, turned);
          if (match < alikeWhen[part].correlation) continue;
          const bits = distance(before.hashes[0]!, hash);
          found.set(a, { distance: bits, correlation: match, orientation: orientations[turned]!, of: part });
        }
      }
      near[part].add(hashes[0]!);
    }
    const b = films.push({ record, print }) - 1;
    for (const [a, match] of found) pairs.push({ a, b, match });
  };
  const groups = () => {
    const sorted = pairs.toSorted((one, other) => one.a - other.a || one.b - other.b);
    const leader = joined(films.length, sorted);
    const members = Map.groupBy(films.keys(), leader);
    return [...Map.groupBy(sorted, ({ a }) => leader(a))].map(([first, alike]) => ({
      records: members.get(first)!.map((index) => films[index]!.record),
      match: alike.map(({ match }) => match).reduce((least, match) =>
        match.correlation < least.correlation ? match : least
      ),
    }));
  };
  return { add, groups };
}

/** The smallest member of the connected group that each of `count` things is in. */
function joined(
  count: number,
  pairs: readonly { readonly a: number; readonly b: number }[],
): (index: number) => number {
  const leader = Array.from({ length: count }, (_, index) => index);
  const find = (index: number): number => {
    while (leader[index] !== index) index = leader[index] = leader[leader[index]!]!;
    return index;
  };
  for (const { a, b } of pairs) {
    const [one, other] = [find(a), find(b)];
    leader[Math.max(one, other)] = Math.min(one, other);
  }
  return find;
}

async function hashOfFile(file: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    using opened = await Deno.open(file);
    for await (const chunk of opened.readable) hash.update(chunk);
  } catch {
    return undefined; // told as missing or unreadable elsewhere
  }
  return hash.digest("hex");
}
