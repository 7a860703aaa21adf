import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import { deno } from "../tasks/_run.ts";

describe("the script on transfer learning", () => {
  it("runs from beginning to end, and says of each way how much it is above training from scratch", async () => {
    const { code, out, error } = await deno([
      "run",
      "-q",
      "-P=work",
      "--no-prompt",
      "tests/shown/transfer.ts",
      "quick",
    ]);
    assertEquals([code, error], [0, ""]);
    assertMatch(out, /source: .* accuracy on \d+ films of other exams/);
    const row = (way: string) => new RegExp(`  ${way} +\\S+ \\(\\S+ to \\S+\\)   above from scratch: \\S+ \\(`, "g");
    for (const way of ["head only", "last block", "all"]) assertEquals(out.match(row(way))?.length, 2, way);
  });
});
