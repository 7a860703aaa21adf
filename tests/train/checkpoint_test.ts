import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { disk, type FileSystem, MammolabError, seededRandom } from "mammolab/base";
import { readCheckpoint, type TrainerState, type TrainingProgress, writeCheckpoint } from "mammolab/train";
import { smallFit } from "./_fit_case.ts";

const { recipe, spec } = smallFit();
const shapes = new Map([["head.weight", [2, 3]], ["head.bias", [2]]]);
const stateOf = (value: number): TrainerState => {
  const numbers = Object.fromEntries(
    [...shapes].map(([name, s]) => [name, new Float32Array(s.reduce((a, b) => a * b)).fill(value)]),
  );
  return { values: numbers, first: numbers, second: numbers };
};
const progressOf = (step: number): TrainingProgress => ({
  schemaVersion: 1,
  recipe,
  spec,
  data: "d",
  step,
  history: [],
  lossSum: 0.1,
});

/** Fails, or dies (nothing runs any more, not even the cleaning up), at call n. */
function failingAt(n: number, dies: boolean): { fileSystem: FileSystem; calls: () => number } {
  let calls = 0;
  const tick = () => {
    calls++;
    if (calls === n || (dies && calls > n)) throw new Error("No space left on device (os error 28)");
  };
  return {
    calls: () => calls,
    fileSystem: {
      open: async (path) => {
        tick();
        const file = await disk.open(path);
        return {
          write: async (bytes) => (tick(), await file.write(bytes)),
          sync: async () => (tick(), await file.sync()),
          close: file.close,
        };
      },
      rename: async (from, to) => (tick(), await disk.rename(from, to)),
      remove: async (path) => {
        if (dies && calls >= n) throw new Error("dead");
        await disk.remove(path);
      },
    },
  };
}

describe("writeCheckpoint()", () => {
  for (const dies of [false, true]) {
    it(`leaves the last checkpoint whole when the disk ${dies ? "dies" : "fails"} at any call`, async () => {
      const folder = await Deno.makeTempDir();
      await writeCheckpoint(folder, stateOf(1), progressOf(1), shapes);
      let n = 1;
      for (;; n++) {
        const { fileSystem, calls } = failingAt(n, dies);
        const error = await writeCheckpoint(folder, stateOf(2), progressOf(2), shapes, { fileSystem }).catch((error) =>
          error
        );
        if (error === undefined) break;
        assert(error instanceof MammolabError && error.message.includes("the disk is full"), `${error}`);
        const known = (await readCheckpoint(folder, { recipe, spec, data: "d" }))!;
        assertEquals([known.progress.step, known.state.values["head.bias"]![0]], [1, 1], `after call ${calls()}`);
        if (dies) continue;
        assertEquals(
          (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name),
          ["checkpoint.safetensors"],
          "no rest is left",
        );
      }
      assertGreater(n, 8);
      assertEquals((await readCheckpoint(folder, { recipe, spec, data: "d" }))!.progress.step, 2);
      await Deno.remove(folder, { recursive: true });
    });
  }
});

describe("readCheckpoint()", () => {
  it("ends in a checkpoint or one sentence for 500 damaged files", async () => {
    const folder = await Deno.makeTempDir();
    await writeCheckpoint(folder, stateOf(1), progressOf(1), shapes);
    const path = `${folder}/checkpoint.safetensors`;
    const whole = await Deno.readFile(path);
    for (let seed = 0; seed < 500; seed++) {
      const random = seededRandom(seed, "damage");
      const bytes = seed % 5 === 0 ? whole.slice(0, random.integer(whole.length)) : whole.slice();
      for (let k = random.integer(4); k > 0 && bytes.length > 0; k--) {
        bytes[random.integer(bytes.length)] = random.integer(256);
      }
      await Deno.writeFile(path, bytes);
      await readCheckpoint(folder, { recipe, spec, data: "d" }).catch((error) =>
        assert(error instanceof MammolabError, `${seed}: ${error.stack}`)
      );
    }
    await Deno.remove(folder, { recursive: true });
  });
  it("gives nothing where there is none", async () => {
    assertEquals(await readCheckpoint("/nowhere", { recipe, spec, data: "d" }), undefined);
    await assertRejects(() =>
      readCheckpoint("/dev", { recipe, spec, data: "d" }).then((x) => x ?? Promise.reject(new Error("none")))
    );
  });
});
