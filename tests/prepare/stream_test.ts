import fc from "../_fast_check.ts";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { batch, map, prefetch, shuffle } from "mammolab/prepare";

const numbers = (count: number) => Array.from({ length: count }, (_, k) => k);

/** A stream that counts what was asked of it and says whether it was ended. */
function watched(count: number) {
  const seen = { asked: 0, ended: false };
  async function* stream() {
    try {
      for (let k = 0; k < count; k++) {
        seen.asked++;
        yield await Promise.resolve(k);
      }
    } finally {
      seen.ended = true;
    }
  }
  return { seen, stream: stream() };
}

describe("batch()", () => {
  it("keeps all items in their order, in groups of the size but for the last", () => {
    const count = fc.integer({ min: 0, max: 40 });
    const size = fc.integer({ min: 1, max: 9 });
    return fc.assert(fc.asyncProperty(count, size, async (count, size) => {
      const groups = await Array.fromAsync(batch(numbers(count), { size }));
      assertEquals(groups.flat(), numbers(count));
      groups.slice(0, -1).forEach((group) => assertEquals(group.length, size));
      const full = await Array.fromAsync(batch(numbers(count), { size, dropLast: true }));
      assertEquals(full, groups.filter((group) => group.length === size));
    }));
  });
  it("refuses a size that is none", async () => {
    await assertRejects(() => Array.fromAsync(batch([1], { size: 0 })), MammolabError, "groups of 0");
  });
});

describe("shuffle()", () => {
  it("gives each item once, in an order that seed and epoch fix, never from beyond the buffer", () => {
    const count = fc.integer({ min: 0, max: 60 });
    return fc.assert(fc.asyncProperty(count, fc.integer({ min: 1, max: 20 }), fc.nat(), async (count, buffer, seed) => {
      const order = () => Array.fromAsync(shuffle(numbers(count), { seed, buffer }));
      const found = await order();
      assertEquals(found.toSorted((a, b) => a - b), numbers(count));
      assertEquals(await order(), found);
      found.forEach((item, place) => assert(item < place + buffer));
    }));
  });
  it("takes every order equally often where the buffer holds all", async () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 3000; epoch++) {
      const order = (await Array.fromAsync(shuffle([1, 2, 3], { seed: 4, epoch }))).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assertEquals(counts.size, 6);
    for (const count of counts.values()) assert(Math.abs(count - 500) < 100, `${count} of 500`);
  });
});

describe("prefetch()", () => {
  it("is ahead of its consumer by the count and no more", async () => {
    const { seen, stream } = watched(20);
    const ahead = prefetch(stream, { count: 3 });
    assertEquals((await ahead.next()).value, 0);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(seen.asked, 4);
    assertEquals(await Array.fromAsync(ahead), numbers(20).slice(1));
  });
  it("ends its source when the loop is left", async () => {
    const { seen, stream } = watched(20);
    for await (const item of prefetch(stream, { count: 2 })) if (item === 3) break;
    assert(seen.ended);
    assert(seen.asked < 8, `${seen.asked}`);
  });
  it("throws what its source throws, in its turn", async () => {
    async function* broken() {
      yield await Promise.resolve(1);
      throw new MammolabError("Cannot go on: the source ends here; try again");
    }
    const found: number[] = [];
    await assertRejects(
      async () => {
        for await (const item of prefetch(broken(), { count: 4 })) found.push(item);
      },
      MammolabError,
      "Cannot go on",
    );
    assertEquals(found, [1]);
  });
});

describe("streams in a row", () => {
  it("are one stream: shuffle, map, batch, prefetch", async () => {
    const squares = map(shuffle(numbers(10), { seed: 1 }), (n) => Promise.resolve(n * n), { atOnce: 3 });
    const groups = await Array.fromAsync(prefetch(batch(squares, { size: 4 }), { count: 1 }));
    assertEquals(groups.map(({ length }) => length), [4, 4, 2]);
    const results = groups.flat().map((outcome) => "result" in outcome ? outcome.result : NaN);
    assertEquals(results.toSorted((a, b) => a - b), numbers(10).map((n) => n * n));
  });
});
