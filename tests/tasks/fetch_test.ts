import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { serveHub } from "../weights/_hub_server.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The task with its own rights, and besides this machine as a hub and a folder of its own. */
async function fetchTask(folder: string, endpoint: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      ...["run", "-q", "--no-prompt", `--config=${root}deno.json`, "-P=fetch", "--allow-net=127.0.0.1"],
      ...[`--allow-write=${folder}`, `${root}tasks/fetch.ts`, ...args],
    ],
    cwd: folder,
    env: { NO_COLOR: "1", HF_ENDPOINT: endpoint, HF_HOME: `${folder}/home`, HF_HUB_OFFLINE: "" },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr) };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mammolab-" }));
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const weights = await Deno.readFile(new URL("../fixtures/weights/hf_vit.safetensors", import.meta.url));
const { config } = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/weights/hf_vit.json", import.meta.url)),
);

describe("deno task fetch", () => {
  it("fetches a model, says what it is and under which licence, and writes nothing but the cache", () =>
    inFolder(async (folder) => {
      await using server = serveHub({ "model.safetensors": weights, "config.json": JSON.stringify(config) });
      const { code, out, error } = await fetchTask(folder, server.url, "hf:owner/name", "--json", "--quiet");
      assertEquals([code, error], [0, ""]);
      const answer = JSON.parse(out);
      assertEquals(answer.files.map(({ file }: { file: string }) => file), ["config.json", "model.safetensors"]);
      assertEquals([answer.licence, answer.network.dim, answer.network.classes], ["apache-2.0", 24, 3]);
      assertEquals(answer.bytes, weights.length + JSON.stringify(config).length);
      assertStringIncludes(answer.folder, `${folder}/.cache/huggingface/models--owner--name/snapshots/`);
      assertEquals((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), [".cache"]);
    }));

  it("says in a sentence what cannot be fetched: exit code 1, and 2 for what is no name", () =>
    inFolder(async (folder) => {
      await using server = serveHub({ "config.json": "{}" });
      const none = await fetchTask(folder, server.url, "hf:owner/other");
      assertEquals([none.code, none.out], [1, ""]);
      assertEquals(
        none.error,
        "Cannot fetch hf:owner/other: the hub has no such model, revision or file; check the name\n",
      );
      const elsewhere = await fetchTask(folder, "https://hub.example.org", "hf:owner/name");
      assertEquals(elsewhere.code, 1);
      assertStringIncludes(elsewhere.error, "may not talk to hub.example.org");
      const word = await fetchTask(folder, server.url, "mini-mias");
      assertEquals(word.code, 2);
      assertStringIncludes(word.error, "no model of the hub");
    }));
});
