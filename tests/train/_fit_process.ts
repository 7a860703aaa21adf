// A training that a test kills: deno run … _fit_process.ts FOLDER [CALL]. Prints a line a step, then the hash of the weights.
// With CALL it kills itself at that call of the file system, with half of the bytes of a write on the disk.
import { createHash } from "node:crypto";
import { disk, type FileSystem } from "mammolab/base";
import { fit } from "mammolab/train";
import { smallFit } from "./_fit_case.ts";

const [folder, killAt = "0"] = Deno.args;
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
let calls = 0;
const tick = (what: string) => {
  if (++calls !== Number(killAt)) return;
  say(`dies inside ${what}`);
  Deno.kill(Deno.pid, "SIGKILL");
};
const fileSystem: FileSystem = {
  ...disk,
  open: async (path) => {
    tick("open");
    const file = await disk.open(path);
    return {
      write: async (bytes) => {
        if (calls + 1 === Number(killAt)) await file.write(bytes.subarray(0, bytes.length >> 1));
        tick("write");
        await file.write(bytes);
      },
      sync: async () => (tick("sync"), await file.sync()),
      close: file.close,
    };
  },
  rename: async (from, to) => (tick("rename"), await disk.rename(from, to)),
};
for await (
  const event of fit({
    ...smallFit({ average: 0.2, dropPath: 0.2, dropout: 0.1 }),
    folder: folder!,
    checkpointEvery: 1,
    fileSystem,
  })
) {
  if (event.kind === "step") say(`step ${event.step}`);
  if (event.kind === "done") {
    const hash = createHash("sha256");
    for (const [name, values] of Object.entries(event.weights)) hash.update(name).update(values);
    say(`done ${hash.digest("hex")}`);
  }
}
Deno.exit(0);
