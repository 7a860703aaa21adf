// Memory over many films: `deno run -A tests/prepare/_soak.ts FILMS PASSES [child]` draws phantoms, prepares them again and again and
// prints the resident memory of this process and its children after each tenth, in MB. By hand before a release: 1000 10.
import { generatePhantoms } from "../../lib/datasets/mod.ts";
import { createFlow } from "../../lib/prepare/mod.ts";

const [films, passes] = Deno.args.map(Number) as [number, number];
const folder = await Deno.makeTempDir();
const seeds = Array.from({ length: Math.ceil(films / 4) }, (_, seed) => seed);
const records = (await generatePhantoms(seeds, { folder, mm: 1 })).slice(0, films)
  .map((film) => ({ ...film, file: `${folder}/${film.file}` }));

await using flow = createFlow({
  preparation: {
    crop: "none",
    face: "none",
    resize: { height: 160, width: 80, filter: "area", fit: "pad" },
    range: "display",
    mean: [0.5],
    std: [0.25],
    channels: 1,
  },
  augmentations: [
    { name: "affine", options: { rotation: { degrees: 15 }, scale: { low: 0.9, high: 1.1 } } },
    { name: "elastic", options: { low: 0.01, high: 0.02 }, probability: 0.2 },
    { name: "noise", options: { kind: "gaussian", low: 0.01, high: 0.05 } },
  ],
  trusted: Deno.args[2] !== "child",
  workers: 2,
});

/** The middle of the values seen while a tenth was worked on: single ones jump with the collection of garbage. */
const medians: number[] = [];
let seen: number[] = [];
const all = films * passes;
let done = 0;
for (let epoch = 0; epoch < passes; epoch++) {
  for await (const outcome of flow.prepareAll(records.map((film) => ({ film })), { epoch })) {
    if ("error" in outcome) throw outcome.error;
    seen.push(residentBytes());
    if (++done % Math.ceil(all / 10) === 0 || done === all) {
      medians.push(seen.toSorted((a, b) => a - b)[Math.floor(seen.length / 2)]!);
      seen = [];
    }
  }
}
await Deno.remove(folder, { recursive: true });
// deno-lint-ignore no-console
console.log(JSON.stringify(medians.map((bytes) => +(bytes / 1e6).toFixed(1))));

function residentBytes(): number {
  return Deno.memoryUsage().rss + children();
}

function children(): number {
  if (Deno.args[2] !== "child" || Deno.build.os !== "linux") return 0;
  const ids = Deno.readTextFileSync(`/proc/${Deno.pid}/task/${Deno.pid}/children`).split(" ").filter(Boolean);
  const pages = ids.map((id) => Number(Deno.readTextFileSync(`/proc/${id}/statm`).split(" ")[1]));
  return 4096 * pages.reduce((sum, count) => sum + count, 0);
}
