import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { MammolabError, type Progress, seededRandom } from "mammolab/base";
import { fetchFromHub, findSnapshot, type HubOptions, parseHubName } from "mammolab/weights";
import { parseDescription } from "../../lib/weights/hub/describe.ts";
import { damaged } from "./_damaged.ts";
import { commit, gitHash, type HubServer, serveHub, sha256, type Twist } from "./_hub_server.ts";

const { bits } = seededRandom(11, "hub");
const weights = Uint8Array.from({ length: 300_000 }, () => bits() & 255);
const config = '{"architecture":"test_vit"}';
const card = "---\ntags:\n- timm\nlicense: apache-2.0\n---\n# A card\n";
const good = {
  "model.safetensors": weights,
  "config.json": config,
  "README.md": card,
  ".gitattributes": "x",
  "pytorch_model.bin": "pickle",
  "runs/log.txt": "x",
};
const model = parseHubName("hf:owner/name");
const isWeights = ({ path }: { readonly path: string }) => path.endsWith("/model.safetensors");

async function inCache(test: (cache: string) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

const from = (server: HubServer, cache: string, more: HubOptions = {}) =>
  fetchFromHub(model, { endpoint: server.url, cache, userCache: null, waitMs: 1, ...more });

const blobOf = (cache: string) => `${cache}/models--owner--name/blobs/${sha256(weights)}`;
const namesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

/** The weights are there, whole, or not at all. */
async function assertWhole(cache: string): Promise<void> {
  assertEquals(sha256(await Deno.readFile(blobOf(cache))), sha256(weights));
}

async function sentence(work: () => Promise<unknown>): Promise<string> {
  const { message } = await assertRejects(work, MammolabError);
  assert(/^Cannot [^\n]+: [^\n]+; [^\n]+[^.\s]$/.test(message), message);
  return message;
}

describe("parseHubName()", () => {
  it("reads owner, name and revision", () => {
    assertEquals(parseHubName("hf:a/b.c@refs/pr/1"), { owner: "a", name: "b.c", revision: "refs/pr/1" });
    assertEquals(parseHubName("hf:google/vit-base-patch16-224").revision, "main");
  });
  it("refuses what is no name, or a way out of the cache", () => {
    const wrong = ["hf:a", "hf:a/b/c", "hf:/b", "hf:../b", "hf:a/..", "hf:a/b@../c", "hf:a/b@", "hf:a/b@x/../y", "a/b"];
    for (const text of [...wrong, "hf:a--b/c", "hf:a/b@/etc", "hf:a/b\n", "hf:a b/c", "hf:a/b@x y"]) {
      assertThrows(() => parseHubName(text), MammolabError, "it is no model of the hub");
    }
  });
});

describe("fetchFromHub()", () => {
  it("fetches what is wanted into Hugging Face's layout, and then nothing again", () =>
    inCache(async (cache) => {
      await using server = serveHub(good);
      const told: Progress[] = [];
      const first = await from(server, cache, { onProgress: (progress) => told.push(progress) });
      const folder = `${cache}/models--owner--name/snapshots/${commit}`;
      assertEquals(first, {
        model: "hf:owner/name",
        commit,
        folder,
        files: [
          { file: "config.json", bytes: config.length, from: "network" },
          { file: "README.md", bytes: card.length, from: "network" },
          { file: "model.safetensors", bytes: 300_000, from: "network" },
        ],
        bytes: 300_000 + config.length + card.length,
        licence: "apache-2.0",
      });
      assertEquals(await Deno.readTextFile(`${cache}/models--owner--name/refs/main`), commit);
      assertEquals(await Deno.readTextFile(`${folder}/config.json`), config);
      assertEquals(await Deno.readFile(`${folder}/model.safetensors`), weights);
      const blobs = await namesIn(`${cache}/models--owner--name/blobs`);
      const bytes = (text: string) => new TextEncoder().encode(text);
      assertEquals(blobs, [sha256(weights), gitHash(bytes(config)), gitHash(bytes(card))].sort());
      assertEquals(told.at(-1), { done: 0.3, total: 0.3, unit: "MB" });

      const again = await from(server, cache);
      assertEquals(again.files.map(({ from }) => from), ["cache", "cache", "cache"]);
      assertEquals(server.sentFor("model.safetensors"), 300_000);
      assertEquals(await findSnapshot(model, { caches: [cache] }), { folder, commit });
      assertEquals(await findSnapshot({ ...model, revision: commit }, { caches: [cache] }), { folder, commit });
      assertEquals(await findSnapshot({ ...model, revision: "v1" }, { caches: [cache] }), undefined);
    }));

  it("works without network after the first time: offline, by commit, and where the hub is gone", () =>
    inCache(async (cache) => {
      const server = serveHub(good);
      const { folder, bytes } = await from(server, cache);
      await server[Symbol.asyncDispose]();
      const offline = await from(server, cache, { offline: true });
      assertEquals([offline.folder, offline.bytes, offline.licence], [folder, bytes, "apache-2.0"]);
      assertEquals(offline.offline, "HF_HUB_OFFLINE is set");
      const gone = await from(server, cache, { attempts: 2 });
      assertEquals([gone.folder, gone.offline], [folder, "the hub cannot be reached"]);
      const pinned = { endpoint: server.url, cache, userCache: null };
      assertEquals((await fetchFromHub({ ...model, revision: commit }, pinned)).folder, folder);
      const other = { ...model, revision: "v1" };
      assertStringIncludes(
        await sentence(() => fetchFromHub(other, { ...pinned, offline: true })),
        "not on this machine",
      );
      const asks = () => fetchFromHub(other, { ...pinned, attempts: 2, waitMs: 1 });
      assertStringIncludes(await sentence(asks), "the connection failed (");
    }));

  it("goes on where a connection was cut, at 16 places, and fetches no byte twice", async () => {
    for (let place = 0; place < 16; place++) {
      await inCache(async (cache) => {
        const cutAfter = place === 15 ? weights.length - 1 : Math.floor((place * weights.length) / 15);
        await using server = serveHub(
          good,
          (asked) => isWeights(asked) && asked.count === 1 ? { cutAfter } : undefined,
        );
        await from(server, cache);
        await assertWhole(cache);
        const ranges = server.asked.filter(isWeights).map(({ range }) => range);
        assertEquals(ranges, [undefined, cutAfter === 0 ? undefined : `bytes=${cutAfter}-`]);
        assertEquals(server.sentFor("model.safetensors"), weights.length);
      });
    }
  });

  it("goes on in a later call, also after 16 cuts one behind the other", () =>
    inCache(async (cache) => {
      await using server = serveHub(good, (asked) => isWeights(asked) ? { cutAfter: 20_000 } : undefined);
      assertStringIncludes(await sentence(() => from(server, cache, { attempts: 1 })), "the connection failed (");
      assertEquals([await isThere(blobOf(cache)), (await Deno.stat(`${blobOf(cache)}.incomplete`)).size], [
        false,
        20_000,
      ]);
      await from(server, cache);
      await assertWhole(cache);
      assertEquals(server.sentFor("model.safetensors"), weights.length);
    }));

  const lies: readonly [string, Twist, string][] = [
    ["a length that is too long", { announce: 300_001 }, "announces 300001 bytes, 300000 are missing"],
    ["a length that is too short", { announce: 1000 }, "announces 1000 bytes, 300000 are missing"],
    ["another hash than before", { headers: { "x-linked-etag": `"${"0".repeat(64)}"` } }, "names another hash"],
    ["errors without end", { status: 503 }, "the hub answers 503, 3 times"],
    ["redirects without end", { redirect: "/owner/name/resolve/" + commit + "/model.safetensors" }, "without end"],
    ["a redirect to a file", { redirect: "file:///etc/passwd" }, "no address that is safe"],
    ["other bytes", { body: weights.map((byte, i) => i === 7 ? byte ^ 1 : byte) }, "its hash differs"],
    ["no such file", { status: 404 }, "has no such model, revision or file"],
    ["terms to accept", { status: 403 }, "accept them on its page and set HF_TOKEN"],
    ["a question for a name", { status: 401 }, "or set HF_TOKEN"],
    ["an answer of another kind", { status: 201 }, "answers 201"],
    ["silence", { stallAfter: 500 }, "fewer than 1000 bytes arrived in 0.15 s"],
    ["a byte now and then", { trickle: { bytes: 1, ms: 20 } }, "fewer than 1000 bytes arrived in 0.15 s"],
  ];
  for (const [name, lie, expected] of lies) {
    it(`ends in a sentence and without the file where the server gives ${name}`, () =>
      inCache(async (cache) => {
        await using server = serveHub(good, (asked) => isWeights(asked) ? lie : undefined);
        const said = await sentence(() => from(server, cache, { attempts: 3, idleMs: 150 }));
        assertStringIncludes(said, "Cannot fetch model.safetensors of hf:owner/name: ");
        assertStringIncludes(said, expected);
        assertEquals(await isThere(blobOf(cache)), false);
        assertEquals(await findSnapshot(model, { caches: [cache] }), undefined);
        await using honest = serveHub(good);
        await from(honest, cache); // and nothing is left that stands in the way
        await assertWhole(cache);
      }));
  }

  const second: readonly [string, Twist][] = [
    ["200 for 206: all of it again", { ignoreRange: true }],
    ["206 with a range from another byte", { contentRange: "bytes 0-299999/300000" }],
    ["206 with another length", { contentRange: "bytes 100000-200000/200001" }],
    ["206 without a range", { contentRange: "" }],
    ["416", { status: 416, body: new Uint8Array() }],
    ["more bytes than the file has", { body: new Uint8Array(200_001), headers: { "content-length": "200000" } }],
    ["a broken line", { cutAfter: 10 }],
  ];
  for (const [name, lie] of second) {
    it(`has the file in the end where a question for the rest is answered with ${name}`, () =>
      inCache(async (cache) => {
        await using server = serveHub(
          good,
          (asked) =>
            !isWeights(asked)
              ? undefined
              : asked.count === 1
              ? { cutAfter: 100_000 }
              : asked.count === 2
              ? lie
              : undefined,
        );
        await from(server, cache);
        await assertWhole(cache);
      }));
  }

  it("begins anew where what an earlier call left is damaged or too long", () =>
    inCache(async (cache) => {
      await using server = serveHub(good);
      const partial = `${blobOf(cache)}.incomplete`;
      await Deno.mkdir(`${cache}/models--owner--name/blobs`, { recursive: true });
      for (const left of [new Uint8Array(1000), new Uint8Array(400_000), new Uint8Array(300_000), weights]) {
        await Deno.writeFile(partial, left);
        await from(server, cache);
        await assertWhole(cache);
        assertEquals(await isThere(partial), false);
        await Deno.remove(blobOf(cache));
      }
      assertEquals(server.asked.filter(isWeights).map(({ range }) => range), [
        "bytes=1000-",
        undefined,
        undefined,
        undefined,
      ]);
    }));

  it("follows a redirect to another host, to which it does not show the token", () =>
    inCache(async (cache) => {
      await using store = serveHub(good);
      const header = { "x-linked-etag": `"${sha256(weights)}"` };
      await using server = serveHub(
        good,
        (asked) =>
          isWeights(asked) ? { redirect: `${store.url}/cdn/model.safetensors?sig=1`, headers: header } : undefined,
      );
      await from(server, cache, { token: "hf_secret" });
      await assertWhole(cache);
      assertEquals(store.asked.map(({ authorization }) => authorization), [undefined]);
      assertEquals(new Set(server.asked.map(({ authorization }) => authorization)), new Set(["Bearer hf_secret"]));
    }));

  it("takes a file from the cache of Hugging Face's programs, does not write there, and does not believe it", () =>
    inCache((cache) =>
      inCache(async (userCache) => {
        await using server = serveHub(good);
        await from(server, userCache);
        const listing = () => namesIn(`${userCache}/models--owner--name/blobs`);
        const before = await listing();
        const { files } = await from(server, cache, { userCache });
        assertEquals(new Set(files.map(({ from }) => from)), new Set(["Hugging Face's cache"]));
        assertEquals(server.sentFor("model.safetensors"), weights.length);
        assertEquals(await listing(), before);
        await Deno.remove(cache, { recursive: true });
        await Deno.writeFile(blobOf(userCache), new Uint8Array(weights.length));
        const again = await from(server, cache, { userCache });
        assertEquals(again.files.at(-1)!.from, "network");
        await assertWhole(cache);
      })
    ));

  const answers: readonly [string, Record<string, unknown>, string][] = [
    ["no weights", { siblings: [] }, "it has no model.safetensors, and pickles are not read"],
    ["no commit", { sha: "main" }, "its answer names no commit"],
    ["a file without hash", { siblings: [{ rfilename: "config.json", size: 3 }] }, "no length or hash for config.json"],
    ["a negative length", { siblings: [{ rfilename: "a", size: -3, blobId: "0".repeat(40) }] }, "no length or hash"],
    [
      "weights in several files",
      { siblings: [{ rfilename: "model.safetensors.index.json", size: 3, blobId: "0".repeat(40) }] },
      "its weights are in several files",
    ],
  ];
  for (const [name, answer, expected] of answers) {
    it(`refuses a model with ${name} in a sentence`, () =>
      inCache(async (cache) => {
        await using server = serveHub(good, undefined, { model: answer });
        assertStringIncludes(await sentence(() => from(server, cache)), expected);
      }));
  }

  it("ends in a description or a sentence for 1,000 damaged answers", () => {
    const sound = JSON.stringify({
      sha: commit,
      cardData: { license: "mit" },
      tags: ["license:mit"],
      siblings: [
        { rfilename: "config.json", size: 3, blobId: "0".repeat(40) },
        { rfilename: "model.safetensors", size: 9, lfs: { sha256: "0".repeat(64), size: 9, pointerSize: 134 } },
      ],
    });
    for (let seed = 0; seed < 1000; seed++) {
      try {
        const { commit, files } = parseDescription("fetch it", damaged(sound, seed));
        assert(/^[0-9a-f]{40}$/.test(commit));
        for (const { file, bytes, hash } of files) {
          assert(/^[\w.-]+$/.test(file) && bytes >= 0 && hash.hex.length === (hash.kind === "git" ? 40 : 64));
        }
      } catch (error) {
        assert(error instanceof MammolabError, `${seed}: ${(error as Error).stack}`);
      }
    }
  });

  it("writes nothing outside of its folder, whatever names the hub gives", () =>
    inCache(async (cache) => {
      const entry = (rfilename: string) => ({ rfilename, size: 1, blobId: gitHash(Uint8Array.of(1)) });
      const names = ["../../x", "/etc/x", "a/../../config.json", "..", "C:\\x"];
      const siblings = [
        ...names.map(entry),
        { rfilename: "model.safetensors", size: 300_000, lfs: { sha256: sha256(weights), size: 300_000 } },
      ];
      await using server = serveHub(good, undefined, { model: { siblings } });
      assertEquals((await from(server, cache)).files.map(({ file }) => file), ["model.safetensors"]);
    }));

  it("stops at once when it is told to, and keeps what has arrived", () =>
    inCache(async (cache) => {
      const stop = new AbortController();
      await using server = serveHub(good, (asked) => isWeights(asked) ? { stallAfter: 200_000 } : undefined);
      const onProgress = ({ done }: Progress) => done >= 0.2 && stop.abort(new MammolabError("Stopped"));
      await assertRejects(() => from(server, cache, { signal: stop.signal, onProgress }), MammolabError, "Stopped");
      const { size } = await Deno.stat(`${blobOf(cache)}.incomplete`);
      assert(size >= 150_000 && size <= 200_000, `${size}`);
    }));

  it("says that HF_ENDPOINT is no address, and which host it may not talk to", () =>
    inCache(async (cache) => {
      const at = (endpoint: string) => sentence(() => fetchFromHub(model, { endpoint, cache, userCache: null }));
      assertStringIncludes(await at("hub"), "HF_ENDPOINT is no web address");
      assertStringIncludes(await at("https://hub.example.org"), "may not talk to hub.example.org");
    }));

  it("leaves one whole file where four processes fetch at once, which came over the network once", () =>
    inCache(async (cache) => {
      await using server = serveHub(
        good,
        (asked) => isWeights(asked) ? { trickle: { bytes: 30_000, ms: 30 } } : undefined,
      );
      const all = await Promise.all(Array.from({ length: 4 }, () => fetchProcess(server.url, cache).output()));
      for (const { code, stderr } of all) assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      await assertWhole(cache);
      assertEquals(server.sentFor("model.safetensors"), weights.length);
      const left = await namesIn(`${cache}/models--owner--name/snapshots/${commit}`);
      assertEquals(left, ["README.md", "config.json", "model.safetensors"]);
    }));

  it("goes on after a kill", () =>
    inCache(async (cache) => {
      await using server = serveHub(good, (asked) =>
        isWeights(asked) && asked.count === 1 ? { stallAfter: 150_000 } : undefined);
      const process = fetchProcess(server.url, cache).spawn();
      const partial = `${blobOf(cache)}.incomplete`;
      while ((await Deno.stat(partial).catch(() => ({ size: 0 }))).size < 150_000) {
        await new Promise((resolve) =>
          setTimeout(resolve, 20)
        );
      }
      process.kill("SIGKILL");
      await process.output();
      await from(server, cache);
      await assertWhole(cache);
      assertEquals(server.sentFor("model.safetensors"), weights.length);
    }));
});

function fetchProcess(endpoint: string, cache: string): Deno.Command {
  const root = new URL("../../", import.meta.url).pathname;
  return new Deno.Command("deno", {
    args: ["run", "-q", "--no-check", "--no-prompt", "-P=test", "tests/weights/_fetch_process.ts", endpoint, cache],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  });
}
