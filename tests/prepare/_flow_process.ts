// A flow that is left in the middle of its work: deno run … _flow_process.ts FILM. The test looks from outside what it leaves.
import { createFlow } from "mammolab/prepare";

const film = { id: "a", labels: {}, lesions: [], file: Deno.args[0]!, dataset: "test", oddities: [] };
const endless = function* () {
  for (let copy = 0;; copy++) yield { film, copy };
};
{
  await using flow = createFlow({
    preparation: {
      crop: "none",
      face: "none",
      resize: { height: 64, width: 32, filter: "area", fit: "pad" },
      range: "display",
      mean: [0.5],
      std: [0.25],
      channels: 1,
    },
    workers: 2,
  });
  let taken = 0;
  for await (const _ of flow.prepareAll(endless())) if (++taken === 3) break;
}
