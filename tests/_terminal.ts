// deno-lint-ignore-file no-console
// Runs a command in a terminal of its own, as a person would: `deno run -A tests/_terminal.ts PATTERN WORD …`. Everything that
// the terminal shows goes to standard output; where it shows PATTERN for the first time (empty: never), Ctrl-C is typed.
// Ends with the command's exit code, or with 77 where there is no `script` of util-linux to make a terminal.
const [pattern, ...words] = Deno.args as [string, ...string[]];
const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
const version = await new Deno.Command("script", { args: ["--version"] }).output().catch(() => undefined);
if (!version || !new TextDecoder().decode(version.stdout).includes("util-linux")) {
  console.log("no script of util-linux");
  Deno.exit(77);
}
const child = new Deno.Command("script", {
  args: ["-q", "-e", "-c", quoted, "/dev/null"],
  env: { TERM: "xterm", NO_COLOR: "1" },
  stdin: "piped",
  stdout: "piped",
}).spawn();
const keyboard = child.stdin.getWriter();
let [shown, typed] = ["", pattern === ""];
for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
  await Deno.stdout.write(new TextEncoder().encode(text));
  shown += text;
  if (typed || !new RegExp(pattern).test(shown)) continue;
  typed = true;
  await keyboard.write(Uint8Array.of(3)); // as the key does
}
await keyboard.close().catch(() => {});
Deno.exit((await child.status).code);
