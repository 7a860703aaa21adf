// Run without --allow-ffi: the import must work, opening must not.
import "mammolab";
import "mammolab/model";
import "mammolab/plot";
import { openSession } from "mammolab/engine";

const say = (line: string) => Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
await say("imported");
const model = await Deno.readFile(new URL("../fixtures/engine/softmax.onnx", import.meta.url));
await openSession({ model, provider: "cpu" }).catch((error) => say(error.message));
