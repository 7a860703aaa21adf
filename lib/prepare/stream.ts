// What is done with streams of anything: in order, with back-pressure, ended when the loop is left.
import { MammolabError, seededRandom } from "../base/mod.ts";

export { inOrder as map, type Outcome } from "../base/mod.ts";

/** A list, or a stream. */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Groups of `size` items, the last one as large as is left.
 *
 * @param options.dropLast leave out a last group that is not full
 * @throws MammolabError when the size is no whole number above 0
 *
 * @example
 * ```ts
 * import { batch } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * assertEquals(await Array.fromAsync(batch([1, 2, 3, 4, 5], { size: 2 })), [[1, 2], [3, 4], [5]]);
 * ```
 */
export async function* batch<T>(
  items: Items<T>,
  { size, dropLast = false }: { readonly size: number; readonly dropLast?: boolean },
): AsyncGenerator<T[], void, void> {
  checkCount("make groups of", size);
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0 && !dropLast) yield group;
}

/**
 * The items in random order: each is drawn from the next `buffer` ones, so that no more have to be held. Where the buffer holds
 * all of them, every order is equally likely. The same seed and epoch give the same order.
 *
 * @param options.epoch default 0
 * @param options.buffer default 1,000
 * @throws MammolabError when the buffer is no whole number above 0
 *
 * @example
 * ```ts
 * import { shuffle } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const order = await Array.fromAsync(shuffle([1, 2, 3, 4], { seed: 1 }));
 * assertEquals(order.toSorted(), [1, 2, 3, 4]);
 * ```
 */
export async function* shuffle<T>(
  items: Items<T>,
  { seed, epoch = 0, buffer = 1000 }: { readonly seed: number; readonly epoch?: number; readonly buffer?: number },
): AsyncGenerator<T, void, void> {
  checkCount("shuffle with a buffer of", buffer);
  const random = seededRandom(seed, "shuffle", epoch);
  const held: T[] = [];
  const draw = () => {
    const place = random.integer(held.length);
    const drawn = held[place] as T;
    held[place] = held.at(-1) as T;
    held.pop();
    return drawn;
  };
  for await (const item of items) {
    held.push(item);
    if (held.length >= buffer) yield draw();
  }
  while (held.length > 0) yield draw();
}

/**
 * Asks for items before they are wanted: `count` are under way while the consumer works on one.
 *
 * @throws MammolabError when the count is no whole number above 0
 *
 * @example
 * ```ts
 * import { batch, prefetch } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * assertEquals(await Array.fromAsync(prefetch(batch([1, 2, 3], { size: 2 }), { count: 1 })), [[1, 2], [3]]);
 * ```
 */
export async function* prefetch<T>(
  items: Items<T>,
  { count }: { readonly count: number },
): AsyncGenerator<T, void, void> {
  checkCount("fetch ahead", count);
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const underWay: Promise<IteratorResult<T>>[] = [];
  const ask = () => {
    const next = Promise.resolve(source.next());
    next.catch(() => {}); // thrown when its turn comes
    underWay.push(next);
  };
  try {
    for (let k = 0; k < count; k++) ask();
    for (;;) {
      const { done, value } = await (underWay.shift() as Promise<IteratorResult<T>>);
      if (done) return;
      ask();
      yield value;
    }
  } finally {
    await source.return?.();
  }
}

function checkCount(action: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return;
  throw new MammolabError(`Cannot ${action} ${count} items: give a whole number above 0`);
}
