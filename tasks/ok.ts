// deno task ok: everything that must hold before a commit. Each step runs to its end; the exit code is 1 if one failed.
import { runTests } from "./test.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));

async function step(name: string, args: readonly string[]): Promise<boolean> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command("deno", {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
  })
    .output();
  say(`${success ? "ok    " : "FAILED"} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
  if (!success) say(decode(stdout) + decode(stderr));
  return success;
}

const { exports } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
const doors = Object.values(exports as Record<string, string>);
const results = [
  await step("format", ["fmt", "-q", "--check"]),
  await step("lint", ["lint", "-q"]),
  await step("types", ["check", "-q", "lib", "tasks", "mod.ts"]),
  await step("documentation of every public name", ["doc", "--lint", ...doors]),
  await runTests(["--doc", "--reporter=dot", "lib", "README.md", "CONTRIBUTING.md"]) === 0,
  await runTests(["--reporter=dot"]) === 0,
];
say(results.every(Boolean) ? "ok\n" : "not ok\n");
Deno.exit(results.every(Boolean) ? 0 : 1);
