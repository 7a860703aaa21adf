// Memory over many films: `deno run -A tests/prepare/_soak.ts FILMS PASSES [child]` prepares films again and again and prints the
// resident memory of this process and its children at the end of each tenth, in MB. The films are phantoms drawn for it, or the
// first ones of the folder that MAMMOLAB_SOAK_FILMS names. By hand before a release: 1000 10, and 1000 10 child.
import { type FilmRecord, generatePhantoms } from "../../lib/datasets/mod.ts";
import { createFlow } from "../../lib/prepare/mod.ts";

const [films, passes] = Deno.args.map(Number) as [number, number];
const given = Deno.env.get("MAMMOLAB_SOAK_FILMS");
const folder = given ?? await Deno.makeTempDir({ prefix: "mammolab-" });
const records = given ? filmsOf(given).slice(0, films) : await drawn(films);
if (records.length < films) throw new Error(`${folder} holds ${records.length} films, not ${films}`);

async function drawn(count: number): Promise<FilmRecord[]> {
  const seeds = Array.from({ length: Math.ceil(count / 4) }, (_, seed) => seed);
  const phantoms = await generatePhantoms(seeds, { folder, mm: 1 });
  return phantoms.slice(0, count).map((film) => ({ ...film, file: `${folder}/${film.file}` }));
}

function filmsOf(folder: string): FilmRecord[] {
  const names = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name).sort();
  return names.map((name) => (
    { id: name, labels: {}, lesions: [], file: `${folder}/${name}`, dataset: "soak", oddities: [] }
  ));
}

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
  limits: { deadlineMs: 600_000 }, // the machine may be stopped for a while
});

/** The middle of the values seen in the last tenth of each tenth of the films: single ones jump with the collection of garbage. */
const medians: number[] = [];
let seen: number[] = [];
const all = films * passes;
let done = 0;
for (let epoch = 0; epoch < passes; epoch++) {
  for await (const outcome of flow.prepareAll(records.map((film) => ({ film })), { epoch })) {
    if ("error" in outcome) throw outcome.error;
    seen.push(residentBytes());
    if (++done % Math.ceil(all / 10) === 0 || done === all) {
      const last = seen.slice(-Math.ceil(seen.length / 10)).sort((a, b) => a - b);
      medians.push(last[Math.floor(last.length / 2)]!);
      seen = [];
      // deno-lint-ignore no-console
      if (given) console.error(`${done} of ${all}: ${(medians.at(-1)! / 1e6).toFixed(1)} MB`);
    }
  }
}
if (!given) await Deno.remove(folder, { recursive: true });
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
