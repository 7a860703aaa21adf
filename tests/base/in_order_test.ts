import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import fc from "../_fast_check.ts";
import { inOrder } from "mammolab/base";

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("inOrder()", () => {
  it("gives results and failures in the order of the items, with no more under way than was said", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (waits, atOnce) => {
          let underWay = 0;
          const outcomes: unknown[] = [];
          const work = async (i: number) => {
            assertLessOrEqual(++underWay, atOnce);
            await after(waits[i] as number);
            underWay--;
            if (waits[i] === 3) throw new Error("three");
            return i;
          };
          for await (const one of inOrder(waits.keys(), work, { atOnce })) {
            outcomes.push("error" in one ? (one.error as Error).message : one.result);
          }
          assertEquals(outcomes, waits.map((wait, i) => wait === 3 ? "three" : i));
        },
      ),
      { numRuns: 30 },
    );
  });

  it("begins nothing that the consumer does not take", async () => {
    let begun = 0;
    const all = inOrder(Array(100).keys(), () => Promise.resolve(++begun), { atOnce: 3 });
    await all.next();
    await after(5);
    assertEquals(begun, 3);
    await all.return();
  });

  it("aborts what is under way when the loop is left early", async () => {
    const aborted: number[] = [];
    const work = async (i: number, signal: AbortSignal) => {
      signal.addEventListener("abort", () => aborted.push(i));
      await after(i === 0 ? 0 : 50);
    };
    for await (const _ of inOrder([0, 1, 2], work, { atOnce: 2 })) break;
    assertEquals(aborted.includes(1), true);
  });

  it("throws the reason of its signal", async () => {
    const abort = new AbortController();
    await assertRejects(
      async () => {
        for await (const { item } of inOrder([0, 1, 2], () => after(1), { signal: abort.signal })) {
          if (item === 0) abort.abort(new Error("stopped"));
        }
      },
      Error,
      "stopped",
    );
  });
});
