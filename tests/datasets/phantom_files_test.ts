import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { disk, type FileSystem, MammolabError } from "mammolab/base";
import { generatePhantoms, labelOf, loadExam, loadPhantoms, phantomAsExam, phantomExam } from "mammolab/datasets";
import { decodePng } from "mammolab/io";
import { phantomDataSet } from "../../lib/datasets/phantom/dicom.ts";
import { writeFilms, writePhantomExam } from "../../lib/datasets/phantom/write.ts";

const options = { mm: 1, label: "malignant" } as const;

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-phantom-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await filesUnder(path));
    else found.push(path);
  }
  return found.sort();
}

async function hashes(folder: string): Promise<Record<string, string>> {
  const files = await filesUnder(folder);
  const hash = async (file: string) => createHash("sha256").update(await Deno.readFile(file)).digest("hex");
  return Object.fromEntries(await Promise.all(files.map(async (file) => [relative(folder, file), await hash(file)])));
}

describe("generatePhantoms()", () => {
  it("writes the same bytes whatever the number of workers, and the tables list every film", async () => {
    await inFolder(async (folder) => {
      const [one, three] = [join(folder, "one"), join(folder, "three")];
      const records = await generatePhantoms([3, 4], { ...options, folder: one, workers: 1 });
      await generatePhantoms([3, 4], { ...options, folder: three, workers: 3 });
      const written = await hashes(one);
      assertEquals(await hashes(three), written);
      assertEquals(records.length, 8);
      for (const { file, lesions } of records) {
        for (const path of [file, ...lesions.flatMap(({ pictures }) => pictures ?? [])]) assert(path in written, path);
      }
      const loaded = await loadPhantoms(one);
      assertEquals(loaded.map(labelOf), records.map(labelOf));
      assertEquals(loaded[0]!.file, join(one, "0003/0003_L-CC.dcm"));
      const lines = (await Deno.readTextFile(join(one, "films.csv"))).trim().split("\n");
      assertEquals([lines.length, lines[0]!.split(",").length], [9, lines[8]!.split(",").length]);
    });
  });

  it("finishes what is under way after an abort, and the tables hold just that", async () => {
    await inFolder(async (folder) => {
      const abort = new AbortController();
      const records = await generatePhantoms([1, 2, 3, 4, 5, 6], {
        mm: 1,
        folder,
        workers: 1,
        signal: abort.signal,
        onProgress: ({ done }) => done === 2 && abort.abort(),
      });
      assertEquals(new Set(records.map(({ exam }) => exam)), new Set(["0001", "0002"]));
      assertEquals((await loadPhantoms(folder)).length, 8);
    });
  });

  it("refuses a seed that comes twice", async () => {
    await assertRejects(() => generatePhantoms([1, 1], { folder: "out/never" }), MammolabError, "a seed comes twice");
  });
});

describe("writePhantomExam()", () => {
  it("writes films that load as they were drawn, with side, view, spacing and age, and masks in the same pixels", async () => {
    await inFolder(async (folder) => {
      for (const [seed, syntax] of [[11, "explicit"], [12, "deflated"]] as const) {
        const [drawn, records] = [
          phantomExam(seed, options),
          await writePhantomExam({ seed, options, folder, syntax }),
        ];
        const [memory, loaded] = [phantomAsExam(drawn), await loadExam(join(folder, drawn.id), { trusted: true })];
        assertEquals(loaded.id, memory.id);
        for (const name of ["leftCc", "leftMlo", "rightCc", "rightMlo"] as const) {
          const { image, spacing, age, display, warnings } = loaded.views[name]!;
          assertEquals([spacing, age, display, warnings], [
            memory.views[name]!.spacing,
            memory.views[name]!.age,
            memory.views[name]!.display,
            [],
          ]);
          assertEquals(image.data, memory.views[name]!.image.data);
        }
        for (const [k, { lesions }] of records.entries()) {
          for (const [i, { pictures }] of lesions.entries()) {
            const { data } = decodePng(await Deno.readFile(join(folder, pictures![0]!)));
            assertEquals([...data].map((value) => value / 255), [...drawn.views[k]!.lesions[i]!.mask]);
          }
        }
      }
    });
  });
});

describe("writeFilms()", () => {
  it("leaves no torn file and says one sentence when the disk fails at its call n, for every n", async () => {
    await inFolder(async (folder) => {
      const exam = phantomExam(11, options);
      let calls = Infinity;
      for (let n = 0; n < calls; n++) {
        const { fileSystem, counted } = failingAt(n);
        const target = join(folder, String(n));
        const outcome = await writeFilms(exam, { folder: target, syntax: "explicit", fileSystem }).catch((error) =>
          error
        );
        if (counted() <= n) calls = counted();
        else assert(outcome instanceof MammolabError && /^Cannot write .*: /.test(outcome.message), String(outcome));
        const parts = await filesUnder(target).catch(() => []);
        assertEquals(parts.filter((path) => path.endsWith(".part")), []);
      }
      assert(calls > 12);
    });
  });
});

/** A disk whose call n fails: opening, writing or renaming. */
function failingAt(n: number): { fileSystem: FileSystem; counted: () => number } {
  let calls = 0;
  const count = () => {
    if (calls++ === n) throw new Error("no space left on device (os error 28)");
  };
  return {
    counted: () => calls,
    fileSystem: {
      ...disk,
      async open(path) {
        count();
        const file = await disk.open(path);
        return {
          ...file,
          write(bytes) {
            try {
              count();
            } catch (error) {
              return Promise.reject(error);
            }
            return file.write(bytes);
          },
        };
      },
      rename(from, to) {
        try {
          count();
        } catch (error) {
          return Promise.reject(error);
        }
        return disk.rename(from, to);
      },
    },
  };
}

describe("phantomDataSet()", () => {
  /** Removing any of these from a file made dciodvfy report an error (dicom3tools of Debian 12). */
  const needed = `00080008 00080016 00080018 00080020 00080030 00080050 00080060 00080068 00080070 00080090 00082218
    00100010 00100020 00100030 00100040 00120063 00181164 00181508 00187004 00187030 00187032 00187034 0020000d 0020000e
    00200010 00200011 00200013 00200020 00200062 00280002 00280004 00280010 00280011 00280100 00280101 00280102 00280103
    00280301 00280a02 00280a04 00281040 00281041 00281050 00281051 00281052 00281053 00281054 00282110 00400318 00400555
    00540220 20500020 7fe00010`.split(/\s+/);

  it("has every attribute that the standard asks for, no Laterality, and says that it is no patient", () => {
    const exam = phantomExam(1, { mm: 1 });
    for (const film of exam.views) {
      const set = new Map(
        phantomDataSet(exam, film).map(([tag, , value]) => [tag.toString(16).padStart(8, "0"), value]),
      );
      assertEquals(needed.filter((tag) => !set.has(tag)), []);
      assert(!set.has("00200060")); // Laterality beside Image Laterality is an error
      assert(String(set.get("00082111")).includes("not a patient"));
      assertEquals(set.get("00200062"), film.laterality);
    }
  });

  it("is accepted by dciodvfy, where that is installed", async () => {
    await inFolder(async (folder) => {
      await writePhantomExam({ seed: 1, options, folder, syntax: "explicit" });
      const checker = new URL("./_dciodvfy.ts", import.meta.url).href;
      const { stdout } = await new Deno.Command("deno", {
        args: [
          "run",
          "-q",
          "-A",
          "--no-lock",
          checker,
          ...await filesUnder(join(folder, "0001")).then((all) => all.filter((f) => f.endsWith(".dcm"))),
        ],
      }).output();
      const said = new TextDecoder().decode(stdout).trim();
      assert(said === "not installed" || said === "", said);
    });
  });
});

describe("data/phantom", () => {
  const folder = new URL("../../data/phantom", import.meta.url).pathname;

  it("holds exams that are still what the generator draws", async () => {
    const loaded = await loadExam(join(folder, "0007"), { trusted: true });
    const drawn = phantomAsExam(phantomExam(7));
    assertEquals(loaded.view("L", "MLO").image.data, drawn.view("L", "MLO").image.data);
  });

  it("has a malignant lesion on L-MLO of exam 0007, far above its surroundings", async () => {
    const record = (await loadPhantoms(folder)).find(({ id }) => id === "0007_L-MLO")!;
    assertEquals(labelOf(record), "malignant");
    assert(record.lesions.some(({ pathology, stated }) => pathology === "malignant" && Number(stated!.ringCnr) > 1.5));
  });

  it("is at most 1 MB an exam", async () => {
    for (const exam of ["0004", "0007", "0010"]) {
      const sizes = await Promise.all(
        (await filesUnder(join(folder, exam))).map(async (path) => (await Deno.stat(path)).size),
      );
      assert(sizes.reduce((a, b) => a + b) < 1e6);
    }
  });
});
