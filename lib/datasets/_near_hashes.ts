import { seededRandom } from "../base/mod.ts";
import { distance } from "./_fingerprint.ts";

/** Hashes of 256 bits, found again by others that differ in few. */
export type NearHashes = {
  /** Numbers of the hashes added so far, from 0, that differ from this one in at most `most` bits; in no order. */
  readonly near: (hash: Uint32Array) => number[];
  readonly add: (hash: Uint32Array) => void;
};

const bucketBits = 18;

/**
 * Multi-index hashing (Norouzi, Punjani, Fleet 2012, “Fast search in Hamming space with multi-index hashing”): the bits are
 * dealt into so many parts that two hashes within `most` bits have a part in which they differ in one bit or none. So only
 * hashes are compared that share the bucket of such a part: a few of a thousand, measured on mini-MIAS.
 *
 * Every part takes bits from all over the film. A part of neighboring bits would lie in the black beside many breasts.
 */
export function nearHashes(most: number): NearHashes {
  const parts = Math.ceil((most + 1) / 2);
  // The bucket of a part is the XOR of a random number for each of its set bits (Zobrist 1970): one bit more is one XOR
  const random = seededRandom(1, "buckets");
  const numbers = Uint32Array.from({ length: 256 }, () => random.bits() >>> (32 - bucketBits));
  const buckets = Array.from({ length: parts }, () => ({
    last: new Int32Array(1 << bucketBits).fill(-1), // the newest hash of each bucket
    before: [] as number[], // hash → the one before it in the same bucket
  }));
  const hashes: Uint32Array[] = [];
  const asked: number[] = []; // hash → the last question that compared it
  let question = 0;

  const bucketsOf = (hash: Uint32Array): Uint32Array => {
    const out = new Uint32Array(parts);
    for (let bit = 0; bit < 256; bit++) {
      if ((hash[bit >> 5]! >>> (bit & 31)) & 1) out[bit % parts]! ^= numbers[bit]!;
    }
    return out;
  };
  const near = (hash: Uint32Array) => {
    question++;
    const found: number[] = [];
    const compare = (part: number, bucket: number) => {
      const { last, before } = buckets[part]!;
      for (let other = last[bucket]!; other >= 0; other = before[other]!) {
        if (asked[other] === question) continue;
        asked[other] = question;
        if (distance(hash, hashes[other]!, most) <= most) found.push(other);
      }
    };
    for (const [part, bucket] of bucketsOf(hash).entries()) {
      compare(part, bucket);
      for (let bit = part; bit < 256; bit += parts) compare(part, bucket ^ numbers[bit]!);
    }
    return found;
  };
  const add = (hash: Uint32Array) => {
    const number = hashes.push(hash) - 1;
    asked.push(0);
    for (const [part, bucket] of bucketsOf(hash).entries()) {
      const { last, before } = buckets[part]!;
      before.push(last[bucket]!);
      last[bucket] = number;
    }
  };
  return { near, add };
}
