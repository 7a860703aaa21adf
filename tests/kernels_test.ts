import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));

/** All files below a folder of this repository. */
function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`../${folder}/`, import.meta.url))) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

describe("the WebAssembly kernels", () => {
  const files = [...filesBelow("lib")];

  it("are assembled by deno task wasm, each of them", () => {
    const build = read("tests/fixtures/kernel/build.ts");
    const texts = files.filter((file) => file.endsWith(".wat"));
    assert(texts.length > 0);
    for (const text of texts) assert(build.includes(`"${text.replace("lib/", "")}"`), `${text} is not assembled`);
  });

  it("are the only bytes in the code", () => {
    const binary = files.filter((file) => file.endsWith(".ts") && /"AGFzbQ/.test(read(file))); // base64 of \0asm
    const build = read("tests/fixtures/kernel/build.ts");
    for (const file of binary) assert(build.includes(`"${file.replace("lib/", "")}"`), `${file} has no text`);
  });

  it("are what their text says, where wabt is in the cache (`deno task wasm` fetches it)", async () => {
    const build = new URL("./fixtures/kernel/build.ts", import.meta.url).pathname;
    const flags = ["-q", "--no-lock", "--node-modules-dir=none", "--cached-only", "--allow-read", "--allow-env"];
    const { code, stdout, stderr } = await new Deno.Command("deno", { args: ["run", ...flags, build, "--check"] })
      .output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (code === 1 && decode(stderr).includes("wabt")) return; // not in the cache
    assertEquals([code, decode(stdout).trim()], [0, "text and bytes agree"]);
  });
});
