import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";

const cwd = new URL("../../", import.meta.url).pathname;

type Check = {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
  readonly optional?: true;
};

async function doctor(...flags: string[]): Promise<{ code: number; checks: readonly Check[] }> {
  const { code, stdout } = await new Deno.Command("deno", {
    args: ["run", "-q", "-P=work", "--no-prompt", ...flags, "tasks/doctor.ts", "--json", "--quiet"],
    cwd,
  }).output();
  return { code, checks: JSON.parse(new TextDecoder().decode(stdout)).checks };
}

describe("deno task doctor", () => {
  it("tries every part for real, and tells a fix for each that does not work", async () => {
    const { code, checks } = await doctor();
    assertEquals(code, 0);
    assertEquals(checks.map(({ name }) => name), [
      "Deno",
      "memory",
      "files",
      "engine on cpu",
      "engine on webgpu",
      "engine on cuda",
      "@tensorflow/tfjs-node-gpu",
      "@tensorflow/tfjs-node",
      "@tensorflow/tfjs",
      "decoding",
      "model",
      "overlay",
      "figures",
    ]);
    for (const { name, ok, detail, fix, optional } of checks) {
      assert(detail.length > 5, name);
      assert(ok || (optional && (fix ?? "").length > 10), `${name}: ${detail}`);
    }
  });

  it("fails where a part that is needed does not work", async () => {
    const { code, checks } = await doctor("--deny-write=out");
    const files = checks.find(({ name }) => name === "files");
    assertEquals([code, files?.ok], [1, false]);
    assertMatch(files!.detail, /^Cannot write out/);
    assertMatch(files!.fix!, /run it from the folder of the project/);
    assertEquals(checks.filter(({ ok, optional }) => !ok && !optional).length, 1);
  });
});
