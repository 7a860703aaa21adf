import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { MammolabError, type Random, seededRandom } from "mammolab/base";
import { readFragments } from "../../lib/io/dicom/fragments.ts";
import { formAt, openContainer } from "../../lib/io/dicom/container.ts";
import { dicomStatistics, readDicom } from "../../lib/io/dicom/mod.ts";
import { elementHeaderAt, type Form, parseDataSet } from "../../lib/io/dicom/parse.ts";
import { cpuSeconds } from "./_cpu.ts";
import { type Attribute, dicomFile, encapsulated, encode, join, picture, rawHeader, syntaxes } from "./_dicom_file.ts";
import { ownMemory } from "../_own_memory.ts";

const folder = new URL("../fixtures/dicom/", import.meta.url);
type Fixture = { readonly name: string; readonly bytes: Uint8Array; readonly lossy: boolean; readonly sha256: string };
const expectations = JSON.parse(Deno.readTextFileSync(new URL("expected.json", folder)));
const fixtures: readonly Fixture[] = Object.keys(expectations).filter((name) => name.endsWith(".dcm")).map((name) => ({
  name,
  bytes: Deno.readFileSync(new URL(name, folder)),
  lossy: expectations[name].lossy === true,
  sha256: expectations[name].stored.sha256,
}));

/** Reads and returns the picture's hash, or undefined where the file was refused in one sentence that our checks wrote. */
async function outcome(bytes: Uint8Array, what: string): Promise<string | undefined> {
  const start = cpuSeconds();
  try {
    return (await dicomStatistics(bytes)).stored.sha256;
  } catch (error) {
    assert(error instanceof MammolabError, `${what}: ${error}`);
    assert(/^Cannot read the DICOM file: [^\n]+; [^\n]+$/.test(error.message), `${what}: ${error.message}`);
    assert(!error.message.includes("did not foresee"), `${what}: ${(error.cause as Error)?.stack}`);
    return undefined;
  } finally {
    assertLess(cpuSeconds() - start, 5, `${what} took too long`);
  }
}

// The long run before a release: MAMMOLAB_TEST_MUTANTS=20000 MAMMOLAB_TEST_CUTS=1024.
const mutants = Number(Deno.env.get("MAMMOLAB_TEST_MUTANTS") ?? 2000);
const cuts = Number(Deno.env.get("MAMMOLAB_TEST_CUTS") ?? 64);

describe("a file that is cut", () => {
  for (const { name, bytes, lossy, sha256 } of fixtures.filter(({ lossy }) => !lossy)) {
    assert(!lossy);
    it(`gives no picture, or all of it: ${name} at ${cuts} places`, async () => {
      for (let i = 0; i < cuts; i++) {
        const at = Math.floor((bytes.length * i) / cuts);
        const found = await outcome(bytes.subarray(0, at), `${name} cut at ${at}`);
        assert(found === undefined || found === sha256, `${name} cut at ${at} gives another picture`);
      }
    });
  }
});

describe("a code stream that is cut in a container that is whole", () => {
  for (const { name, bytes, lossy, sha256 } of fixtures) {
    const whole = lossy ? () => outcome(bytes, name) : () => Promise.resolve(sha256);
    const { at } = openContainer(bytes);
    const { pixels } = name === "deflated.dcm" ? {} : parseDataSet(bytes, at, formAt(bytes, at));
    if (!pixels || (pixels.length >= 0 && !name.startsWith("says"))) continue;
    const fragments = readFragments(bytes, pixels);
    if (fragments.at.length > 1) continue;
    const start = fragments.at[0] as number;
    const stream = bytes.subarray(start, start + (fragments.length[0] as number));
    // A cut progressive stream with an end marker after it cannot be told from a coarser picture.
    const tails = name.includes("progressive") || name.startsWith("rle") ? [[]] : [[], [0xff, 0xd9]];
    it(`gives no picture, or all of it: ${name} at ${cuts} places, with and without an end marker after the cut`, async () => {
      for (let i = 0; i < cuts; i++) {
        const place = Math.floor((stream.length * i) / cuts);
        for (const tail of tails) {
          const cut = join([stream.subarray(0, place), Uint8Array.from(tail)]);
          const file = join([bytes.subarray(0, pixels.at - 12), encapsulated([cut])]);
          const found = await outcome(file, `${name}, stream cut at ${place}`);
          assert(found === undefined || found === await whole(), `${name}, cut at ${place}, gives another picture`);
        }
      }
    });
  }
});

describe("a file that is damaged", () => {
  // Seeded: the same mutants each time. Streams for WebAssembly decoders are rarer, each failure costs a new instance.
  const heavy = /jpeg_(8|12|2000|prog)|htj2k/;
  const pool = fixtures.flatMap((fixture) =>
    heavy.test(fixture.name) ? [fixture] : [fixture, fixture, fixture, fixture]
  );
  for (let first = 0; first < mutants; first += 200) {
    it(`ends in a picture or in one sentence: mutants ${first} to ${first + 199}`, async () => {
      for (let i = first; i < first + 200; i++) {
        const random = seededRandom("dicom mutant", i);
        const { name, bytes } = pool[random.integer(pool.length)] as Fixture;
        await outcome(mutated(bytes, random), `mutant ${i} of ${name}`);
      }
    });
  }
});

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  switch (random.integer(6)) {
    case 0: // bits
      for (let n = 1 + random.integer(8); n > 0; n--) out[random.integer(out.length)]! ^= 1 << random.integer(8);
      return out;
    case 1: // bytes, most of them in the header
      for (let n = 1 + random.integer(8); n > 0; n--) {
        out[random.integer(random.uniform() < 0.7 ? 900 : out.length) % out.length] = random.integer(256);
      }
      return out;
    case 2: // truncation
      return out.subarray(0, random.integer(out.length));
    case 3: // a piece is missing, or stands twice
    {
      const [from, to] = [random.integer(out.length), random.integer(out.length)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const short = Math.min(to, from + 1 + random.integer(40));
      return random.uniform() < 0.5
        ? join([out.subarray(0, from), out.subarray(short)])
        : join([out.subarray(0, short), out.subarray(from)]);
    }
    case 4: // another transfer syntax of the same length
      return replaced(
        out,
        ["1.2.840.10008.1.2.", ["4.50", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "1.99"]],
        random,
      );
    default:
      return structurallyMutated(out, random);
  }
}

function replaced(out: Uint8Array, [before, ends]: readonly [string, readonly string[]], random: Random): Uint8Array {
  const at = String.fromCharCode(...out.subarray(0, 400)).indexOf(before) + before.length;
  out.set(new TextEncoder().encode(ends[random.integer(ends.length)]), at);
  return out;
}

/** Length fields, value representations, items and delimiters of attributes, wherever they stand. */
function structurallyMutated(out: Uint8Array, random: Random): Uint8Array {
  const { at } = openContainer(out);
  const headers = headersIn(out, at, formAt(out, at));
  const header = headers[random.integer(headers.length)];
  if (!header) return out;
  const view = new DataView(out.buffer);
  const lengthAt = header.valueAt - (header.long ? 4 : 2);
  const lengths = [0, 1, header.length - 1, header.length + 1, 0x7fffffff, 0xffffffff, 0xfffffffe, random.bits()];
  switch (random.integer(4)) {
    case 0:
    case 1: {
      const length = lengths[random.integer(lengths.length)] as number;
      if (header.long) view.setUint32(lengthAt, length >>> 0, true);
      else view.setUint16(lengthAt, length & 0xffff, true);
      return out;
    }
    case 2: {
      const vrs = ["UN", "SQ", "OB", "OW", "US", "UL", "DS", "LT", "??", "\u0000\u0000"];
      out.set(new TextEncoder().encode(vrs[random.integer(vrs.length)]), header.at + 4);
      return out;
    }
    default:
      return join([out.subarray(0, header.at), out.subarray(header.valueAt + random.integer(2) * header.length)]);
  }
}

function headersIn(bytes: Uint8Array, from: number, form: Form) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { at: number; valueAt: number; length: number; long: boolean }[] = [];
  for (let at = from; at + 12 <= bytes.length;) {
    const { valueAt, length, vr, tag } = elementHeaderAt(bytes, view, at, form);
    found.push({ at, valueAt, length, long: vr === "" || valueAt - at === 12 });
    // Into sequences and fragments, over everything else.
    at = length === 0xffffffff || vr === "SQ" || tag === 0xfffee000 ? valueAt : valueAt + length;
  }
  return found;
}

describe("a file that asks for too much", () => {
  const refused = async (bytes: Uint8Array, part: string) => {
    const [start, before] = [cpuSeconds(), ownMemory()];
    const error = await assertRejects(() => dicomStatistics(bytes), MammolabError);
    assert(error.message.includes(part), error.message);
    assertLess(cpuSeconds() - start, 2);
    assertLess(ownMemory() - before, 100e6);
  };
  const film = (...more: readonly Attribute[]) => picture([1, 2], { more });
  const deflated = (attributes: Uint8Array) =>
    join([dicomFile([], { syntax: "1.2.840.10008.1.2.1.99" }), deflateRawSync(attributes)]);

  it("of frames is refused before a frame is counted", async () => {
    await refused(dicomFile(film([0x00280008, "IS", "1000000"])), "promises 4,000,000 bytes");
    await refused(dicomFile(film([0x00280008, "IS", "2147483647"])), "promises 8,589,934,588 bytes");
    await refused(dicomFile(film([0x00280008, "IS", "9007199254740991"])), "more bytes than can be counted");
    await refused(dicomFile(film([0x00280008, "IS", "1e99"])), "not a whole number");
  });

  it("of pixels is refused before they are allocated", async () => {
    const sizes: readonly Attribute[] = [[0x00280010, "US", [65535]], [0x00280011, "US", [65535]]];
    await refused(dicomFile(film(...sizes)), "the limit is 100,000,000");
    const limits = { maxPixels: 1, maxFileBytes: 1e6 };
    await assertRejects(() => readDicom(dicomFile(film()), { limits }), MammolabError, "the limit is 1;");
    const small = { maxPixels: 9, maxFileBytes: 100 };
    await assertRejects(() => readDicom(dicomFile(film()), { limits: small }), MammolabError, "the limit is 100;");
  });

  it("of memory by deflating well is read as far as its own header promises", async () => {
    const head = encode([...film()].filter(([tag]) => tag !== 0x7fe00010).sort((a, b) => a[0] - b[0]));
    const pixels = join([encode([[0x7fe00010, "OW", new Uint8Array(4)]]), new Uint8Array(200e6)]);
    const bomb = deflated(join([head, pixels]));
    const start = cpuSeconds();
    const { stored } = await readDicom(bomb);
    assertEquals([...stored.data], [0, 0]);
    assertLess(cpuSeconds() - start, 1);
    const header = encode([[0x00091001, "OB", new Uint8Array(200e6)]]);
    await refused(deflated(join([encode([[0x00080060, "CS", "MG"]]), header])), "inflates to more than");
  });

  it("by depth or by number of items is refused", async () => {
    const deep = join(Array.from({ length: 10_000 }, () =>
      join([
        Uint8Array.of(0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff),
        rawHeader(0xfffee000, 0xffffffff),
      ])));
    await refused(join([dicomFile([]), deep]), "nested deeper than 64");
    const item = rawHeader(0xfffee000, 0);
    const items = new Uint8Array(8 * 300_000).map((_, i) => item[i % 8] as number);
    await refused(dicomFile(film([0x52009230, "SQ", items])), "more than 250,000");
  });

  it("of fragments is refused, and fragments of no length end", async () => {
    const head = dicomFile(film().filter(([tag]) => tag !== 0x7fe00010), { syntax: syntaxes.jpegLossless });
    await refused(join([head, encapsulated([])]), "no code stream");
    await refused(join([head, encapsulated(Array.from({ length: 1000 }, () => new Uint8Array()))]), "is empty");
  });
});
