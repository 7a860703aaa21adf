// A training that a test kills at random moments: deno run … _fit_process.ts FOLDER. Prints a line a step, then the hash of the weights.
import { createHash } from "node:crypto";
import { fit } from "mammolab/train";
import { smallFit } from "./_fit_case.ts";

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
for await (
  const event of fit({ ...smallFit({ average: 0.2, dropPath: 0.2 }), folder: Deno.args[0]!, checkpointEvery: 1 })
) {
  if (event.kind === "step") say(`step ${event.step}`);
  if (event.kind === "done") {
    const hash = createHash("sha256");
    for (const [name, values] of Object.entries(event.weights)) hash.update(name).update(values);
    say(`done ${hash.digest("hex")}`);
  }
}
Deno.exit(0);
