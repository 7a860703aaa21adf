import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { checkFolder, disk, type FileSystem, MammolabError, writeFileAtomic } from "mammolab/base";

const pieces = ["one ", "two ", "three"].map((text) => new TextEncoder().encode(text));
const before = "what was there before";
const after = "one two three";

/**
 * A disk that breaks at its call n (SQLite's method: one run for every n until one passes). A write that breaks has put half
 * of its bytes on the disk. `fails` reports an error and goes on working; `dies` is a process that is gone: no call after it
 * does anything, or comes back.
 */
function breakingDisk(
  n: number,
  how: "fails" | "dies",
  died: () => void,
): { fileSystem: FileSystem; calls: () => number } {
  let calls = 0;
  const call = async <T>(work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    calls++;
    if (calls < n || (calls > n && how === "fails")) return work();
    if (calls === n) await half?.();
    if (how === "fails") throw new Error("No space left on device (os error 28)");
    died();
    return new Promise(() => {});
  };
  const fileSystem: FileSystem = {
    open: (path) =>
      call(async () => {
        const file = await disk.open(path);
        return {
          write: (bytes) => call(() => file.write(bytes), () => file.write(bytes.subarray(0, bytes.length >> 1))),
          sync: () => call(file.sync),
          close: file.close,
        };
      }),
    rename: (from, to) => call(() => disk.rename(from, to)),
    remove: (path) => call(() => disk.remove(path)),
  };
  return { fileSystem, calls: () => calls };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

describe("writeFileAtomic()", () => {
  for (const content of ["string", "bytes", "pieces", "a stream"] as const) {
    it(`writes ${content} and makes the folders on the way`, () =>
      inFolder(async (folder) => {
        const path = `${folder}/a/b/file.txt`;
        const whole = new TextEncoder().encode(after);
        const chunks = {
          string: after,
          bytes: whole,
          pieces,
          "a stream": ReadableStream.from(pieces) as AsyncIterable<Uint8Array>,
        }[content];
        await writeFileAtomic(path, chunks);
        assertEquals(await Deno.readTextFile(path), after);
        assertEquals(await names(`${folder}/a/b`), ["file.txt"]);
      }));
  }

  for (const existing of [true, false]) {
    it(`leaves ${existing ? "the old file" : "nothing"} and no temporary file when call n fails, for every n`, () =>
      inFolder(async (folder) => {
        const path = `${folder}/file.txt`;
        for (let n = 1;; n++) {
          if (existing) await Deno.writeTextFile(path, before);
          const { fileSystem, calls } = breakingDisk(n, "fails", () => {});
          const error = await writeFileAtomic(path, pieces, { fileSystem }).then(() => undefined, (error) => error);
          if (calls() < n) {
            assertEquals(error, undefined);
            assertEquals(await Deno.readTextFile(path), after);
            assert(n > 6, `only ${n - 1} calls: open, three writes, sync, rename`);
            break;
          }
          assert(error instanceof MammolabError, `call ${n}: ${error}`);
          assertEquals(
            error.message,
            `Cannot write ${path}: the disk is full; free some space or choose another folder`,
          );
          assertEquals(await names(folder), existing ? ["file.txt"] : [], `call ${n}`);
          if (existing) assertEquals(await Deno.readTextFile(path), before, `call ${n}`);
        }
      }));
  }

  it("leaves the old file or the new one, whole, and at most one temporary file when the process dies in call n, for every n", () =>
    inFolder(async (folder) => {
      for (let n = 1;; n++) {
        const path = `${folder}/${n}/file.txt`;
        await Deno.mkdir(`${folder}/${n}`);
        await Deno.writeTextFile(path, before);
        const { promise, resolve } = Promise.withResolvers<"died">();
        const { fileSystem } = breakingDisk(n, "dies", () => resolve("died"));
        const end = await Promise.race([promise, writeFileAtomic(path, pieces, { fileSystem })]);
        assertEquals(await Deno.readTextFile(path), end === "died" ? before : after, `call ${n}`);
        const others = (await names(`${folder}/${n}`)).filter((name) => name !== "file.txt");
        assert(others.length <= 1 && others.every((name) => name.endsWith(".part")), `call ${n}: ${others}`);
        if (end !== "died") break;
      }
    }));

  it("writes to names that no other Worker of its process has, whose failure would take the file away", () =>
    inFolder(async (folder) => {
      const temporary = await Promise.all([1, 2].map(async () => {
        const worker = new Worker(new URL("./_jobs/writer.ts", import.meta.url), { type: "module" });
        const { promise, resolve } = Promise.withResolvers<string>();
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(`${folder}/file.txt`);
        return await promise.finally(() => worker.terminate());
      }));
      assertEquals(new Set(temporary).size, 2, temporary.join());
      assertEquals(await names(folder), ["file.txt"]);
    }));

  it("passes on what the source of the content says, without leaving a temporary file", () =>
    inFolder(async (folder) => {
      async function* broken() {
        yield await Promise.resolve(pieces[0] as Uint8Array);
        throw new MammolabError("Cannot make the picture: it has no pixels; load another film");
      }
      await assertRejects(() => writeFileAtomic(`${folder}/a.png`, broken()), MammolabError, "Cannot make the picture");
      assertEquals(await names(folder), []);
    }));

  it("names the path when a part of it is a file, and when it may not write there", () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/file`, "");
      const error = await assertRejects(() => writeFileAtomic(`${folder}/file/a.txt`, "x"), MammolabError);
      assertStringIncludes(error.message, `Cannot write ${folder}/file/a.txt: `);
    }));
});

describe("checkFolder()", () => {
  it("makes the folder and leaves nothing in it; where a call fails, for every one, it names the folder and the cause", () =>
    inFolder(async (folder) => {
      for (let n = 1;; n++) {
        const path = `${folder}/${n}/a`;
        const { fileSystem } = breakingDisk(n, "fails", () => {});
        const error = await checkFolder(path, { fileSystem }).then(() => undefined, (error) => error);
        assertEquals(await names(path), [], `call ${n}`);
        if (!error) {
          assertEquals(n, 5, "open, write, sync, remove");
          break;
        }
        assertEquals(error.message, `Cannot write ${path}: the disk is full; free some space or choose another folder`);
      }
    }));
});
