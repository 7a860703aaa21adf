import { MammolabError } from "./errors.ts";

/** A stream of random draws, made by {@linkcode seededRandom}. The same key gives the same draws on every machine. */
export type Random = {
  /** Uniform in [0, 1), 53 bits. */
  readonly uniform: () => number;
  /** Uniform in [low, high). */
  readonly between: (low: number, high: number) => number;
  /** Uniform integer in [0, count). */
  readonly integer: (count: number) => number;
  /** Log-uniform in [low, high), both above zero. */
  readonly logBetween: (low: number, high: number) => number;
  /** Normal with mean 0 and deviation 1 (Box & Muller 1958). */
  readonly normal: () => number;
  /** 32 random bits as an unsigned integer. */
  readonly bits: () => number;
};

/**
 * Random draws keyed by what they are for, so that one more draw somewhere never changes another part,
 * and the number of workers never changes a result: `seededRandom(seed, "rotate", epoch, record)`.
 *
 * The key is hashed to 128 bits (four rounds of Austin Appleby's MurmurHash3 finalizer), which seed sfc32
 * (Chris Doty-Humphrey's small fast counting generator, PractRand).
 *
 * @example
 * ```ts
 * import { seededRandom } from "mammolab/base";
 * import { assertEquals } from "@std/assert";
 * assertEquals(seededRandom(1, "noise").uniform(), seededRandom(1, "noise").uniform());
 * ```
 */
export function seededRandom(...key: readonly (number | string)[]): Random {
  let [a, b, c, counter] = hashKey(key);
  const bits = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) bits(); // sfc32 wants a few rounds before its state is mixed

  let spare: number | undefined;
  const uniform = (): number => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 0x20000000000000;
  return {
    bits,
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    integer: (count) => Math.floor(uniform() * count),
    logBetween: (low, high) => low * (high / low) ** uniform(),
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform())); // 1 - u: never log(0)
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

/** A copy of `items` in random order (Fisher & Yates; Durstenfeld 1964). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** Four 32-bit words of hash of a key; numbers enter with all 64 bits, strings as UTF-16, each with its kind and length. */
export function hashKey(key: readonly (number | string)[]): [number, number, number, number] {
  const state: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x85ebca6b];
  const absorb = (word: number) => {
    for (let lane = 0; lane < 4; lane++) state[lane] = mix32((state[lane] as number) ^ mix32(word + lane * 0x9e3779b9));
  };
  const wide = new DataView(new ArrayBuffer(8));
  for (const part of key) {
    if (typeof part === "number") {
      wide.setFloat64(0, part);
      absorb(wide.getInt32(0));
      absorb(wide.getInt32(4));
    } else if (typeof part === "string") {
      for (let i = 0; i < part.length; i++) absorb(part.charCodeAt(i));
      absorb(part.length + 0x10000);
    } else { // no type checker sees a seed that is left out in a notebook
      throw new MammolabError(`Cannot draw: the key holds ${part}, where a number or a text is needed; give a seed`);
    }
  }
  return state;
}

/** MurmurHash3's 32-bit finalizer: every input bit changes every output bit with probability one half. */
function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
