import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno } from "./_run.ts";

const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
const runners = new Set(["test", "ok", "wasm"]); // for developers: hand every word on to Deno's own commands, or to one script
const tasks = Object.keys(config.tasks).filter((name) => !runners.has(name));

describe("every task", () => {
  for (const name of tasks) {
    it(`${name} explains itself with --help and refuses an unknown option with exit code 2`, async () => {
      const help = await deno(["task", "-q", name, "--help"]);
      assertEquals([help.code, help.error], [0, ""]);
      assertStringIncludes(help.out, `Usage: deno task ${name}`);
      assertStringIncludes(help.out, "Example: ");
      assertStringIncludes(help.out, "--json");
      const wrong = await deno(["task", "-q", name, "--no-such-option"]);
      assertEquals(wrong.code, 2);
      assertEquals(wrong.out, "");
      assertMatch(wrong.error, /--no-such-option/);
    });
  }

  it("has a description in deno.json", () => {
    for (const [name, task] of Object.entries(config.tasks)) {
      assert((task as { description?: string }).description, `${name} has no description`);
    }
  });
});

describe("permissions", () => {
  it("are named sets: no task has all, network only where it fetches, native code only from node_modules", () => {
    for (const [name, task] of Object.entries(config.tasks)) {
      const { command } = task as { command: string };
      assert(!/(^|\s)(-A|--allow-all)(\s|$)/.test(command), `${name} has all permissions`);
      assert(!/--allow-(net|run|ffi|write)(\s|$)/.test(command), `${name} has a permission without limits`);
    }
    for (const [name, set] of Object.entries(config.permissions as Record<string, Record<string, unknown>>)) {
      assert(set.run === undefined || Array.isArray(set.run), `${name} may run anything`);
      assert(set.ffi === undefined || Array.isArray(set.ffi), `${name} may load native code from anywhere`);
      const talksToItself = ["notebooks", "test"]; // to a kernel, a pool, a browser on this machine
      if (talksToItself.includes(name)) assertEquals(set.net, ["127.0.0.1"]);
      else if (name !== "fetch") assert(set.net === undefined, `${name} has network access`);
    }
  });
});
