// Fetches from a server in a process of its own: `_fetch_process.ts URL CACHE`.
import { fetchFromHub, parseHubName } from "../../lib/weights/mod.ts";

const [endpoint, cache] = Deno.args as [string, string];
const { files } = await fetchFromHub(parseHubName("hf:owner/name"), { endpoint, cache, userCache: null });
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(files)));
