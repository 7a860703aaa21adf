import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodePng } from "mammolab/io";
import { smallModel } from "../model/_small.ts";
import { leftAfter } from "../_outside.ts";
import { command, deno, root } from "./_run.ts";

/** All processes that the command starts carry it in their environment. */
const mark = crypto.randomUUID();

const env = { MAMMOLAB_TEST_MARK: mark };
const predict = (...args: string[]) => deno(["task", "-q", "predict", ...args], env);

/** A breast: half an ellipse against the left edge, with a bright spot. */
async function film(path: string, { height = 120, width = 80 } = {}): Promise<void> {
  const stored = Uint16Array.from({ length: height * width }, (_, at) => {
    const [y, x] = [Math.floor(at / width) + 0.5, at % width + 0.5];
    const inside = (x / (0.8 * width)) ** 2 + ((y - height / 2) / (0.45 * height)) ** 2 < 1;
    const spot = Math.hypot(x - 0.4 * width, y - 0.6 * height) < 6;
    return spot ? 3800 : inside ? 1500 + (at * 37) % 400 : 0;
  });
  await Deno.writeFile(path, encodePng(stored, { height, width }));
}

let folder: string;
let out: string;

describe("deno task predict", () => {
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    await Deno.mkdir(`${root}out`, { recursive: true });
    out = await Deno.makeTempDir({ dir: `${root}out`, prefix: "predict-test-" });
    await Deno.mkdir(`${folder}/other`);
    await film(`${folder}/7_L-CC.png`);
    await film(`${folder}/8_R-MLO.png`, { height: 90, width: 70 });
    await film(`${folder}/other/7_L-CC.png`, { height: 100, width: 60 });
  });
  afterAll(async () => {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(out, { recursive: true });
  });

  it("says of a model with random numbers that it is untrained", async () => {
    const model = await smallModel(1, { trained: false, name: "random" });
    const { code, out: text, error } = await predict(`${folder}/7_L-CC.png`, "--model", model, "--json");
    assertEquals([code, JSON.parse(text).trained], [0, false]);
    assertEquals(error, "random is untrained: its scores and its attention mean nothing yet\n");
  });

  it("gives scores, and for each film a picture in its own pixels, the map as numbers, and the peak", async () => {
    const films = [`${folder}/7_L-CC.png`, `${folder}/8_R-MLO.png`];
    const { code, out: text, error } = await predict(...films, "--attention", out, "--json");
    assertEquals(code, 0);
    assertEquals(error, "");
    const { model, trained, provider, results, imagesPerSecond } = JSON.parse(text);
    assertEquals([model, trained, provider, results.length], ["vit-phantom", true, "cpu", 2]);
    assert(imagesPerSecond > 0);
    for (const [n, [height, width]] of [[120, 80], [90, 70]].entries()) {
      const { file, scores, attention, warnings } = results[n];
      assertEquals(file, films[n]);
      assertAlmostEquals(scores.negative + scores.malignant, 1, 1e-6);
      assert(warnings.length > 0);
      const { peak, method } = attention;
      assertStringIncludes(method, "rollout");
      assertMatch(attention.file, /film-[0-9a-f]{10}-(L-CC|R-MLO)\.png$/);
      const numbers = JSON.parse(await Deno.readTextFile(attention.numbers));
      assertEquals([numbers.film, numbers.values.length, numbers.trained], [{ height, width }, 24 * 12, true]);
      assertEquals(numbers.peak, peak);
      // The highest number whose token lies on the film is the peak.
      const [a, b, c, d, e, f] = numbers.toSource;
      const tokens = (numbers.values as number[]).map((value, at) => {
        const [u, v] = [at % 12 + 0.5, Math.floor(at / 12) + 0.5];
        return { value, x: a * u + b * v + c, y: d * u + e * v + f };
      }).filter(({ x, y }) => x >= 0 && y >= 0 && x < width! && y < height!);
      const best = tokens.reduce((one, two) => two.value > one.value ? two : one);
      assertAlmostEquals(best.x, peak.x, 1e-6);
      assertAlmostEquals(best.y, peak.y, 1e-6);
      const picture = await Deno.readFile(attention.file);
      assertEquals(new DataView(picture.buffer).getUint32(16), width);
      assertEquals(new DataView(picture.buffer).getUint32(20), height);
    }
  });

  it("does the rest of a batch in which everything else is wrong, one sentence each", async () => {
    await Deno.writeFile(`${folder}/empty.dcm`, new Uint8Array(0));
    await Deno.writeTextFile(`${folder}/text.dcm`, "no film");
    await command(["run", "-q", "-A", "tests/_processes.ts", "pipe", `${folder}/pipe.dcm`], env).output();
    const wrong = [
      `${folder}/empty.dcm`,
      `${folder}/text.dcm`,
      `${folder}/missing.png`,
      `${folder}/pipe.dcm`,
      folder,
      `${folder}/no*match.dcm`,
    ];
    const { code, out: text, error } = await predict(...wrong, `${folder}/7_L-CC.png`, "--json", "--quiet");
    assertEquals([code, error], [1, ""]);
    const { results } = JSON.parse(text);
    const done = results.map((row: { error?: string }) => row.error === undefined);
    assertEquals(done, [...wrong.map(() => false), true]);
    for (const [n, { error: sentence }] of results.slice(0, wrong.length).entries()) {
      assertStringIncludes(sentence, `Cannot read ${wrong[n]}: `);
      assertMatch(sentence, /; [a-z]/);
      assertEquals(sentence.includes("\n"), false);
    }
  });

  it("keeps two files of one name apart when pictures are called after files", async () => {
    await film(`${folder}/7_L-CC-2.png`, { height: 110 }); // the name that the second picture would have
    const films = [`${folder}/7_L-CC.png`, `${folder}/other/7_L-CC.png`, `${folder}/7_L-CC-2.png`];
    const { code, out: text } = await predict(...films, "--attention", out, "--names", "--json", "--quiet");
    const { results } = JSON.parse(text);
    assertEquals(code, 0);
    const pictures = results.map((row: { attention: { file: string } }) => row.attention.file);
    assertEquals(pictures, [`${out}/7_L-CC.png`, `${out}/7_L-CC-2.png`, `${out}/7_L-CC-2-2.png`]);
    const heights = await Promise.all(pictures.map(async (path: string) => (await size(path)).height));
    assertEquals(heights, [120, 100, 110]);
  });

  it("says once, before it looks at a film, that the folder for pictures cannot be written", async () => {
    await Deno.writeTextFile(`${out}/file`, "");
    const films = [`${folder}/7_L-CC.png`, `${folder}/8_R-MLO.png`];
    for (const target of [`${out}/file/below`, `${out}/file`, `${folder}/outside`]) {
      const { code, out: text, error } = await predict(...films, "--attention", target, "--json");
      assertEquals([code, error], [1, `${JSON.parse(text).error}\n`]);
      assertStringIncludes(error, `Cannot write ${target}: `);
      assertMatch(error, /; choose .*folder.*\n$/);
    }
  });

  it("still gives the scores of a film whose picture cannot be written, and does the rest", async () => {
    await Deno.mkdir(`${out}/taken/7_L-CC.png/in-the-way`, { recursive: true });
    const films = [`${folder}/7_L-CC.png`, `${folder}/8_R-MLO.png`];
    const { code, out: text, error } = await predict(...films, "--attention", `${out}/taken`, "--names", "--json");
    const [first, second] = JSON.parse(text).results;
    assertEquals([code, Object.keys(first.scores).length], [1, 2]);
    assertMatch(first.attention.error, /^Cannot write .*\/taken\/7_L-CC\.png: /);
    assertStringIncludes(error, first.attention.error);
    assertEquals(second.attention.file, `${out}/taken/8_R-MLO.png`);
  });

  it("says in one sentence what is wrong with a model or a provider, and in two lines what is wrong with an option", async () => {
    const film = `${folder}/7_L-CC.png`;
    const unknown = await predict(film, "--model", "vit-hugo");
    assertEquals([unknown.code, unknown.out], [1, ""]);
    assertMatch(unknown.error, /^Cannot open the model vit-hugo: .*vit-phantom.*\n$/);
    const wrong = await predict(film, "--provider", "tpu");
    assertEquals([wrong.code, wrong.error.split("\n")[0]], [
      2,
      '--provider takes one of auto, cpu, webgpu, cuda, not "tpu"',
    ]);
    assertEquals((await predict(film, "--names")).code, 2);
    assertEquals((await predict()).code, 2);
  });

  it("works where LD_LIBRARY_PATH is set, as an installation of CUDA asks", async () => {
    const script = new URL("_with_loader_path.ts", import.meta.url).pathname;
    const args = ["run", "-q", "-A", script, `${folder}/7_L-CC.png`, "--provider", "cpu", "--json", "--quiet"];
    const { code, stdout } = await command(args, env).output();
    assertEquals([code, JSON.parse(new TextDecoder().decode(stdout)).results[0].error], [0, undefined]);
  });

  it("keeps what was finished when it is stopped by Ctrl-C, and leaves no process behind", async () => {
    const films = Array.from({ length: 300 }, () => `${folder}/7_L-CC.png`);
    const args = ["run", "-q", "-P=work", "--no-prompt", "tasks/predict.ts", ...films, "--json"];
    const child = command(args, env).spawn();
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    for (let seen = ""; !/\d+\/300 films/.test(seen);) {
      const { value, done } = await reader.read();
      assertEquals(done, false, seen);
      seen += value;
    }
    child.kill("SIGINT");
    await new Promise((wait) => setTimeout(wait, 5)); // in a terminal one press comes twice: deno task hands it on as well
    child.kill("SIGINT");
    const [text, { code }] = await Promise.all([new Response(child.stdout).text(), child.status]);
    await reader.cancel();
    const { results } = JSON.parse(text);
    assertEquals(code, 130);
    assert(results.length > 0 && results.length < 300, `${results.length} finished`);
    assert(results.every((row: { scores?: unknown }) => row.scores));
    assertEquals(await leftAfter(mark, 5000), []);
  });
});

async function size(path: string): Promise<{ height: number }> {
  const bytes = await Deno.readFile(path);
  return { height: new DataView(bytes.buffer).getUint32(20) };
}
