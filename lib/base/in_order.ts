/** One item and what became of it. */
export type Outcome<Item, Result> =
  | { readonly item: Item; readonly result: Result }
  | { readonly item: Item; readonly error: unknown };

/**
 * Works on several items at once and gives the results in the order of the items. No more than `atOnce` are begun before
 * the consumer has taken the oldest result, so that memory does not grow with the number of items; an item that fails is
 * a result like any other. Leaving the loop early aborts what is under way.
 *
 * @param work what to do with one item; pass its signal on
 * @param options.atOnce how many items are under way at most; default 2
 * @param options.signal stops: the loop throws its reason
 *
 * @example
 * ```ts
 * import { inOrder } from "mammolab/base";
 * import { assertEquals } from "@std/assert";
 * const results = [];
 * for await (const outcome of inOrder([1, 2, 3], (n) => Promise.resolve(n * n), { atOnce: 2 })) {
 *   if ("result" in outcome) results.push(outcome.result);
 * }
 * assertEquals(results, [1, 4, 9]);
 * ```
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  { atOnce = 2, signal }: { readonly atOnce?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Outcome<Item, Result>, void, void> {
  const left = new AbortController();
  const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  const underWay: Promise<Outcome<Item, Result>>[] = [];
  try {
    for await (const item of items) {
      signal?.throwIfAborted();
      underWay.push(begin(item, (one) => work(one, both)));
      if (underWay.length >= atOnce) yield await next(underWay, signal);
    }
    while (underWay.length > 0) yield await next(underWay, signal);
  } finally {
    left.abort();
  }
}

async function begin<Item, Result>(
  item: Item,
  work: (item: Item) => Promise<Result>,
): Promise<Outcome<Item, Result>> {
  try {
    return { item, result: await work(item) };
  } catch (error) {
    return { item, error };
  }
}

async function next<T>(underWay: Promise<T>[], signal: AbortSignal | undefined): Promise<T> {
  const outcome = await (underWay.shift() as Promise<T>);
  signal?.throwIfAborted();
  return outcome;
}
