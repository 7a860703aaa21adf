// Tries one build of TensorFlow.js and prints what it found as JSON. deno task doctor runs it as a process of its own: the
// builds share one registry, and native code may end the process that loads it.
import { type TfjsPackage, tryTfjs } from "../lib/engine/mod.ts";

const check = await tryTfjs(Deno.args[0] as TfjsPackage);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(check)));
