import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLess } from "@std/assert";
import { inOrder, MammolabError, seededRandom } from "mammolab/base";
import { type DecodingPool, decodingPool, encodePng, loadMammogram } from "mammolab/io";
import { ownMemory } from "../_own_memory.ts";

const salt = new Uint8Array(32).fill(7);
const fixtures = new URL("../fixtures/", import.meta.url);
/** More of them for a long run by hand: MAMMOLAB_TEST_MUTANTS=20000. */
const mutantCount = Number(Deno.env.get("MAMMOLAB_TEST_MUTANTS") ?? 500);

/** Small whole files of every format and code stream. */
async function wholeFiles(): Promise<readonly { readonly name: string; readonly bytes: Uint8Array }[]> {
  const folder = new URL("dicom/", fixtures);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((n) => n.endsWith(".dcm"));
  const dicom = names.sort().map((name) => ({ name, bytes: Deno.readFileSync(new URL(name, folder)) }));
  const jpeg = JSON.parse(await Deno.readTextFile(new URL("jpeg/pictures.json", fixtures))).cases[0].file;
  const film = Uint16Array.from({ length: 35 }, (_, i) => 117 * i);
  return [
    ...dicom,
    { name: "grey.jpg", bytes: Uint8Array.fromBase64(jpeg) },
    { name: "film.png", bytes: encodePng(film, { height: 5, width: 7 }) },
    { name: "film.pgm", bytes: new TextEncoder().encode(`P2 7 5 4095\n${film.join(" ")}\n`) },
  ];
}

/** What becomes of a file: its pixels, or one sentence that names it. */
async function load(bytes: Uint8Array, name: string, pool: DecodingPool): Promise<Float32Array | string> {
  try {
    const { image } = await loadMammogram(bytes, { salt, name, pool, limits: { deadlineMs: 10_000, maxPixels: 10e6 } });
    assertEquals(image.data.length, image.height * image.width);
    assert(image.data.every((value) => value >= 0 && value <= 1), `${name} has a value outside of 0..1`);
    return image.data;
  } catch (error) {
    assert(error instanceof MammolabError, `${name}: ${error}`);
    assert(/^Cannot read [^\n]+: [^\n]+; [^\n]+$/.test(error.message), `${name}: ${error.message}`);
    return error.message;
  }
}

describe("loadMammogram(), given damaged files,", () => {
  it("ends in an image or one sentence, whatever bytes were changed", async () => {
    const files = await wholeFiles();
    const random = seededRandom(1, "mutate");
    await using pool = decodingPool({ size: 2 });
    const mutants = Array.from({ length: mutantCount }, (_, i) => {
      const { name, bytes } = files[i % files.length]!;
      return { name: `${i} ${name}`, bytes: mutate(bytes, random) };
    });
    for await (const outcome of inOrder(mutants, ({ bytes, name }) => load(bytes, name, pool), { atOnce: 3 })) {
      if ("error" in outcome) throw outcome.error;
    }
  });

  it("never invents pixels: a file that is cut is refused, or had them all", async () => {
    await using pool = decodingPool({ size: 2 });
    const random = seededRandom(2, "cut");
    for (const { name, bytes } of await wholeFiles()) {
      const whole = await load(bytes, name, pool);
      assert(typeof whole !== "string", `${name}: ${whole}`);
      for (let i = 0; i < 8; i++) {
        const length = 1 + random.integer(bytes.length - 1);
        const cut = await load(bytes.subarray(0, length), `${name} cut to ${length}`, pool);
        if (typeof cut !== "string") assertEquals(cut, whole, `${name} cut to ${length} bytes`);
      }
    }
  });
});

/** Flips of bits and bytes, and lengths and counts set to what hurts: 0, 1, one more, one less, the largest. */
function mutate(bytes: Uint8Array, { integer }: ReturnType<typeof seededRandom>): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let change = integer(4); change >= 0; change--) {
    const at = integer(out.length);
    const near = out[at] as number;
    const kinds = [
      () => out[at]! ^= 1 << integer(8),
      () => out[at] = integer(256),
      () => out[at] = [0, 1, near + 1, near - 1, 0x7f, 0xff][integer(6)] as number,
      () =>
        at + 4 <= out.length &&
        view.setUint32(at, [0, 1, 0x7fffffff, 0xffffffff][integer(4)] as number, integer(2) === 0),
      () => out.copyWithin(at, integer(out.length), integer(out.length)),
    ];
    kinds[integer(kinds.length)]!();
  }
  return out;
}

describe("loadMammogram(), given a bomb,", () => {
  it("refuses it in less than two seconds without growing", async () => {
    await using pool = decodingPool({ size: 1 });
    const film = encodePng(new Uint8Array(64e6), { height: 8_000, width: 8_000 });
    const claims = encodePng(new Uint8Array(1), { height: 1, width: 1 });
    new DataView(claims.buffer).setUint32(16, 100_000); // the width
    const bombs = {
      "64 million pixels in 62 KB": film,
      "a width that is not there": claims,
      "a PGM of 10^16 pixels": new TextEncoder().encode("P5 99999999 99999999 65535 \0\0"),
      "a comment without end": new TextEncoder().encode(`P5 ${"#".repeat(5e6)}`),
    };
    await load(encodePng(new Uint8Array(1), { height: 1, width: 1 }), "first.png", pool);
    const before = ownMemory();
    for (const [name, bytes] of Object.entries(bombs)) {
      const start = performance.now();
      const answer = await load(bytes, name, pool);
      assertEquals(typeof answer, "string", name);
      assertLess(performance.now() - start, 5_000, name);
    }
    assertLess(ownMemory() - before, 100e6);
  });
});
