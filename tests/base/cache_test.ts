import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { cacheFolder, MammolabError, readSalt } from "mammolab/base";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.chmod(folder, 0o700);
    await Deno.remove(folder, { recursive: true });
  }
}

describe("cacheFolder()", () => {
  it("is in the nearest folder upwards that has a deno.json, so that notebooks and tasks share it", () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/notebooks/deep`, { recursive: true });
      assertEquals(await cacheFolder(`${folder}/notebooks/deep`), `${folder}/notebooks/deep/.cache`);
      await Deno.writeTextFile(`${folder}/deno.json`, "{}");
      assertEquals(await cacheFolder(`${folder}/notebooks/deep`), `${folder}/.cache`);
    }));
});

describe("readSalt()", () => {
  it("makes 32 random bytes once, readable by their owner only, the same for all that begin at once", () =>
    inFolder(async (folder) => {
      const file = `${folder}/made/salt`;
      const salts = await Promise.all(Array.from({ length: 8 }, () => readSalt({ file })));
      assertEquals(salts.every(({ kept }) => kept), true);
      assertEquals(new Set(salts.map(({ bytes }) => bytes.join())).size, 1);
      assertEquals(salts[0]?.bytes.length, 32);
      if (Deno.build.os !== "windows") assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
      assertEquals((await Array.fromAsync(Deno.readDir(`${folder}/made`))).length, 1);
      assertEquals((await readSalt({ file })).bytes, salts[0]?.bytes as Uint8Array);
    }));

  it("goes on with a salt for this run where none can be kept", () =>
    inFolder(async (folder) => {
      // A path below a file cannot be made, whoever asks (folder rights do not bind the administrator).
      await Deno.writeTextFile(`${folder}/file`, "");
      await assertRejects(() => readSalt({ file: `${folder}/file/salt` }), MammolabError, "check MAMMOLAB_SALT_FILE");
      const script = new URL("./_jobs/salt.ts", import.meta.url).href;
      const { stdout } = await new Deno.Command("deno", {
        args: ["run", "-q", "--no-prompt", "--allow-read", "--allow-env=MAMMOLAB_SALT_FILE", script],
        cwd: folder,
        env: { MAMMOLAB_SALT_FILE: "" },
      }).output();
      assertEquals(new TextDecoder().decode(stdout), "32 bytes, not kept, the same\n");
    }));

  it("refuses a file that is too short to be a secret, without showing it", () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/salt`, "sesame");
      const error = await assertRejects(() => readSalt({ file: `${folder}/salt` }), MammolabError);
      assertStringIncludes(error.message, "it has 6 bytes, at least 16 are needed");
      assertEquals(error.message.includes("sesame"), false);
    }));
});
