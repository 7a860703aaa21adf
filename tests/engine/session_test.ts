import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { type EngineTensor, openBlockingSession, openSession, type Session } from "mammolab/engine";

const fixtures = new URL("../fixtures/engine/", import.meta.url).pathname; // make.py: graphs of onnx.helper, answers of numpy
const { x, y, p } = JSON.parse(await Deno.readTextFile(`${fixtures}softmax.json`));
const softmax = `${fixtures}softmax.onnx`;
const given = (): Record<string, EngineTensor> => ({ x: { data: Float32Array.from(x), shape: [2, 3] } });

function assertClose(found: EngineTensor | undefined, expected: readonly number[]) {
  assertEquals(found?.data.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(Number(found!.data[i]), value, 1e-6)); // float32 against float64
}

async function sentence(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise, MammolabError);
  assertEquals(error.message.includes("\n"), false);
  return error.message;
}

describe("openSession()", () => {
  let session: Session;
  beforeAll(async () => {
    session = await openSession({ model: softmax, provider: "cpu", name: "softmax" });
  });
  afterAll(() => session[Symbol.asyncDispose]());

  it("gives numpy's numbers and says where it ran", async () => {
    const result = await session.run(given());
    assertClose(result.outputs.y, y);
    assertClose(result.outputs.p, p);
    assertEquals([result.provider, result.outputs.p?.shape], ["cpu", [2, 4]]);
    assert(result.seconds >= 0);
  });

  it("computes what was asked for only, and leaves the feeds with the caller unless told to move them", async () => {
    const feeds = given();
    const { outputs } = await session.run(feeds, { fetch: ["p"] });
    assertEquals(Object.keys(outputs), ["p"]);
    assertEquals(feeds.x!.data.length, 6);
    assertClose((await session.run(feeds, { transfer: true })).outputs.y, y);
    assertEquals(feeds.x!.data.length, 0);
  });

  it("writes into arrays that it is given, which move there and back", async () => {
    const room = new Float32Array(8);
    const { outputs } = await session.run(given(), { into: { y: { data: room, shape: [2, 4] } } });
    assertEquals([Object.keys(outputs), room.length], [["y"], 0]);
    assertClose(outputs.y, y);
  });

  it("takes what a wide table of number types says", async () => {
    await using types = await openSession({ model: `${fixtures}types.onnx`, provider: "cpu" });
    const { outputs } = await types.run({
      bytes: { data: Uint8Array.of(10, 20, 30), shape: [3] },
      mask: { data: Uint8Array.of(1, 0, 1), shape: [3] },
      index: { data: BigInt64Array.of(2n, 1n, 0n, 2n), shape: [4] },
    });
    assertEquals([...outputs.picked!.data], [30, 0, 10, 30]);
    assertEquals(
      await sentence(types.run({
        bytes: { data: Uint8Array.of(10, 20, 30), shape: [3] },
        mask: { data: Uint8Array.of(1, 0), shape: [2] },
        index: { data: BigInt64Array.of(2n), shape: [1] },
      })),
      `Cannot run ${fixtures}types.onnx: input "mask" has shape [2]; the model takes [n], here [3]`,
    );
  });

  it("says in one sentence what does not fit, before anything runs", async () => {
    const run = (feeds: Record<string, EngineTensor>, options = {}) => sentence(session.run(feeds, options));
    const { x } = given() as { x: EngineTensor };
    assertEquals(await run({}), 'Cannot run softmax: input "x" is missing; give its values');
    assertEquals(await run({ x, z: x }), 'Cannot run softmax: it has no input "z"; its inputs are x');
    assertEquals(
      await run({ x: { ...x, shape: [3, 2] } }),
      'Cannot run softmax: input "x" has shape [3, 2]; the model takes [batch, 3], here [3, 3]',
    );
    assertEquals(
      await run({ x: { data: new Float64Array(6), shape: [2, 3] } }),
      'Cannot run softmax: input "x" is a Float64Array; it must be a Float32Array',
    );
    assertEquals(
      await run({ x: { ...x, shape: [3, 3] } }),
      'Cannot run softmax: input "x" holds 6 values; its shape [3, 3] needs 9',
    );
    assertEquals(await run({ x }, { fetch: ["q"] }), 'Cannot run softmax: it has no output "q"; its outputs are y, p');
    assertEquals(
      await run({ x }, { into: { y: { data: new Float32Array(4), shape: [1, 4] } } }),
      'Cannot run softmax: output "y" has shape [1, 4]; the model gives [batch, 4], here [2, 4]',
    );
    assertClose((await session.run({ x })).outputs.y, y); // and goes on
  });

  it("runs calls in their order and drops those that were aborted while they waited", async () => {
    await using deep = await openSession({ model: `${fixtures}deep.onnx`, provider: "cpu", threads: 1 });
    const feeds = deepFeeds(256, 128);
    const ended: string[] = [];
    const stop = new AbortController();
    const calls = [
      deep.run(feeds).then(() => ended.push("first")),
      deep.run(feeds, { signal: stop.signal }).catch((reason) => ended.push(reason)),
      deep.run(feeds).then(() => ended.push("third")),
    ];
    stop.abort("stopped"); // at once: the first call computes for some tens of milliseconds
    await Promise.all(calls);
    assertEquals(ended, ["first", "stopped", "third"]);
    assertEquals(await deep.run(feeds, { signal: stop.signal }).catch((reason) => reason), "stopped");
  });

  it("closes after the calls under way, once, and refuses later ones", async () => {
    const closing = await openSession({ model: softmax, provider: "cpu", name: "softmax" });
    const running = closing.run(given());
    await Promise.all([closing[Symbol.asyncDispose](), closing[Symbol.asyncDispose]()]);
    assertClose((await running).outputs.y, y);
    assertEquals(await sentence(closing.run(given())), "Cannot run softmax: its session is closed; open it again");
  });

  it("keeps the caller's event loop alive while a model of ViT-Base's size runs", async () => {
    await using deep = await openSession({ model: `${fixtures}deep.onnx`, provider: "cpu", threads: 1 });
    const feeds = deepFeeds(197, 768);
    let worst = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }, 5);
    const { seconds } = await deep.run(feeds, { transfer: true });
    clearInterval(timer);
    // On this thread the gap would be the whole run; a busy machine may hold a timer back for some tens of milliseconds.
    assert(worst < seconds * 1000 / 2, `a gap of ${worst.toFixed(0)} ms in a run of ${(seconds * 1000).toFixed(0)} ms`);
  });

  it("lets a script end that forgot to close, with nothing on standard error", async () => {
    const { code, stdout, stderr } = await new Deno.Command("deno", {
      args: ["run", "-q", "-P=work", "--no-prompt", new URL("_forgets_to_close.ts", import.meta.url).pathname],
      cwd: new URL("../../", import.meta.url).pathname,
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals([code, new TextDecoder().decode(stdout).trim()], [0, Array(8).fill("0.25").join(" ")]);
  });
});

describe("openSession() with something wrong", () => {
  const open = (options: Parameters<typeof openSession>[0]) => sentence(openSession({ provider: "cpu", ...options }));

  it("names the file, the cause and the remedy", async () => {
    assertEquals(
      await open({ model: "/no/such.onnx" }),
      "Cannot open /no/such.onnx: the file /no/such.onnx does not exist; check the path",
    );
    assertEquals(await open({ model: fixtures }), `Cannot open ${fixtures}: ${fixtures} is not a file; check the path`);
    for (const model of [new Uint8Array(0), Uint8Array.of(1, 2, 3), `${fixtures}softmax.json`]) {
      assertStringIncludes(await open({ model }), "it is not an ONNX model; give a file that ends in .onnx");
    }
    assertEquals(
      await open({ model: softmax, threads: 0 }),
      "Cannot open the graph: 0 threads were asked for; give a whole number from 1",
    );
  });

  it("says that weights are missing or cut short", async () => {
    const model = await Deno.readFile(`${fixtures}outside/external.onnx`);
    assertStringIncludes(await open({ model, weightsFolder: fixtures }), "the file of its weights is missing");
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    const weights = await Deno.readFile(`${fixtures}outside/w.safetensors`);
    await Deno.writeFile(`${folder}/w.safetensors`, weights.subarray(0, weights.length - 8));
    assertStringIncludes(await open({ model, weightsFolder: folder }), "its weights do not fit the graph");
    await Deno.remove(folder, { recursive: true });
  });

  it("runs a graph given as bytes over weights that lie in a folder", async () => {
    const model = await Deno.readFile(`${fixtures}outside/external.onnx`);
    await using session = await openSession({ model, provider: "cpu", weightsFolder: `${fixtures}outside` });
    assertClose((await session.run(given())).outputs.p, p);
  });
});

describe("openBlockingSession()", () => {
  it("reads and writes WebAssembly memory in place", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const feed = new Float32Array(memory.buffer, 64, 6);
    feed.set(x);
    const room = new Float32Array(memory.buffer, 256, 8);
    await using session = await openBlockingSession({ model: softmax });
    const { p: result } = await session.run({ x: { data: feed, shape: [2, 3] } }, {
      into: { p: { data: room, shape: [2, 4] } },
    });
    assertEquals(result!.data === room, true);
    assertClose({ data: new Float32Array(memory.buffer, 256, 8), shape: [2, 4] }, p);
  });
});

/** Twelve times up and down, as in a ViT's MLP. */
function deepFeeds(tokens: number, dim: number): Record<string, EngineTensor> {
  const noise = (rows: number, columns: number) => {
    const data = new Float32Array(rows * columns);
    for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 1000 - 500) / 20000;
    return { data, shape: [rows, columns] };
  };
  return { x0: noise(tokens, dim), up: noise(dim, 4 * dim), down: noise(4 * dim, dim) };
}
