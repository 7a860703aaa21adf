// Runs deno task predict with LD_LIBRARY_PATH set: the tests themselves have no right to hand it on.
const { code } = await new Deno.Command("deno", {
  args: ["run", "-q", "-P=work", "--no-prompt", "tasks/predict.ts", ...Deno.args],
  env: { LD_LIBRARY_PATH: "/nowhere" },
}).spawn().status;
Deno.exit(code);
