// The chain of builds in a process that may load them: prints what openTfjs found. Run by tfjs_test.ts.
import { openTfjs, tryTfjs } from "mammolab/engine";

const said: string[] = [];
for (const name of ["log", "info", "warn", "error"] as const) {
  globalThis.console[name] = (...words: unknown[]) => void said.push(words.join(" "));
}
const pure = await tryTfjs("@tensorflow/tfjs");
const answer = pure.works
  ? await openTfjs().then(({ tf, package: name, checks }) => ({ name, checks, backend: tf.getBackend(), pure, said }))
  : { missing: pure.reason };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answer)));
