// TensorFlow.js is in a lock of its own (deno.optional.lock), so that no task and no test fetches it unasked. What needs it
// runs as a process of its own.

const root = new URL("../", import.meta.url).pathname;

/** What a script prints that finds no TensorFlow.js. */
export type Missing = { readonly missing: string };

/** Runs a script that prints JSON; undefined, and one line that says so, where TensorFlow.js cannot be had. */
export async function withTfjs<Result extends object>(script: URL): Promise<Result | undefined> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "-q", "--no-prompt", "--lock=deno.optional.lock", "--frozen", "--allow-read", "--allow-env"]
      .concat(script.pathname),
    cwd: root,
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  if (code !== 0) throw new Error(`${script.pathname} ended with ${code}: ${errors}`);
  const result: Result | Missing = JSON.parse(text);
  if (!("missing" in result)) return result;
  await Deno.stderr.write(
    new TextEncoder().encode(`Skipped, because TensorFlow.js cannot be had here: ${result.missing}\n`),
  );
  return undefined;
}
