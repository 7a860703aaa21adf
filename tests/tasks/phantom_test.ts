import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { deno, root } from "./_run.ts";

describe("deno task phantom", () => {
  it("says how many exams of an earlier run will stay without a row in the tables", async () => {
    await Deno.mkdir(`${root}out`, { recursive: true });
    const out = await Deno.makeTempDir({ dir: `${root}out`, prefix: "phantom-test-" });
    try {
      const draw = (seed: number) =>
        deno(["task", "-q", "phantom", "--exams", "2", "--seed", `${seed}`, "--mm", "1", "--out", out]);
      const runs = [await draw(1), await draw(1), await draw(2)];
      assertEquals(runs.map(({ code }) => code), [0, 0, 0]);
      assertEquals(runs.slice(0, 2).map(({ error }) => error), ["", ""]);
      assertStringIncludes(runs[2]!.error, "list this run alone: 1 exams of an earlier one stay in ");
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
});
