import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodePng } from "mammolab/io";
import { realData, withFiles } from "../datasets/_files.ts";

const root = new URL("../../", import.meta.url).pathname;

// deno-lint-ignore no-explicit-any
async function data(...args: string[]): Promise<{ code: number; out: any; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["task", "-q", "data", "--json", "--quiet", ...args],
    cwd: root,
    env: { NO_COLOR: "1", INIT_CWD: root },
  }).output();
  const text = new TextDecoder().decode(stdout);
  return { code, out: text === "" ? undefined : JSON.parse(text), error: new TextDecoder().decode(stderr).trim() };
}

/** A PNG of a half disc on black with a bright spot, which `place` moves. */
function picture(place: number, mirrored = false): Uint8Array {
  const side = 96;
  const pixels = new Uint8Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const disc = x * x / 4 + (y - 48) ** 2 < 40 ** 2 ? 90 + x : 0;
      const spot = Math.exp(-((x - 15 - place * 4) ** 2 + (y - 20 - place * 7) ** 2) / 60);
      const bands = disc && 20 * Math.sin((x * (place + 2) + y * (place + 1)) / 12);
      pixels[y * side + (mirrored ? side - 1 - x : x)] = Math.max(0, Math.round(disc && disc + 80 * spot + bands));
    }
  }
  return encodePng(pixels, { width: side, height: side });
}

describe("deno task data", () => {
  it("index lists records, counts and oddities of a table", async () => {
    const csv = "\ufeffpath;class;who\r\na.png;benign;1\r\nb.png;malignant;2\r\nb.png;malignant;2\r\n";
    await withFiles({ "t.csv": csv, "a.png": "x" }, async (folder) => {
      const { code, out } = await data("index", `${folder}/t.csv`, "--columns", "file=path,label=class,patient=who");
      assertEquals(code, 0);
      assertEquals([out.schemaVersion, out.dataset, out.counts.label], [1, "table", { benign: 1, malignant: 1 }]);
      const { id, patient, labels, lesions } = out.records[0];
      assertEquals([id.length, patient, labels.image, lesions], [
        12,
        "1",
        { value: "benign", rule: 'column "class"' },
        [],
      ]);
      assertEquals(out.oddities.map(({ kind }: { kind: string }) => kind), ["listed twice", "file missing"]);
      assertStringIncludes(out.records[1].oddities[0], "listed 2 times");
    });
  });

  it("check finds a mirrored copy of another patient's film and leaves the rest in peace", async () => {
    const files = {
      "a/P1_L.png": picture(1),
      "a/P2_L.png": picture(2),
      "b/P3_L.png": picture(3),
      "b/P4_L.png": picture(2, true),
    };
    await withFiles(files, async (folder) => {
      const { code, out } = await data("check", folder, "--patient", "(P\\d)_");
      assertEquals([code, out.images, out.leaks.length], [0, 4, 1]);
      assertEquals([out.leaks[0].evidence, out.leaks[0].match.orientation], ["pixels", "mirrored"]);
      assertEquals(out.oddities.map(({ kind }: { kind: string }) => kind), ["conflicting labels"]);
    });
  });

  it("check ends with exit code 1 when a picture cannot be read, and says which", async () => {
    await withFiles({ "a/1.png": picture(1), "a/2.png": "no picture" }, async (folder) => {
      const { code, out } = await data("check", folder);
      assertEquals([code, out.images], [1, 1]);
      assertStringIncludes(
        out.oddities.find(({ kind }: { kind: string }) => kind === "file unreadable").sentence,
        "2.png",
      );
    });
  });

  it("split gives sides, counts and hashes that a second run repeats", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i}.png,${i % 4 ? "n" : "m"},P${i >> 1}`);
    await withFiles({ "t.csv": ["f,l,p", ...rows].join("\n") }, async (folder) => {
      const args = ["split", `${folder}/t.csv`, "--columns", "file=f,label=l,patient=p", "--folds", "5", "--seed", "7"];
      const [one, two] = [await data(...args), await data(...args)];
      assertEquals(one.out.splits, two.out.splits);
      const [first] = one.out.splits;
      assertEquals([one.out.splits.length, first.by, first.seed, first.counts.test.patients], [5, "patient", 7, 4]);
      assertEquals([first.training.length, first.test.length, one.out.leaks], [32, 8, []]);
      const leaky = await data("split", `${folder}/t.csv`, "--columns", "file=f,label=l,patient=p", "--by", "record");
      assert(leaky.out.leaks.length > 0);
    });
  });

  it("split of a folder asks for patients, and takes each file as one only when told", async () => {
    await withFiles(
      Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i % 2 ? "a" : "b"}/${i}.png`, "x"])),
      async (folder) => {
        const refused = await data("split", folder);
        assertEquals(refused.code, 1);
        assertStringIncludes(refused.out.error, "the patient of 10 of 10 records is unknown");
        const { code, out } = await data("split", folder, "--each-file-is-a-patient");
        assertEquals(code, 0);
        assertStringIncludes(out.splits[0].notes[0], "as the user said");
      },
    );
  });

  const refused: Readonly<Record<string, readonly [args: readonly string[], sentence: string]>> = {
    "an unknown command": [["list", "x"], '"list" is none of index, check, split'],
    "an option of another command": [["index", "x", "--folds", "3"], "--folds has no effect on index"],
    "repeats without folds": [["split", "x", "--repeats", "3"], "--repeats has no effect without --folds"],
    "a test share with folds": [["split", "x", "--folds", "3", "--test", "0.1"], "--test has no effect with --folds"],
    "a seed for published sides": [
      ["split", "x", "--published", "--seed", "1"],
      "--seed has no effect with --published",
    ],
    "an unknown kind of source": [["index", "/", "--as", "zip"], "--as takes one of"],
    "columns without a label": [["index", "/", "--columns", "file=a"], "--columns takes file=COLUMN,label=COLUMN"],
    "an unknown field to stratify by": [["split", "/", "--stratify", "age"], "--stratify takes one of"],
  };
  for (const [what, [args, sentence]] of Object.entries(refused)) {
    it(`refuses ${what} with exit code 2`, async () => {
      const folder = realData("mini-mias") ?? "/";
      const { code, error } = await data(...args.map((arg) => arg === "/" ? folder : arg));
      if (folder !== "/" || args[1] !== "/") assertEquals([code, error.includes(sentence)], [2, true], error);
    });
  }

  it("refuses a source that is not there, and a pattern that is none, in a sentence", async () => {
    assertStringIncludes((await data("index", "/nowhere/at/all")).out.error, "there is no such file or folder");
    assertStringIncludes(
      (await data("index", `${root}data/demo.png`)).out.error,
      "it is named like one film; give the",
    );
    assertStringIncludes((await data("index", root, "--patient", "(")).out.error, "it is no regular expression");
    assertStringIncludes((await data("index", root, "--rule", "assessment")).out.error, 'with the option "rule"');
  });

  const cbis = realData("tables/cbis-ddsm");
  (cbis ? it : it.skip)("check finds the 31 patients on both sides of CBIS-DDSM", async () => {
    const { code, out } = await data("check", cbis!, "--quick");
    const patients = out.leaks.filter(({ kind }: { kind: string }) => kind === "patient on several sides");
    assertEquals([code, patients.length, out.counts.records, out.records.length], [0, 31, 3103, 3103]);
  });
});
