import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom, shuffled } from "mammolab/base";

describe("seededRandom()", () => {
  it("gives the same draws for the same key and others for another key", () => {
    const draws = (...key: (string | number)[]) => {
      const { uniform } = seededRandom(...key);
      return [uniform(), uniform(), uniform()];
    };
    assertEquals(draws(7, "rotate", 3), draws(7, "rotate", 3));
    assertNotEquals(draws(7, "rotate", 3), draws(7, "rotate", 4));
    assertNotEquals(draws(7, "ab", "c"), draws(7, "a", "bc"));
    assertNotEquals(draws(1), draws("1"));
  });

  it("refuses a key without a seed", () => {
    const seed = undefined as unknown as number;
    assertThrows(() => seededRandom(seed, "noise"), MammolabError, "the key holds undefined");
  });

  it("draws uniform first numbers over consecutive seeds, without serial correlation", () => {
    const n = 20_000;
    const first = Array.from({ length: n }, (_, seed) => seededRandom(seed, "first").uniform());
    const bins = new Array<number>(20).fill(0);
    for (const x of first) bins[Math.floor(x * 20)]!++;
    const chiSquare = bins.reduce((sum, count) => sum + (count - n / 20) ** 2 / (n / 20), 0);
    assert(chiSquare < 43.8, `chi-square ${chiSquare} with 19 degrees of freedom (0.1 % point 43.8)`);
    let product = 0;
    for (let i = 1; i < n; i++) product += (first[i]! - 0.5) * (first[i - 1]! - 0.5);
    assertAlmostEquals(product / (n / 12), 0, 0.03); // 4 standard errors of 1/sqrt(n)
  });

  it("draws normal numbers with mean 0, deviation 1 and kurtosis 3", () => {
    const { normal } = seededRandom(5, "normal");
    const values = Array.from({ length: 40_000 }, normal);
    const moment = (k: number) => values.reduce((sum, x) => sum + x ** k, 0) / values.length;
    assertAlmostEquals(moment(1), 0, 0.025);
    assertAlmostEquals(moment(2), 1, 0.03);
    assertAlmostEquals(moment(4), 3, 0.15);
  });
});

describe("shuffled()", () => {
  it("puts every item at every place equally often and keeps the argument", () => {
    const items = [0, 1, 2, 3];
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 4000; seed++) {
      shuffled(items, seededRandom(seed)).forEach((item, place) => counts[place]![item]!++);
    }
    assertEquals(items, [0, 1, 2, 3]);
    for (const row of counts) for (const count of row) assertAlmostEquals(count, 1000, 120);
  });
});
