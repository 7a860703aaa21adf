import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";

/** Which rooms a room may import from (CONTRIBUTING, "The house"): its own arrows and what those may import. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  image: ["base"],
  io: ["image"],
  datasets: ["io"],
  prepare: ["datasets"],
  graph: ["base"],
  nets: ["graph"],
  weights: ["graph", "image"],
  engine: ["graph", "weights"],
  model: ["io", "nets", "engine"],
  evaluate: ["image"],
  train: ["prepare", "model", "evaluate"],
  explain: ["model"],
  compare: ["train", "explain"],
  plot: ["compare", "datasets"],
};

const allowed = (room: string): ReadonlySet<string> =>
  new Set([room, ...(arrows[room] ?? []).flatMap((next) => [...allowed(next)])]);

const root = new URL("../", import.meta.url).href;
const roomOf = (url: string) => url.startsWith(`${root}lib/`) ? url.slice(root.length + 4).split("/")[0]! : undefined;

type Edge = { readonly from: string; readonly to: string };

/** What is wrong with an import, or nothing. */
function fault({ from, to }: Edge): string | undefined {
  const [here, there] = [roomOf(from), roomOf(to)];
  const short = `${from.slice(root.length)} imports ${to.startsWith(root) ? to.slice(root.length) : to}`;
  if (!here) return undefined;
  if (to.startsWith(`${root}tasks/`) || to.startsWith(`${root}tests/`) || to === `${root}mod.ts`) {
    return `${short}: upwards`;
  }
  if (!there || here === there) return undefined;
  if (!allowed(here).has(there)) return `${short}: ${here} may not import ${there}`;
  if (!to.endsWith(`/lib/${there}/mod.ts`)) return `${short}: import ${there}/mod.ts instead`;
}

async function filesBelow(folder: URL): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) found.push(...await filesBelow(new URL(`${entry.name}/`, folder)));
    else if (entry.name.endsWith(".ts")) found.push(new URL(entry.name, folder).href);
  }
  return found;
}

/** All imports between our files, as Deno itself sees them. */
async function importsOf(files: readonly string[]): Promise<Edge[]> {
  const edges: Edge[] = [];
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  const entry = `${folder}/all.ts`;
  await Deno.writeTextFile(entry, files.map((file) => `import ${JSON.stringify(file)};`).join("\n"));
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--json", "--config", new URL("../deno.json", import.meta.url).pathname, entry],
    stderr: "null",
  }).output();
  await Deno.remove(folder, { recursive: true });
  for (const module of JSON.parse(new TextDecoder().decode(stdout)).modules) {
    for (const dependency of module.dependencies ?? []) {
      const to = dependency.code?.specifier ?? dependency.type?.specifier;
      if (to) edges.push({ from: module.specifier, to });
    }
  }
  return edges;
}

describe("rooms", () => {
  it("import only from the rooms behind their arrows, through mod.ts, never upwards", async () => {
    const edges = await importsOf(await filesBelow(new URL("lib/", root)));
    assertEquals(edges.filter(({ from }) => roomOf(from)).length > 5, true);
    assertEquals(edges.flatMap((edge) => fault(edge) ?? []), []);
  });

  it("are all in the table of arrows", async () => {
    const rooms: string[] = [];
    for await (const entry of Deno.readDir(new URL("lib/", root))) rooms.push(entry.name);
    assertEquals(rooms.filter((room) => !(room in arrows)), []);
  });

  it("are found out when an import goes upwards, sideways or past mod.ts", () => {
    const planted = (from: string, to: string) => fault({ from: root + from, to: root + to }) !== undefined;
    assertEquals(planted("lib/base/errors.ts", "lib/image/mod.ts"), true);
    assertEquals(planted("lib/io/png.ts", "lib/graph/mod.ts"), true);
    assertEquals(planted("lib/model/load.ts", "lib/io/png.ts"), true);
    assertEquals(planted("lib/plot/report.ts", "tasks/_task.ts"), true);
    assertEquals(planted("lib/model/load.ts", "lib/io/mod.ts"), false);
  });
});
