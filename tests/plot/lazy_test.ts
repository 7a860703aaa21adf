import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";

const deno = (...args: string[]) => new Deno.Command("deno", { args, env: { NO_COLOR: "1" } }).output();

type Graph = {
  modules: { specifier: string; dependencies?: { isDynamic?: boolean; code?: { specifier?: string } }[] }[];
};

describe("mammolab/plot", () => {
  it("loads no plotly, document, rasterizer or font before a figure is shown", async () => {
    const { stdout } = await deno("info", "--json", "lib/plot/mod.ts");
    const { modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
    const known = new Map(modules.map((module) => [module.specifier, module]));
    const loaded = new Set<string>();
    const walk = (specifier: string) => {
      if (loaded.has(specifier)) return;
      loaded.add(specifier);
      for (const { isDynamic, code } of known.get(specifier)?.dependencies ?? []) {
        if (!isDynamic && code?.specifier) walk(code.specifier);
      }
    };
    walk(new URL("../../lib/plot/mod.ts", import.meta.url).href);
    const heavy = [...loaded].filter((name) => /plotly|happy-dom|resvg|imagescript|onnxruntime/.test(name));
    assertEquals(heavy, []);
    assert(loaded.size > 10);
  });

  it("lets a program end by itself after a picture, although the worker stays", async () => {
    const program = `
      import * as plot from "mammolab/plot";
      import { imageOf } from "mammolab/image";
      const image = imageOf(new Float32Array(64), { height: 8, width: 8 });
      const map = { data: Float32Array.of(1, 2, 3, 4), height: 2, width: 2, toSource: [4, 0, 0, 0, 4, 0], method: "" };
      await plot.attention({ image }, map).toPng();
      console.log((await plot.chart({ data: [{ y: [1, 2] }], layout: {} }, { text: "" }).toPng()).length > 1000);`;
    const file = "tests/plot/.ends.ts"; // inside the project, so that its names resolve
    await Deno.writeTextFile(file, program);
    try {
      const start = performance.now();
      const { code, stdout, stderr } = await deno("run", "-q", "-A", "--no-check", file);
      assertEquals([code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)], [0, "true\n", ""]);
      assert(performance.now() - start < 20_000);
    } finally {
      await Deno.remove(file);
    }
  });
});
