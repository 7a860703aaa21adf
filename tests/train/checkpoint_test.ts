import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { disk, type FileSystem, MammolabError } from "mammolab/base";
import {
  readBest,
  readCheckpoint,
  type TrainerState,
  type TrainingProgress,
  writeBest,
  writeCheckpoint,
} from "mammolab/train";
import { filesToTry, mutated } from "../weights/_mutated.ts";
import { smallFit } from "./_fit_case.ts";
import { ownMemory } from "../_own_memory.ts";

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
      const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
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
  const count = filesToTry(500, 5000);
  it(`ends in one sentence or the very checkpoint for ${count} mutated files, in 100 MB`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    const progress: TrainingProgress = {
      ...progressOf(7),
      history: [{ epoch: 0, trainingLoss: 0.5 }],
      best: { epoch: 0, score: 0.25 },
    };
    await writeCheckpoint(folder, { ...stateOf(1), average: stateOf(2).values }, progress, shapes);
    const known = await readCheckpoint(folder, { recipe, spec, data: "d" });
    const path = `${folder}/checkpoint.safetensors`;
    const whole = await Deno.readFile(path);
    const start = ownMemory();
    let [most, refused] = [0, 0];
    for (let seed = 0; seed < count; seed++) {
      await Deno.writeFile(path, mutated(whole, seed));
      try {
        assertEquals(await readCheckpoint(folder, { recipe, spec, data: "d" }), known, `seed ${seed}`);
      } catch (error) {
        assert(error instanceof MammolabError, `seed ${seed}: ${(error as Error).stack}`);
        assert(/^Cannot .+: .+; /.test(error.message) && !error.message.includes("\n"), error.message);
        refused++;
      }
      most = Math.max(most, ownMemory());
    }
    await Deno.remove(folder, { recursive: true });
    assertGreater(refused, 0.9 * count);
    assertLess(most - start, 100e6);
  });
  it("refuses what is no progress of a training, and numbers that were changed on the disk", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    const read = () => readCheckpoint(folder, { recipe, spec, data: "d" });
    const odd: readonly object[] = [{ step: -1 }, { step: null }, { history: {} }, { lossSum: "1" }, { best: 3 }];
    for (const change of odd) {
      await writeCheckpoint(folder, stateOf(1), { ...progressOf(1), ...change } as TrainingProgress, shapes);
      await assertRejects(read, MammolabError, "it is no checkpoint of a training");
    }
    await writeCheckpoint(folder, stateOf(1), progressOf(1), shapes);
    const bytes = await Deno.readFile(`${folder}/checkpoint.safetensors`);
    bytes[bytes.length - 2]! ^= 1;
    await Deno.writeFile(`${folder}/checkpoint.safetensors`, bytes);
    await assertRejects(read, MammolabError, "its numbers were changed after it was written");
    await Deno.remove(folder, { recursive: true });
  });
  it("says of each damaged file of a training where it is and what to do", async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    const path = `${folder}/checkpoint.safetensors`;
    const sentence = () => readCheckpoint(folder, { recipe, spec, data: "d" }).then(String, ({ message }) => message);
    const damaged =
      `Cannot go on from ${path}: it is damaged or may not be read; choose another folder, or delete it to start anew`;
    await writeCheckpoint(folder, stateOf(1), progressOf(1), shapes);
    await Deno.truncate(path, 700);
    assertEquals(await sentence(), damaged);
    await Deno.writeTextFile(path, "");
    assertEquals(await sentence(), damaged);
    await Deno.remove(path);
    await Deno.mkdir(path);
    assertEquals(await sentence(), damaged);

    const best = `${folder}/best.safetensors`;
    const anew = "choose another folder, or delete checkpoint.safetensors there to start anew";
    await assertRejects(() => readBest(folder), MammolabError, `Cannot go on from ${best}: it is gone; ${anew}`);
    await writeBest(folder, stateOf(1).values, shapes);
    assertEquals(await readBest(folder), stateOf(1).values);
    const bytes = await Deno.readFile(best);
    bytes[bytes.length - 2]! ^= 1;
    await Deno.writeFile(best, bytes);
    await assertRejects(() => readBest(folder), MammolabError, "were changed after it was written; choose");
    await Deno.remove(folder, { recursive: true });
  });
  it("gives nothing where there is none", async () => {
    assertEquals(await readCheckpoint("/nowhere", { recipe, spec, data: "d" }), undefined);
    await assertRejects(() =>
      readCheckpoint("/dev", { recipe, spec, data: "d" }).then((x) => x ?? Promise.reject(new Error("none")))
    );
  });
});
