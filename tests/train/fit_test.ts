import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { disk, MammolabError, seededRandom, writeFileAtomic } from "mammolab/base";
import { fit, type FitEvent, type FitOptions, lockFolder, type Recipe } from "mammolab/train";
import { smallFit, squares } from "./_fit_case.ts";

type Done = Extract<FitEvent, { kind: "done" | "stopped" }>;
async function run(options: FitOptions): Promise<{ events: FitEvent[]; done: Done }> {
  const events: FitEvent[] = [];
  for await (const event of fit(options)) events.push(event);
  return { events, done: events.at(-1) as Done };
}
async function inFolder<R>(body: (folder: string) => Promise<R>): Promise<R> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("fit()", () => {
  it("learns whether a square is there, and keeps the best epoch", async () => {
    const { events, done } = await run(
      smallFit({ epochs: 20, learningRate: 1e-2, batchSize: 12, schedule: { kind: "cosine", warmUp: 0.1 } }, 96),
    );
    const first = done.history[0]!.trainingLoss;
    assertLess(done.history.at(-1)!.trainingLoss, 0.5 * first);
    assertGreater(Math.max(...done.history.map(({ validation }) => validation!.auc!)), 0.95);
    assertEquals(events.filter(({ kind }) => kind === "step").length, 20 * 8);
    assertEquals(done.kind, "done");
    assert(done.bestEpoch !== undefined);
  });

  it("gives the same bits for the same options, and others for another seed", async () => {
    const [a, b, c] = [await run(smallFit()), await run(smallFit()), await run(smallFit({ seed: 4 }))];
    assertEquals(a.done.weights, b.done.weights);
    assert(a.done.weights["head.weight"]!.some((x, i) => x !== c.done.weights["head.weight"]![i]));
  });

  it("stopped and continued ends in the same bits as unbroken, with averaging, drop path and unfreezing", async () => {
    const recipe = {
      average: 0.2,
      dropPath: 0.3,
      clip: 1,
      unfreeze: [{ epoch: 0, mode: "head" as const }, { epoch: 1, mode: "all" as const }],
    };
    const { done: unbroken } = await run(smallFit(recipe));
    await inFolder(async (folder) => {
      const abort = new AbortController();
      for await (const event of fit({ ...smallFit(recipe), folder, signal: abort.signal })) {
        if (event.kind === "step" && event.step === 8) abort.abort();
        if (event.kind === "stopped") assertEquals(event.steps, 8);
      }
      const { events, done } = await run({ ...smallFit(recipe), folder });
      assertEquals(events[0], { kind: "resumed", step: 8, steps: 18 });
      assertEquals(done.weights, unbroken.weights);
      assertEquals(done.history, unbroken.history);
    });
  });

  it("moves what is unfrozen late as a first step does, by no more than the learning rate", async () => {
    const unfreeze = [{ epoch: 0, mode: "head" as const }, { epoch: 1, mode: "all" as const }];
    const recipe = { unfreeze, epochs: 2, schedule: { kind: "constant" as const } };
    const { validation: _, ...options } = smallFit(recipe); // with it the best numbers would be given, not the last
    const abort = new AbortController();
    for await (const event of fit({ ...options, signal: abort.signal })) {
      if (event.kind === "step" && event.step === 7) abort.abort(); // six steps an epoch
      if (event.kind !== "stopped") continue;
      const name = "blocks.0.mlp.fc1.bias"; // no weight decay
      const moved = event.weights[name]!.map((value, i) => Math.abs(value - options.weights[name]![i]!));
      assertLess(Math.max(...moved), 3e-3 * 1.001);
      assertGreater(Math.max(...moved), 3e-3 * 0.9);
    }
  });

  const kills = Number(Deno.env.get("MAMMOLAB_TEST_KILLS") ?? 6);
  it(`killed ${kills} times, every other time inside a write of a checkpoint, ends in the same bits`, async () => {
    const start = (folder: string, ...more: string[]) =>
      new Deno.Command("deno", {
        args: [
          "run",
          "-q",
          "--no-check",
          "--allow-read",
          "--allow-env",
          "--allow-sys",
          "--allow-ffi",
          "--allow-run", // to kill itself
          `--allow-write=${folder}`,
          new URL("./_fit_process.ts", import.meta.url).pathname,
          folder,
          ...more,
        ],
        stdout: "piped",
        stderr: "null",
      }).spawn();
    /** Runs to the end, or is killed: so many milliseconds after its first step, or by itself at a call of the file system. */
    const go = async (folder: string, kill: { readonly afterMs?: number; readonly atCall?: number } = {}) => {
      const child = start(folder, ...kill.atCall === undefined ? [] : [`${kill.atCall}`]);
      let text = "";
      let timer: ReturnType<typeof setTimeout> | undefined;
      for await (const chunk of child.stdout) {
        text += new TextDecoder().decode(chunk);
        if (kill.afterMs !== undefined) timer ??= setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
      }
      clearTimeout(timer);
      await child.status;
      return { hash: text.match(/done (\w+)/)?.[1], inside: text.match(/dies inside (\w+)/)?.[1] };
    };
    const { hash: unbroken } = await inFolder((folder) => go(folder));
    const random = seededRandom(1, "kills");
    const died: string[] = [];
    for (let killed = 0; killed < kills;) {
      await inFolder(async (folder) => { // a training is over after some kills: then another one begins
        for (;;) {
          const kill = killed % 2 === 0 ? { atCall: 1 + random.integer(300) } : { afterMs: random.between(0, 40) };
          const { hash, inside } = await go(folder, killed < kills ? kill : {});
          if (inside) died.push(inside);
          const rests = (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => name.endsWith(".part"));
          if (hash !== undefined) return assertEquals([hash, rests.length], [unbroken, 0]);
          assert(rests.length <= 1, "each start removes what the kill before it left");
          killed++;
        }
      });
    }
    assert(died.length >= Math.floor(kills / 2), `${died.length} of ${kills} kills were inside a write`);
  });

  it("ends early when validation no longer gets better", async () => {
    const { done } = await run({ ...smallFit({ epochs: 50, patience: 2, learningRate: 1e-6 }) });
    assertLess(done.history.length, 50);
    const aucs = done.history.map(({ validation }) => validation!.auc!);
    assertEquals(done.history.length - 1 - aucs.indexOf(Math.max(...aucs)), 2);
  });

  it("does without validation, and with a validation side of one image", async () => {
    const { validation: _, ...without } = smallFit({ epochs: 1 });
    assertEquals((await run(without)).done.bestEpoch, undefined);
    const { done } = await run({ ...without, validation: squares("validation", 1) });
    assertEquals([done.history[0]!.validation!.auc, done.bestEpoch], [undefined, 0]);
  });

  it("fills the last batch of an epoch up with its first images: each image is seen in each epoch", async () => {
    const { training, ...rest } = smallFit({ epochs: 2, batchSize: 4 }, 10);
    const seen: string[] = [];
    const image = (item: number, epoch: number) => (seen.push(`${epoch} ${item}`), training.image(item, epoch));
    const { done } = await run({ ...rest, training: { ...training, image } });
    assertEquals([done.steps, seen.length], [6, 24]);
    assertEquals(new Set(seen).size, 20);
  });

  it("refuses what cannot be trained, each in one sentence", async () => {
    const base = smallFit({ epochs: 1 });
    const { validation: _, ...unjudged } = smallFit({ epochs: 1, patience: 2 });
    const cases: readonly [string, FitOptions][] = [
      ["nothing would be learned", { ...base, recipe: { ...base.recipe, learningRate: 0 } }],
      ["larger than the 24 training images", { ...base, recipe: { ...base.recipe, batchSize: 25 } }],
      ["one class only", { ...base, training: { ...base.training, targets: base.training.targets.map(() => [1, 0]) } }],
      ["do not fit 24 images and 2 classes", {
        ...base,
        training: { ...base.training, targets: base.training.targets.slice(1) },
      }],
      ["the validation side is empty", {
        ...base,
        validation: { ids: [], targets: [], image: () => new Float32Array() },
      }],
      ["it has 4 values, the network takes 256", {
        ...base,
        training: { ...base.training, image: () => new Float32Array(4) },
      }],
      ["they lack head.bias", {
        ...base,
        weights: Object.fromEntries(Object.entries(base.weights).filter(([name]) => name !== "head.bias")),
      }],
      ["the network has no fc.weight", { ...base, weights: { ...base.weights, "fc.weight": new Float32Array(2) } }],
      ["head.bias holds 3 numbers, 2 are needed", {
        ...base,
        weights: { ...base.weights, "head.bias": new Float32Array(3) },
      }],
      ["first in blocks.0.norm1.weight", {
        ...base,
        weights: { ...base.weights, "blocks.0.norm1.weight": new Float32Array(16).fill(NaN) },
      }],
      ["the label of training 2 is [3,2]; give shares of the classes from 0 to 1, together 1", {
        ...base,
        training: { ...base.training, targets: base.training.targets.map((y, i) => i === 2 ? [3, 2] : y) },
      }],
      ["the label of training 2 is [NaN,1]; give shares of the classes from 0 to 1", {
        ...smallFit({ loss: { kind: "binary" } }),
        training: { ...base.training, targets: base.training.targets.map((y, i) => i === 2 ? [NaN, 1] : y) },
      }],
      ["the recipe has the pool max, the network token", smallFit({ pool: "max" })],
      ["the recipe has patches of 32 pixels, the network takes 16 × 16", smallFit({ patches: 32 })],
      [
        "the recipe augments, the samples do not",
        smallFit({ augmentation: [{ name: "flip", options: { direction: "vertical" } }] }),
      ],
      ['the engine "ort" is none of onnx, tfjs', { ...base, engine: "ort" as "onnx" }],
      ["patience waits for a better validation result", unjudged],
      ["the network has 2", { ...base, recipe: { ...base.recipe, mode: { lastBlocks: 3 } } }],
      ["the loss is NaN", { ...base, training: { ...base.training, image: () => new Float32Array(256).fill(NaN) } }],
    ];
    for (const [message, options] of cases) await assertRejects(() => run(options), MammolabError, message);
  });

  it("refuses a later stage that the network does not have before anything is trained", async () => {
    const unfreeze = [{ epoch: 0, mode: "head" as const }, { epoch: 2, mode: { lastBlocks: 3 } }];
    const events = fit(smallFit({ unfreeze }));
    await assertRejects(() => events.next(), MammolabError, "Cannot train the last 3 blocks: the network has 2");
  });

  it("refuses to go on from another recipe, network or data, and says which; and a folder in use", async () => {
    await inFolder(async (folder) => {
      const base = { ...smallFit({ epochs: 1, schedule: { kind: "cosine", warmUp: 0.1 } }), folder };
      await run(base);
      const cases: readonly [string, FitOptions][] = [
        ["the recipe differs in seed (9, was 3)", { ...base, recipe: { ...base.recipe, seed: 9 } }],
        ["the data differ", { ...base, training: squares("others", 24) }],
        ["it began with other weights", {
          ...base,
          weights: { ...base.weights, "head.bias": Float32Array.of(0, 1) },
        }],
        ["it holds another network", { ...base, spec: { ...base.spec, heads: 4 } }],
        ["the images differ (another preparation, or a file that was changed)", {
          ...base,
          training: {
            ...base.training,
            image: async (item, epoch) => (await base.training.image(item, epoch)).map((value) => value ** 2),
          },
        }],
        ["the images differ", { ...base, normalization: { mean: [0.4], std: [0.25] } }],
      ];
      for (const [message, options] of cases) await assertRejects(() => run(options), MammolabError, message);
      const { seed, ...others } = base.recipe;
      const { dim, ...spec } = base.spec;
      const recipe: Recipe = { ...others, seed, schedule: { warmUp: 0.1, kind: "cosine" } };
      const { events } = await run({ ...base, recipe, spec: { ...spec, dim } });
      assertEquals(events.map(({ kind }) => kind), ["resumed", "done"]); // the order in which settings stand means nothing
    });
  });

  it("does nothing when it is stopped before it begins", async () => {
    await inFolder(async (folder) => {
      const { training, ...rest } = { ...smallFit(), folder, signal: AbortSignal.abort() };
      const image = () => new Promise<Float32Array>(() => {}); // a film that takes long
      const { events, done } = await run({ ...rest, training: { ...training, image } });
      assertEquals([events.map(({ kind }) => kind), done.steps], [["opened", "stopped"], 0]);
    });
  });

  it("keeps the epoch with the smaller loss where the AUC is the same", async () => {
    const { validation, ...base } = smallFit({ epochs: 8, learningRate: 1e-2 });
    const always = { ...validation!, image: (item: number) => new Float32Array(256).fill(item % 2) }; // soon told apart
    const events = await Array.fromAsync(fit({ ...base, validation: always }));
    const done = events.at(-1)!;
    if (done.kind !== "done") throw new Error("the training did not end");
    const best = done.history[done.bestEpoch!]!.validation!;
    const ties = done.history.filter(({ validation }) => validation!.auc === best.auc);
    assert(ties.length > 1, "the case holds no tie");
    assertEquals(best.loss, Math.min(...ties.map(({ validation }) => validation!.loss)));
  });

  it("stops at once while films are read, and keeps every step before a film that cannot be read", async () => {
    const { done: unbroken } = await run(smallFit());
    for (const how of ["stopped", "unreadable"] as const) {
      await inFolder(async (folder) => {
        const { training, ...rest } = { ...smallFit(), folder };
        const abort = new AbortController();
        let asked = 0;
        const image = (item: number, epoch: number) => {
          if (epoch < 0 || ++asked <= 5 * 4) return training.image(item, epoch);
          if (how === "unreadable") throw new MammolabError("Cannot read film 5: it is gone; put it back");
          setTimeout(() => abort.abort(), 50);
          return new Promise<Float32Array>(() => {}); // a film that takes long
        };
        const kinds: string[] = [];
        const broken = async () => {
          for await (const event of fit({ ...rest, training: { ...training, image }, signal: abort.signal })) {
            kinds.push(event.kind);
          }
        };
        if (how === "stopped") await broken();
        else await assertRejects(broken, MammolabError, "Cannot read film 5");
        assertEquals(kinds.filter((kind) => kind !== "epoch"), [
          "opened",
          ...Array(5).fill("step"),
          ...how === "stopped" ? ["stopped"] : [],
        ]);
        const { events, done } = await run({ ...rest, training });
        assertEquals(events[0], { kind: "resumed", step: 5, steps: 18 });
        assertEquals(done.weights, unbroken.weights);
      });
    }
  });

  it("gives the best numbers when it is stopped, too, and the last ones where there is no best yet", async () => {
    const options = smallFit({ epochs: 4 });
    const stoppedAt = async (step: number) => {
      const abort = new AbortController();
      for await (const event of fit({ ...options, signal: abort.signal })) {
        if (event.kind === "step" && event.step === step) abort.abort();
        if (event.kind === "stopped") return event;
      }
    };
    const [early, first, later] = [await stoppedAt(3), await stoppedAt(6), await stoppedAt(7)];
    assertEquals([early?.bestEpoch, first?.bestEpoch, later?.bestEpoch], [undefined, 0, 0]);
    assertEquals(later?.weights, first?.weights);
    assert(early!.weights["head.weight"]!.some((x, i) => x !== first!.weights["head.weight"]![i]));
  });

  it("refuses a folder that cannot be one, and removes what a killed training left half written", async () => {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "");
      await assertRejects(() => lockFolder(`${folder}/file`), MammolabError, "Cannot write");
      await assertRejects(() => lockFolder(`${folder}/file`), MammolabError, "is a file, not a folder");
      const half = await writeFileAtomic(`${folder}/checkpoint.safetensors`, "half", {
        fileSystem: { ...disk, rename: () => Promise.reject(new Error("dead")), remove: () => Promise.resolve() },
      }).catch((error) => error);
      assert(half instanceof MammolabError);
      await Deno.writeTextFile(`${folder}/mine.part`, "of the user");
      using _lock = await lockFolder(folder);
      const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      assertEquals(left, ["file", "lock", "mine.part"]);
    });
  });

  it("refuses a folder in which a training runs; that one goes on", async () => {
    await inFolder(async (folder) => {
      const base = { ...smallFit({ epochs: 1 }), folder };
      let refused = 0;
      for await (const event of fit(base)) {
        if (event.kind === "step" && event.step === 2) {
          await assertRejects(() => run(base), MammolabError, "another training runs there");
          refused++;
        }
        if (event.kind === "done") assertEquals(event.steps, 6);
      }
      assertEquals(refused, 1);
      using _free = await lockFolder(folder); // it is free again
    });
  });
});
