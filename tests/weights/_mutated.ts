import { seededRandom } from "mammolab/base";
import { damaged } from "./_damaged.ts";

/**
 * A safetensors file as a disk, a cut download or an enemy might leave it: cut, grown, bytes changed, values of its JSON
 * replaced by strange ones (with the length of the header put right, so that they are looked at), its length a lie.
 */
export function mutated(whole: Uint8Array<ArrayBuffer>, seed: number): Uint8Array<ArrayBuffer> {
  const random = seededRandom(seed, "mutated");
  const length = Number(new DataView(whole.buffer, whole.byteOffset).getBigUint64(0, true));
  const bytes = whole.slice();
  switch (random.integer(6)) {
    case 0:
      return bytes.slice(0, random.integer(bytes.length));
    case 1: {
      const grown = new Uint8Array(bytes.length + 1 + random.integer(64));
      grown.set(bytes);
      return grown;
    }
    case 2:
      new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.floor(random.logBetween(1, 2 ** 62))), true);
      return bytes;
    case 3:
    case 4: {
      const json = new TextDecoder().decode(bytes.subarray(8, 8 + length));
      const header = new TextEncoder().encode(damaged(json, seed));
      const out = new Uint8Array(8 + header.length + bytes.length - 8 - length);
      new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
      out.set(header, 8);
      out.set(bytes.subarray(8 + length), 8 + header.length);
      return out;
    }
    default:
      for (let n = random.integer(4); n >= 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
      return bytes;
  }
}

/** How many mutated files a test tries: a share of 5,000 where MAMMOLAB_TEST_FUZZ=all, few by default. */
export function filesToTry(few: number, all: number): number {
  return Deno.env.get("MAMMOLAB_TEST_FUZZ") === "all" ? all : few;
}
