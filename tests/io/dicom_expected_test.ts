import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { cpuSeconds } from "./_cpu.ts";
import { dicomStatistics, readDicom } from "../../lib/io/dicom/mod.ts";

/** What another reader made of a file: written by fixtures/dicom/make.py, and by the script beside the real data. */
type Expected = {
  readonly format: string;
  readonly verdict: "ok" | "refuse" | "either";
  readonly reason?: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly stored: { readonly sha256: string; readonly min: number; readonly max: number; readonly mean: number };
  readonly probes?: readonly (readonly [frame: number, row: number, column: number, value: number])[];
  readonly lossy?: boolean;
  readonly bound?: { readonly probe: number; readonly mean: number };
  readonly display: {
    readonly mean4095: number;
    readonly voi?: string;
    readonly center?: number;
    readonly width?: number;
  };
  readonly alternatives?: { readonly [name in "window" | "lut" | "linear"]?: { readonly mean4095: number } };
};

const layout = [
  ...["rows", "columns", "frames", "bitsAllocated", "bitsStored", "highBit", "signed", "photometric"],
  ...["transferSyntax", "trueSyntax"],
] as const;

const fixtures = new URL("../fixtures/dicom/", import.meta.url);
describe("dicomStatistics(), on pictures that were computed", () => filesOf(fixtures, (name) => name.endsWith(".dcm")));

const testData = Deno.env.get("MAMMOLAB_TEST_DATA");
describe("dicomStatistics(), on real and hostile files", { ...(testData ? {} : { skip: true }) }, () => {
  if (!testData) return;
  const isDicom = (name: string, { format }: Expected) =>
    format === "dicom" && name !== "odd/directory.dcm" && (name.startsWith("dicom/") || name.endsWith(".dcm"));
  filesOf(new URL(`file://${testData.replace(/\/?$/, "/")}`), isDicom);
});
if (!testData) {
  const line = "MAMMOLAB_TEST_DATA is not set: the real DICOM files and the hostile ones were skipped\n";
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

function filesOf(folder: URL, wanted: (name: string, expected: Expected) => boolean): void {
  const all: Record<string, Expected> = JSON.parse(Deno.readTextFileSync(new URL("expected.json", folder)));
  for (const [name, expected] of Object.entries(all)) {
    if (name.startsWith("_") || !wanted(name, expected)) continue;
    if (expected.verdict === "ok") {
      it(`reads ${name} as its oracle does`, () => agrees(new URL(name, folder), expected));
    } else {it(`${expected.verdict === "refuse" ? "refuses" : "reads or refuses"} ${name}: ${expected.reason}`, () =>
        refuses(new URL(name, folder), expected.verdict === "either"));}
  }
}

async function agrees(file: URL, expected: Expected): Promise<void> {
  const bytes = await Deno.readFile(file);
  const { header, stored, display } = await dicomStatistics(bytes);
  const of = (record: object) => layout.map((key) => [key, (record as Record<string, unknown>)[key]]);
  assertEquals(of(header), of(expected));

  const { probe = 0, mean = 0 } = expected.bound ?? {};
  assertAlmostEquals(stored.min, expected.stored.min, probe);
  assertAlmostEquals(stored.max, expected.stored.max, probe);
  assertAlmostEquals(stored.mean, expected.stored.mean, mean || 1e-5);
  if (probe === 0) assertEquals(stored.sha256, expected.stored.sha256);
  else await probesAgree(bytes, expected, probe);
  assertAlmostEquals(display.mean * 4095, expected.display.mean4095, 0.5);
  await alternativesAgree(bytes, expected);
}

async function probesAgree(bytes: Uint8Array, { probes = [], columns }: Expected, bound: number): Promise<void> {
  for (const frame of new Set(probes.map(([frame]) => frame))) {
    const { stored } = await readDicom(bytes, { frame });
    for (const [, row, column, value] of probes.filter((each) => each[0] === frame)) {
      assertAlmostEquals(stored.data[row * columns + column] as number, value, bound);
    }
  }
}

/** The other display settings of a file of one frame, chosen by the caller. */
async function alternativesAgree(bytes: Uint8Array, { alternatives = {}, display, frames }: Expected): Promise<void> {
  if (frames > 1) return;
  const { center, width } = display;
  const choices = {
    window: 1,
    lut: "lut",
    ...(center !== undefined && width !== undefined ? { linear: { center, width } } : {}),
  } as const;
  for (const name of Object.keys(alternatives) as (keyof typeof choices)[]) {
    const voi = choices[name];
    if (voi === undefined) continue; // the first window as LINEAR, where the expectation does not repeat its numbers
    const shown = await readDicom(bytes, { voi });
    const mean = shown.display.reduce((sum, value) => sum + value, 0) / shown.display.length;
    assertAlmostEquals(mean * 4095, alternatives[name]?.mean4095 as number, 0.5, `${name}: ${mean * 4095}`);
  }
}

async function refuses(file: URL, mayRead: boolean): Promise<void> {
  const bytes = await Deno.readFile(file);
  const start = cpuSeconds();
  const read = () => dicomStatistics(bytes, { file: "it.dcm" });
  if (mayRead) {
    const result = await read().catch((error) => error);
    if (!(result instanceof Error)) return;
  }
  const error = await assertRejects(read, MammolabError);
  assert(/^Cannot read it\.dcm: [^\n]+; [^\n]+[^.\n]$/.test(error.message), error.message);
  assertLess(cpuSeconds() - start, 2);
}
