// A script as a user writes it: runs a graph and ends without closing the session.
import { openSession } from "mammolab/engine";

const session = await openSession({ model: new URL("../fixtures/engine/softmax.onnx", import.meta.url).pathname });
const { outputs } = await session.run({ x: { data: new Float32Array(6), shape: [2, 3] } }, { fetch: ["p"] });
await Deno.stdout.write(new TextEncoder().encode(`${outputs.p.data.join(" ")}\n`));
