// Memory in a process that was started for jobs (`--expose-gc`), which shall not grow from film to film; nothing happens elsewhere.

const { gc } = globalThis as { gc?: () => void };

/** Jobs from one collection to the next, which takes 5 to 10 ms. */
const jobsBetween = 64;
let jobs = 0;

/**
 * To be called after each job: now and then collects all that jobs left behind. Where large arrays are given back at once, V8 sees
 * no reason to collect the small objects that hold native memory, such as the state of a decompression.
 */
export function collectGarbage(): void {
  if (++jobs % jobsBetween === 0) gc?.();
}

/**
 * Gives the memory of a large array back at once, which V8 would let wait with tens of megabytes of others. Only in processes for
 * jobs: their heap keeps it for the next film (`surroundings` in _carrier_child.ts), others hand it to the system and fetch it
 * again, which takes 15 ms for a film of 4.3 Mpx.
 *
 * @param array held by nobody else, nor another of its buffer: it may be empty afterwards. Below 64 KB it is left as it is,
 * because `node:zlib` takes small ones from a buffer that others share
 */
export function release({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
  if (gc && byteOffset === 0 && byteLength >= 64 << 10 && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
