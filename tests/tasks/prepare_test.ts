import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodePng } from "mammolab/io";
import { deno, root } from "./_run.ts";

const prepare = (...args: string[]) => deno(["task", "-q", "prepare", ...args]);

let folder: string;
let out: string;

/** Twelve small films in two classes, of twelve patients. */
async function films(): Promise<void> {
  for (const [label, count] of [["malignant", 3], ["normal", 9]] as const) {
    await Deno.mkdir(`${folder}/${label}`);
    for (let k = 0; k < count; k++) {
      const pixels = Uint16Array.from({ length: 90 * 60 }, (_, at) => {
        const [y, x] = [Math.floor(at / 60), at % 60];
        return (x / 40) ** 2 + ((y - 45) / 35) ** 2 < 1 ? 1200 + (at * (37 + k)) % 900 : 0;
      });
      await Deno.writeFile(`${folder}/${label}/${label}${k}.png`, encodePng(pixels, { height: 90, width: 60 }));
    }
  }
}

describe("deno task prepare", () => {
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    await films();
    await Deno.mkdir(`${root}out`, { recursive: true });
    out = await Deno.makeTempDir({ dir: `${root}out`, prefix: "prepare-test-" });
  });
  afterAll(async () => {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(out, { recursive: true });
  });

  it("shows phantoms before and after: counts, plan, lesions in tokens, a sheet and a report", async () => {
    const args = [
      "data/phantom",
      "--test",
      "0.34",
      "--films",
      "2",
      "--size",
      "128x64",
      "--out",
      out,
      "--json",
      "--quiet",
    ];
    const { code, out: text, error } = await prepare(...args);
    assertEquals([code, error], [0, ""]);
    const result = JSON.parse(text);
    const most = Math.max(...Object.values(result.before as Record<string, number>));
    for (const count of Object.values(result.after)) assertEquals(count, most);
    assertEquals(
      result.plan.items.length,
      Object.values(result.after as Record<string, number>).reduce((a, b) => a + b),
    );
    assertEquals(result.preparation.resize.height, 128);
    const { before, after } = result.films.flatMap((film: { lesions: unknown[] }) => film.lesions)[0];
    assert(after.tokens < before.tokens && after.tokens > 0.1);
    const sheet = await Deno.readFile(result.sheet);
    assert(new DataView(sheet.buffer).getUint32(16) > 6 * 130);
    const page = await Deno.readTextFile(result.report);
    for (const words of ["Films of each group before and after", "tokens of the film", "Augmentations, as JSON"]) {
      assertStringIncludes(page, words);
    }
    const kept = JSON.parse(await Deno.readTextFile(`${out}/plan.json`));
    assertEquals([kept.plan, kept.augmentations], [result.plan, result.augmentations]);
  });

  it("takes a folder of classes, and goes on when a film cannot be read", async () => {
    await Deno.writeTextFile(`${folder}/normal/broken.png`, "no film");
    const args = [
      folder,
      "--each-file-is-a-patient",
      "--films",
      "12",
      "--copies",
      "1",
      "--size",
      "32x32",
      "--patch",
      "8",
    ];
    const { code, out: text, error } = await prepare(
      ...args,
      "--crop",
      "none",
      "--fit",
      "stretch",
      "--out",
      out,
      "--quiet",
    );
    assertEquals([code, error], [1, ""]);
    assertMatch(text, /\nCannot read .*broken\.png: /); // also where notes are not wanted
    assertMatch(text, /malignant +\d+ +\d+/);
    assertStringIncludes(text, "sheet.png");
    await Deno.remove(`${folder}/normal/broken.png`);
  });

  it("says in one sentence what cannot be done", async () => {
    const base = [folder, "--each-file-is-a-patient", "--out", out, "--quiet"];
    const steps = `${folder}/steps.json`;
    await Deno.writeTextFile(steps, '[{"name": "rotation", "options": {"degrees": 0}}]');
    const broken = `${folder}/broken.json`;
    await Deno.writeTextFile(broken, "Anna Smith, 1950");
    const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["--ratio", "malignant=1,normal=3,cyst=1"], 1, /no film of "cyst"/],
      [["--balance", "undersample", "--ratio", "malignant=1,normal=0.01"], 1, /leaves no patient of "normal"/],
      [["--augmentations", steps], 1, /steps\.json: Cannot draw a rotation of up to 0°/],
      [["--augmentations", broken], 1, /broken\.json: it is not JSON; write a list/],
      [["--augmentations", `${folder}/none.json`], 1, /there is no such file/],
      [["--out", folder], 1, /^Cannot write .*: this task may write only below out\//],
      [["--size", "100x100"], 2, /100 × 100 is no multiple of patches of 16/],
      [["--size", "big"], 2, /HEIGHTxWIDTH/],
      [["--ratio", "malignant"], 2, /GROUP=NUMBER/],
      [["--by", "age"], 2, /--by takes one of label, density/],
      [["--balance", "guess"], 2, /--balance takes one of none/],
    ];
    for (const [args, code, sentence] of refused) {
      const found = await prepare(...base, ...args);
      assertEquals([found.code, found.out], [code, ""], args.join(" "));
      assertMatch(found.error, sentence);
    }
    const unknown = await prepare(folder, "--out", out, "--quiet");
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.error, "patient");
  });
});
