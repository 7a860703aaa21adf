import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno, root } from "./_run.ts";

/** What a terminal shows, without what moves its cursor; nothing where this machine cannot make one. */
async function inTerminal(pattern: string, ...words: string[]): Promise<{ code: number; shown: string } | undefined> {
  const { code, out } = await deno(["run", "-q", "-A", "tests/_terminal.ts", pattern, ...words]);
  if (code === 77) return undefined;
  // deno-lint-ignore no-control-regex
  return { code, shown: out.replaceAll("\r\n", "\n").replace(/\x1b\[K|\r/g, "") };
}

const inTerminals = await inTerminal("", "echo", "x") ? it : it.skip; // there must be the script of util-linux
const film = `${root}data/phantom/0007/0007_L-CC.dcm`;

describe("a task in a terminal", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    await Deno.mkdir(`${root}out`, { recursive: true });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  inTerminals("says once what failed, below the table, and counts it while it goes on", async () => {
    await Deno.writeTextFile(`${folder}/broken.dcm`, "no film");
    const { code, shown } = (await inTerminal("", "deno", "task", "-q", "predict", `${folder}/broken.dcm`, film))!;
    assertEquals(code, 1);
    assertEquals(shown.match(/Cannot read .*broken\.dcm/g)?.length, 1);
    assertMatch(shown, /broken\.dcm +failed[^]*Cannot read /);
    assertStringIncludes(shown, "2/2 films, 1 failed");
  });

  inTerminals("is ended by one Ctrl-C with what was finished, though deno task sends it once more", async () => {
    const films = Array.from({ length: 200 }, () => film);
    const { code, shown } = (await inTerminal(" [1-9]\\d*/200 films", "deno", "task", "-q", "predict", ...films))!;
    assertEquals(code, 130);
    assertStringIncludes(shown, "Stopping; Ctrl-C again ends it at once");
    assertMatch(shown, /vit-phantom, on cpu, .*films a second\n\nfile +negative +malignant\n/);
  });

  inTerminals("keeps a training's steps at Ctrl-C, and goes on from them", async () => {
    const out = await Deno.makeTempDir({ dir: `${root}out`, prefix: "terminal-test-" });
    const train = ["deno", "task", "-q", "train", "data/phantom", "--test", "0.34", "--validation", "0"];
    const args = ["--patches", "64", "--batch", "4", "--epochs", "20", "--out", out];
    const stopped = (await inTerminal(" [3-9]/\\d+ steps", ...train, ...args))!;
    assertEquals(stopped.code, 130, stopped.shown);
    const [, step] = stopped.shown.match(/Stopped after (\d+) steps; the model is /)!;
    const again = (await inTerminal("Going on", ...train, ...args))!;
    assertStringIncludes(again.shown, `Going on from step ${step} of `);
    await Deno.remove(out, { recursive: true });
  });
});
