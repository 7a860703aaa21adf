import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { createPool, MammolabError, type PoolOptions } from "mammolab/base";
import { encodeFrame, readFrame } from "../../lib/base/_frames.ts";
import { killProcess, leftAfter, processesWith } from "../_outside.ts";
import type { Job } from "./_jobs/jobs.ts";

const read = [new URL("../../lib/", import.meta.url), new URL("./_jobs/", import.meta.url)];

function poolOf(options: Partial<PoolOptions> = {}) {
  const token = crypto.randomUUID();
  const module = new URL(`./_jobs/jobs.ts?${token}`, import.meta.url);
  // deno-lint-ignore no-explicit-any
  const pool = createPool<Job, any>({ carrier: "child", module, size: 1, read, ...options });
  return { token, pool, [Symbol.asyncDispose]: () => pool.close() };
}

describe("createPool()", () => {
  for (const carrier of ["child", "worker"] as const) {
    it(`carries arrays and a body there and back (${carrier})`, async () => {
      await using made = poolOf({ carrier });
      const { pool } = made;
      const values = Float32Array.of(1, -2.5, NaN, Infinity);
      assertEquals(await pool.run({ kind: "double", values }), {
        values: Float32Array.of(2, -5, NaN, Infinity),
        name: "doubled",
      });
      const body = new Uint8Array(200_000).fill(2);
      assertEquals(await pool.run({ kind: "sum" }, { body }), { sum: 400_000, size: 200_000 });
      async function* chunks() {
        for (let i = 0; i < 4; i++) yield await Promise.resolve(body.subarray(0, 50_000));
      }
      assertEquals(await pool.run({ kind: "sum" }, { body: { size: 200_000, chunks } }), {
        sum: 400_000,
        size: 200_000,
      });
      assertEquals(values.length, 4, "the caller's array is kept");
      assertEquals(body.length, 200_000, "the caller's body is kept");
    });

    it(`gives right answers job after job, while what they leave behind is given back (${carrier})`, async () => {
      await using made = poolOf({ carrier });
      const values = Float32Array.from({ length: 30_000 }, (_, k) => k);
      const doubled = values.map((value) => 2 * value);
      for (let job = 0; job < 70; job++) { // a child collects its garbage after 64
        const body = new Uint8Array(100_000 + job).fill(job);
        assertEquals(await made.pool.run({ kind: "sum" }, { body }), { sum: job * body.length, size: body.length });
        if (job % 10 === 9) assertEquals((await made.pool.run({ kind: "double", values })).values, doubled);
      }
    });

    it(`passes a refusal of the work on as it is, and goes on with the same ${carrier}`, async () => {
      await using made = poolOf({ carrier });
      const { pool } = made;
      assertEquals(await pool.run({ kind: "count" }), 1);
      const error = await assertRejects(() => pool.run({ kind: "refuse" }), MammolabError);
      assertEquals(error.message, "Cannot do this: it is refused; do something else");
      assertEquals(await pool.run({ kind: "count" }), 3);
    });

    it(`replaces a ${carrier} after a throw of a codec, translated or not, and does not show what it said`, async () => {
      await using made = poolOf({ carrier });
      const { pool } = made;
      for (const kind of ["translate", "throw"] as const) {
        await assertRejects(() => pool.run({ kind }, { what: "read a.dcm" }), MammolabError, "Cannot ");
        assertEquals(await pool.run({ kind: "count" }), 1, `fresh after ${kind}`);
      }
      const error = await assertRejects(() => pool.run({ kind: "throw" }, { what: "read a.dcm" }));
      assert(!error.message.includes("patient's name"));
      assertStringIncludes(error.message, "Cannot read a.dcm: ");
    });
  }

  it("does as many jobs at once as its size and queues the others in order", async () => {
    await using made = poolOf({ size: 2 });
    const finished: string[] = [];
    await Promise.all(["a", "b", "c", "d"].map(async (name, i) => {
      finished.push(await made.pool.run({ kind: "wait", ms: i === 0 ? 400 : 20, name }));
    }));
    assertEquals(finished, ["b", "c", "d", "a"]);
    assertEquals((await processesWith(made.token)).length, 2);
  });

  it("stops a child that is late, whatever it does, and has another for the next job", async () => {
    await using made = poolOf();
    const { pool, token } = made;
    await pool.run({ kind: "count" });
    const start = performance.now();
    const error = await assertRejects(() => pool.run({ kind: "spin" }, { what: "read a.dcm", deadlineMs: 300 }));
    assertLess(performance.now() - start, 5_000); // 0.31 s where nothing else runs
    assertStringIncludes(error.message, "Cannot read a.dcm: it took longer than 0.3 s");
    assertEquals(await leftAfter(token, 1_000), []);
    assertEquals(await pool.run({ kind: "count" }), 1);
  });

  it("stops a child that needs too much memory", async () => {
    await using made = poolOf({ memoryBytes: 300e6 });
    await assertRejects(() => made.pool.run({ kind: "grow" }), MammolabError, "300 MB of memory");
    assertEquals(await made.pool.run({ kind: "count" }), 1);
  });

  it("survives a child that is killed from outside", async () => {
    await using made = poolOf();
    const { pool, token } = made;
    await pool.run({ kind: "count" });
    const rejected = assertRejects(
      () => pool.run({ kind: "spin" }, { what: "read a.dcm" }),
      MammolabError,
      "Cannot read a.dcm: the process that worked on it ended",
    );
    const [id] = await processesWith(token);
    await killProcess(id as number);
    await rejected;
    assertEquals(await pool.run({ kind: "count" }), 1);
  });

  it("stops the work of an aborted job and takes a waiting one out of the queue", async () => {
    await using made = poolOf();
    const { pool, token } = made;
    const abort = new AbortController();
    const working = pool.run({ kind: "spin" }, { signal: abort.signal });
    const waiting = pool.run({ kind: "count" }, { signal: abort.signal });
    const other = pool.run({ kind: "count" });
    setTimeout(() => abort.abort(new MammolabError("Stopped by Ctrl-C")), 200);
    await Promise.all([working, waiting].map((one) => assertRejects(() => one, MammolabError, "Stopped by Ctrl-C")));
    assertEquals(await other, 1);
    await pool.close();
    assertEquals(await leftAfter(token, 1_000), []);
    await assertRejects(() => pool.run({ kind: "count" }), MammolabError, "its pool is closed");
  });

  it("ends what is under way when it is closed", async () => {
    const { pool, token } = poolOf();
    const working = pool.run({ kind: "spin" });
    const waiting = pool.run({ kind: "count" });
    setTimeout(() => pool.close(), 200);
    await Promise.all([
      assertRejects(() => working, MammolabError),
      assertRejects(() => waiting, MammolabError, "its pool is closed"),
    ]);
    assertEquals(await leftAfter(token, 1_000), []);
  });

  it("does no job on a child that was being started when it was closed", async () => {
    const { pool, token } = poolOf();
    const beginning = assertRejects(() => pool.run({ kind: "count" }), MammolabError, "its pool is closed");
    await pool.close();
    await beginning;
    assertEquals(await leftAfter(token, 1_000), []);
  });

  it("takes limits of any length, as Infinity for none", async () => {
    await using made = poolOf({ deadlineMs: Infinity, memoryBytes: Infinity, idleMs: Infinity });
    const body = new Uint8Array(1000).fill(1);
    for (const options of [{}, { deadlineMs: 1e12 }]) {
      assertEquals(await made.pool.run({ kind: "sum" }, { body, ...options }), { sum: 1000, size: 1000 });
    }
  });

  it("refuses a size by which nothing would ever be done", () => {
    for (const size of [0, -1, 1.5, NaN]) assertThrows(() => poolOf({ size }), MammolabError, `${size} jobs at once`);
  });

  it("gives a child no right but to read its own code, and keeps its answers apart from what it prints", async () => {
    await using made = poolOf();
    assertEquals(await made.pool.run({ kind: "environment" }), []);
    assertEquals(await made.pool.run({ kind: "print" }), "printed");
  });

  it("ends a child that had nothing to do for a while, and starts another when there is work again", async () => {
    await using made = poolOf({ idleMs: 50 });
    assertEquals(await made.pool.run({ kind: "count" }), 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(await leftAfter(made.token, 2_000), []);
    assertEquals(await made.pool.run({ kind: "count" }), 1);
  });

  it("refuses a body that is not as long as it was said to be", async () => {
    await using made = poolOf();
    async function* chunks() {
      yield await Promise.resolve(new Uint8Array(5));
    }
    await assertRejects(() => made.pool.run({ kind: "sum" }, { body: { size: 9, chunks } }), MammolabError, "changed");
    assertEquals(await made.pool.run({ kind: "count" }), 1);
  });

  it("costs less than 10 ms for a job on a child that is there", async () => {
    await using made = poolOf();
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      await made.pool.run({ kind: "count" });
      times.push(performance.now() - start);
    }
    assertLess(Math.min(...times), 10); // the best of them: the machine may be busy
  });

  for (const end of ["exit", "throw", "kill", "idle"] as const) {
    const how = { exit: "exits", throw: "dies of an error", kill: "is killed", idle: "has nothing more to do" }[end];
    it(`leaves no child when its process ${how}`, async () => {
      const token = crypto.randomUUID();
      const script = new URL("./_jobs/parent.ts", import.meta.url).href;
      const parent = new Deno.Command("deno", {
        args: ["run", "-q", "--no-prompt", "--allow-read", "--allow-run=deno", script, token, end],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const id = Number(new TextDecoder().decode((await parent.stdout.getReader().read()).value));
      assert(id > 0);
      if (end === "kill") {
        assertEquals((await processesWith(`jobs.ts?${token}`)).length, 1);
        await killProcess(id);
      }
      const { code } = await parent.status;
      if (end !== "kill") assertEquals(code, { exit: 3, throw: 1, idle: 0 }[end]);
      assertEquals(await leftAfter(token, 2_000), []);
    });
  }

  it("leaves no child when `deno` is a wrapper whose death does not reach it", async () => {
    if (Deno.build.os === "windows") return;
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    try {
      const wrapper = `${folder}/deno`;
      const script = new URL("./_jobs/wrapped.ts", import.meta.url).href;
      await Deno.writeTextFile(wrapper, `#!/bin/sh\n"${Deno.execPath()}" "$@"\nexit $?\n`, { mode: 0o755 });
      const token = crypto.randomUUID();
      const { stdout } = await new Deno.Command("deno", {
        args: ["run", "-q", "-A", "--no-prompt", script, wrapper, token],
        stderr: "null",
      }).output();
      const said = new TextDecoder().decode(stdout);
      assertStringIncludes(said, "2 of them\n"); // the wrapper and what it wraps
      assertStringIncludes(said, "it took longer than 0.5 s");
      assertEquals(await leftAfter(token, 2_000), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("encodeFrame()", () => {
  const value = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.uint8Array(),
      fc.float32Array(),
      fc.bigInt64Array(),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }).filter((s) => !s.includes("__proto__")), tie("tree"), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  })).tree;

  it("is undone by readFrame(), however the bytes are cut on the way", async () => {
    await fc.assert(
      fc.asyncProperty(
        value,
        fc.option(fc.uint8Array(), { nil: undefined }),
        fc.integer({ min: 1, max: 50 }),
        async (value, body, step) => {
          const pieces = encodeFrame(value, body);
          const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
          pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
          let at = 0;
          const back = await readFrame((into) => {
            if (at >= all.length) return Promise.resolve(null);
            const part = all.subarray(at, at + Math.min(step, into.length));
            into.set(part);
            at += part.length;
            return Promise.resolve(part.length);
          });
          assertEquals(back?.value, value);
          assertEquals(back?.body, body);
          assertEquals(at, all.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("refuses noise instead of taking it for a message", async () => {
    let sent = false;
    const noise = new TextEncoder().encode("warning: something printed here\n");
    await assertRejects(() =>
      readFrame((into) => {
        if (sent) return Promise.resolve(null);
        sent = true;
        into.set(noise.subarray(0, into.length));
        return Promise.resolve(into.length);
      }), MammolabError);
  });
});
