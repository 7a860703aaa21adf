// Tries one provider of the engine and prints what it found as JSON. deno task doctor runs it as a process of its own: a
// broken graphics driver may end the process that loads it.
import { type Provider, tryProviders } from "../lib/engine/mod.ts";

const [check] = await tryProviders([Deno.args[0] as Provider]);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(check)));
