import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import type { FileRecord } from "mammolab/io";
import { leftAfter } from "../_outside.ts";

/** What other readers made of a file: written by make_expected.py beside the real data, with its reasons. */
type Expected = {
  readonly verdict: "ok" | "refuse" | "either";
  readonly reason?: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames?: number;
  readonly bits?: number;
  readonly bitsStored?: number;
  readonly signed?: boolean;
  readonly photometric?: string;
  readonly transferSyntax?: string;
  readonly stored: { readonly sha256: string; readonly min: number; readonly max: number; readonly mean: number };
  readonly probes?: readonly (readonly [frame: number, row: number, column: number, value: number])[];
  readonly bound?: { readonly probe: number; readonly mean: number };
  readonly display?: { readonly mean4095: number };
};
type Answer = FileRecord | { readonly file: string; readonly error: string };

const root = new URL("../../", import.meta.url).pathname;
const folder = Deno.env.get("MAMMOLAB_TEST_DATA");
if (!folder) {
  const line = "MAMMOLAB_TEST_DATA is not set: deno task inspect was not held against expected.json\n";
  Deno.stderr.writeSync(new TextEncoder().encode(line));
}

/** All processes that the command starts carry it in their environment. */
const mark = crypto.randomUUID();

async function inspect(...args: string[]): Promise<{ code: number; files: readonly Answer[]; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["task", "-q", "inspect", "--json", ...args],
    cwd: root,
    env: { NO_COLOR: "1", INIT_CWD: root, MAMMOLAB_TEST_MARK: mark },
  }).output();
  return { code, files: JSON.parse(new TextDecoder().decode(stdout)).files, error: new TextDecoder().decode(stderr) };
}

describe("deno task inspect", { ...(folder ? {} : { skip: true }) }, () => {
  if (!folder) return;
  const expected: Record<string, Expected> = JSON.parse(Deno.readTextFileSync(`${folder}/expected.json`));
  const names = Object.keys(expected).filter((name) => !name.startsWith("_"));
  let answers: Promise<Map<string, Answer>> | undefined;
  const answerTo = async (name: string): Promise<Answer> => {
    answers ??= inspect("--quiet", "--probes", ...names.map((one) => `${folder}/${one}`)).then(
      ({ code, files, error }) => {
        assertEquals([code, error], [1, ""]); // some of them are refused
        return new Map(files.map((answer, i) => [names[i] as string, answer]));
      },
    );
    const answer = (await answers).get(name) as Answer;
    assertEquals(answer.file, `${folder}/${name}`);
    return answer;
  };

  for (const name of names) {
    const { verdict, reason, ...wanted } = expected[name] as Expected;
    if (verdict === "ok") it(`reads ${name} as other readers do`, async () => agrees(await answerTo(name), wanted));
    // Told apart by content, a PNG with a wrong name is a PNG; the reason in expected.json allows it.
    else if (verdict === "either" || name === "odd/jpeg_named.dcm") {
      it(`reads ${name} with a warning, or refuses it: ${reason}`, async () => {
        const answer = await answerTo(name);
        if ("error" in answer) isSentence(answer.error, answer.file);
      });
    } else {
      it(`refuses ${name} in a sentence: ${reason}`, async () => {
        const answer = await answerTo(name);
        assert("error" in answer, "it was read");
        isSentence(answer.error, answer.file);
      });
    }
  }

  it("leaves no decoding process behind", async () => {
    await answerTo(names[0] as string);
    assertEquals(await leftAfter(mark, 2_000), []);
  });
});

describe("deno task inspect, by hand", () => {
  it("goes on after a file that cannot be read, names it in a sentence and ends with exit code 1", async () => {
    const film = "tests/fixtures/rollout/missing.png";
    const { code, files, error } = await inspect(film, "README.md", "tests/*.none");
    assertEquals(code, 1);
    assertEquals(files.map((answer) => "error" in answer ? answer.error : ""), [
      `Cannot read ${root}${film}: there is no such file; check the path`,
      `Cannot read ${root}README.md: it is text, not a picture; choose a DICOM, PNG, PGM or JPEG file`,
      `Cannot read ${root}tests/*.none: no file matches this pattern; check the folder`,
    ]);
    assertEquals(error.trim().split("\n").length, 3);
  });
});

function agrees(answer: Answer, wanted: Omit<Expected, "verdict" | "reason">): void {
  assert(!("error" in answer), (answer as { error?: string }).error);
  assertEquals([answer.rows, answer.columns, answer.frames], [wanted.rows, wanted.columns, wanted.frames ?? 1]);
  const bits = wanted.bitsStored ?? wanted.bits;
  if (bits !== undefined) assertEquals(answer.bitsStored, bits);
  if (wanted.signed !== undefined) assertEquals(answer.signed, wanted.signed);
  if (wanted.photometric !== undefined) assertEquals(answer.photometric, wanted.photometric);
  if (wanted.transferSyntax !== undefined) assertEquals(answer.transferSyntax, wanted.transferSyntax);

  const { stored, display } = answer;
  const bound = wanted.bound ?? { probe: 0, mean: 1e-5 };
  assertAlmostEquals(stored.mean, wanted.stored.mean, Math.max(bound.mean, 1e-5));
  if (bound.probe === 0) {
    assertEquals([stored.min, stored.max, stored.sha256], [wanted.stored.min, wanted.stored.max, wanted.stored.sha256]);
  }
  for (const [i, [frame, row, column, value]] of (wanted.probes ?? []).entries()) {
    const [f, r, c, seen] = stored.probes?.[i] ?? [];
    assertEquals([f, r, c], [frame, row, column]);
    assertLessOrEqual(
      Math.abs((seen as number) - value),
      bound.probe,
      `row ${row}, column ${column} of frame ${frame}`,
    );
  }
  if (wanted.display) assertAlmostEquals(display.mean * 4095, wanted.display.mean4095, 0.5);
}

function isSentence(text: string, file: string): void {
  assert(text.startsWith(`Cannot read ${file}: `), text);
  assert(/^[^\n]+; [^\n]+[^.\s]$/.test(text), `names what to do: ${text}`);
  const reason = text.slice(file.length);
  assert(!/\bat \w+ \(|Error:|undefined|NaN/.test(reason), `no stack, no inner words: ${text}`);
}
