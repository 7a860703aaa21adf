import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "mammolab/weights";
import { filesToTry, mutated } from "./_mutated.ts";
import { ownMemory } from "../_own_memory.ts";

describe("readSafetensors()", () => {
  const count = filesToTry(1000, 5000);

  it(`ends in one sentence or in the numbers that stand in the file, for ${count} mutated files, in 100 MB`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
    const path = `${folder}/mutated.safetensors`;
    const values = (length: number) => new Float32Array(length).map((_, i) => Math.sin(i));
    const tensors = [
      { name: "blocks.0.attn.qkv.weight", shape: [12, 4], data: values(48) },
      { name: "half", shape: [3], type: "F16", bytes: new Uint8Array(Float16Array.of(1, -2, 0.5).buffer) },
      { name: "brain", shape: [2], type: "BF16", bytes: Uint8Array.of(128, 63, 0, 64) },
      { name: "empty", shape: [0], data: values(0) },
      { name: "head.bias", shape: [2], data: values(2) },
    ] as const;
    await writeSafetensors(path, tensors, { metadata: { format: "pt" } });
    const whole = await Deno.readFile(path);
    const start = ownMemory();
    let [most, read, refused] = [0, 0, 0];
    for (let seed = 0; seed < count; seed++) {
      const bytes = mutated(whole, seed);
      await Deno.writeFile(path, bytes);
      try {
        const found = await readSafetensors(path);
        const header = await readSafetensorsHeader(path);
        for (const [name, { shape, data }] of found) {
          const { offset, length, type } = header.tensors.get(name)!;
          assertEquals(data.length, shape.reduce((a, b) => a * b, 1), `seed ${seed}`);
          assert(offset + length <= bytes.length);
          if (type === "F32") {
            const own = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
            assertEquals(own, bytes.slice(offset, offset + length));
          }
        }
        read++;
      } catch (error) {
        assert(error instanceof MammolabError, `seed ${seed}: ${(error as Error).stack}`);
        assert(/^Cannot read .+: .+; /.test(error.message) && !error.message.includes("\n"), error.message);
        refused++;
      }
      most = Math.max(most, ownMemory());
    }
    await Deno.remove(folder, { recursive: true });
    assertGreater(read, count / 50);
    assertGreater(refused, count / 2);
    assertLess(most - start, 100e6);
  });
});
