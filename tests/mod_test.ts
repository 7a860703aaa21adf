import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { relative } from "node:path";

const root = new URL("../", import.meta.url).pathname.replace(/\/$/, "");
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function run(cwd: string, ...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", { args, cwd, env: { NO_COLOR: "1" } }).output();
  return { code, out: text(stdout), error: text(stderr) };
}

describe("mod.ts", () => {
  it("exports the line and its names only: at most 60", async () => {
    const { out } = await run(root, "doc", "--json", "mod.ts");
    const [door] = Object.values(JSON.parse(out).nodes) as { symbols: { name: string }[] }[];
    const names = new Set(door!.symbols.map(({ name }) => name));
    assert(names.has("loadMammogram"), `${[...names]}`);
    assertLess(names.size, 61);
  });

  it("loads no native code, no plotly and no network when it is imported", async () => {
    const script = `await import("mammolab"); console.log("loaded", Math.round(performance.now()));`;
    const { code, out, error } = await run(root, "eval", "--no-lock", script);
    assertEquals([code, error], [0, ""]);
    assertMatch(out, /^loaded/);
    // Without the right to load native code the import still works.
    const path = await Deno.makeTempFile({ dir: root, prefix: "out-import-", suffix: ".ts" });
    await Deno.writeTextFile(path, script);
    const strict = await run(
      root,
      "run",
      "-q",
      "--no-prompt",
      `--allow-read=${root}`,
      "--deny-ffi",
      "--deny-env",
      "--deny-net",
      path,
    );
    await Deno.remove(path);
    assertEquals([strict.code, strict.error], [0, ""]);
  });
});

describe("a script outside", () => {
  it("uses the clone by links: two files print a prediction and write an overlay", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true })); // also where this fails
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ links: [relative(folder, root)] }));
    await Deno.writeTextFile(
      `${folder}/look.ts`,
      `import { loadMammogram, loadModel, plot, rollout } from "mammolab";
const film = await loadMammogram(Deno.args[0]);
await using model = await loadModel("vit-phantom");
const { attention, scores, trained } = await model.predict(film, { attention: true });
const figure = plot.attention(film, rollout(attention), { title: \`malignant \${scores.malignant.toFixed(2)}\` });
await Deno.writeFile("look.png", await figure.toPng());
console.log(JSON.stringify({ scores, trained, view: film.view }));
`,
    );
    const film = (await Array.fromAsync(Deno.readDir(`${root}/data/phantom/0007`))).find(({ name }) =>
      /L-?_?MLO.*\\.dcm$|L-MLO/.test(name)
    )!;
    const { code, out, error } = await run(
      folder,
      "run",
      "-q",
      "-A",
      "look.ts",
      `${root}/data/phantom/0007/${film.name}`,
    );
    assertEquals(code, 0, error);
    const { scores, view } = JSON.parse(out);
    assertEquals(view, "MLO");
    assert(Math.abs(scores.negative + scores.malignant - 1) < 1e-6);
    const png = await Deno.readFile(`${folder}/look.png`);
    assertEquals([...png.subarray(1, 4)], [80, 78, 71]);
    assert(png.length > 20_000, `${png.length} bytes`);
  });
});
