import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { median, pairedRatio, verdict } from "./_pairs.ts";
import { rows } from "./rows.ts";

/** A side that takes the given times, one after the other, and notes that it ran. */
function side(name: string, times: readonly number[], order: string[]): () => Promise<number> {
  let n = 0;
  return () => {
    order.push(name);
    return Promise.resolve(times[n++ % times.length]!);
  };
}

describe("pairedRatio()", () => {
  it("runs ours, peer, ours in turns, leaves the first round out, and gives the median of the rounds", async () => {
    const order: string[] = [];
    // Our first round is cold (100), one of the peer's is disturbed (90): neither moves the median.
    const ours = side("ours", [100, 100, 2, 2, 2, 2, 2, 2], order);
    const peer = side("peer", [50, 3, 90, 3], order);
    const { ratio, control, range, ours: mine, peer: theirs } = await pairedRatio(ours, peer, {
      rounds: 3,
      pauseMs: 0,
    });
    assertEquals(order.slice(0, 6), ["ours", "peer", "ours", "ours", "peer", "ours"]);
    assertEquals([ratio, control, mine, theirs], [1.5, 1, 2, 3]);
    assertEquals(range, [1.5, 45]);
  });

  it("shows in the control that our own two runs differ, so that there is no verdict", async () => {
    const order: string[] = [];
    const drifting = side("ours", [2, 2.4], order);
    const { ratio, control } = await pairedRatio(drifting, side("peer", [3], order), { rounds: 7, pauseMs: 0 });
    assertAlmostEquals(control, 2 / 2.4, 1e-12);
    assertEquals(verdict({ ratio, control }, 0.9), "unclear");
    assertEquals(verdict({ ratio: 0.96, control: 1.04 }, 0.95), true);
    assertEquals(verdict({ ratio: 0.94, control: 0.97 }, 0.95), false);
  });
});

describe("median()", () => {
  it("is the middle value, or the mean of the two middle ones", () => {
    assertEquals([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5]);
    assert(Number.isNaN(median([])));
  });
});

describe("the rows of the speed table", () => {
  it("have names of their own and goals above zero", () => {
    assertEquals(new Set(rows.map(({ name }) => name)).size, rows.length);
    assert(rows.every(({ goal }) => goal > 0));
  });
});
