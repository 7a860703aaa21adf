// deno task test [paths] [--filter NAME] …: every further word goes to `deno test`.
//
// The tests import @std/testing/bdd and @std/assert, which come from JSR. Where JSR cannot be reached, the same files run
// over the stand-in of tests/_standin, by an import map that is generated from deno.json so that it cannot drift.

const deno = (args: readonly string[], stdout: "inherit" | "piped" | "null") =>
  new Deno.Command("deno", { args: [...args], stdout, stderr: stdout === "null" ? "null" : "inherit" }).spawn();

async function probes(flags: readonly string[], deadlineMs: number): Promise<boolean> {
  const child = deno(["run", "-q", ...flags, "tests/_probe.ts"], "null");
  const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

async function standinMap(): Promise<string> {
  const root = new URL("../", import.meta.url);
  const { name, exports, imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const ours = Object.entries(exports as Record<string, string>)
    .map(([path, file]) => [name + path.slice(1), new URL(file, root).href]);
  const npm = Object.entries(imports as Record<string, string>).filter(([, target]) => target.startsWith("npm:"))
    .flatMap(([from, target]) => [[from, target], [`${from}/`, `${target.replace("npm:", "npm:/")}/`]]);
  return JSON.stringify({
    imports: {
      ...Object.fromEntries([...npm, ...ours]),
      "@std/testing/bdd": new URL("tests/_standin/bdd.ts", root).href,
      "@std/assert": new URL("tests/_standin/assert.ts", root).href,
    },
  });
}

export async function runTests(args: readonly string[]): Promise<number> {
  const real = (await probes(["--cached-only"], 20_000)) || (await probes([], 10_000));
  let mapFlags: string[] = [];
  if (!real) {
    await Deno.stderr.write(new TextEncoder().encode(
      "JSR cannot be reached: the tests run over the stand-in for @std/testing and @std/assert in tests/_standin\n",
    ));
    mapFlags = ["--import-map", `data:application/json,${encodeURIComponent(await standinMap())}`];
  }
  // Said here: what a test module itself prints is lost when files run in parallel.
  if (!Deno.env.get("MAMMOLAB_TEST_DATA")) {
    await Deno.stderr.write(new TextEncoder().encode(
      "MAMMOLAB_TEST_DATA names no folder: what is tested on real mammograms is skipped\n",
    ));
  }
  const child = deno(["test", "-q", "-P=test", "--no-prompt", "--parallel", ...mapFlags, ...args], "piped");
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4000);
  }
  const { code } = await child.status;
  // deno-lint-ignore no-control-regex
  const counts = tail.replace(/\u001b\[[0-9;]*m/g, "").match(/(\d+) passed.*?\| (\d+) failed/);
  const [passed, failed] = [Number(counts?.[1] ?? 0), Number(counts?.[2] ?? (code === 0 ? 0 : 1))];
  const filtered = args.some((arg) => arg.startsWith("--filter"));
  const nothing = filtered && passed + failed === 0;
  if (nothing) {
    await Deno.stdout.write(new TextEncoder().encode("The filter selects no test; it looks at top-level names only\n"));
  }
  await Deno.stdout.write(new TextEncoder().encode(`${passed} passed, ${failed} failed\n`));
  return code !== 0 ? code : nothing ? 1 : 0;
}

if (import.meta.main) Deno.exit(await runTests(Deno.args));
