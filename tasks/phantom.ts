import { relative } from "node:path";
import { MammolabError } from "../lib/base/mod.ts";
import {
  type Density,
  type ExamLabel,
  type FilmKind,
  generatePhantoms,
  loadPhantoms,
  type PhantomOptions,
} from "../lib/datasets/mod.ts";
import { table, task } from "./_task.ts";

await task({
  name: "phantom",
  summary: "Synthetic exams of four views as DICOM, with masks of their lesions and tables; not anatomy, not patients.",
  usage: "deno task phantom [--options]",
  example: "deno task phantom --exams 20 --label malignant --mm 0.2",
  options: {
    exams: { type: "number", value: "N", help: "how many exams", default: 4, min: 1, max: 100_000, integer: true },
    seed: {
      type: "number",
      value: "N",
      help: "seed of the first exam, the next has the next",
      default: 1,
      min: 0,
      integer: true,
    },
    out: { type: "string", value: "DIR", help: "folder for exams and tables", default: "out/phantom" },
    mm: { type: "number", value: "MM", help: "millimetres a pixel", default: 0.4, min: 0.1, max: 1 },
    label: { type: "string", value: "WORD", help: "normal, benign or malignant; drawn if left out" },
    density: { type: "string", value: "LETTER", help: "BI-RADS density a, b, c or d; drawn if left out" },
    kind: { type: "string", value: "WORD", help: "digital or film; drawn if left out" },
    contrast: { type: "string", value: "LOW-HIGH", help: "contrast of lesions, 1.4-4.2 if left out" },
    radius: { type: "string", value: "LOW-HIGH", help: "radius of masses in mm, 6-16 if left out" },
    deflated: {
      type: "boolean",
      help: "deflate the DICOM files: a third of the size, but not every program reads them",
    },
    workers: { type: "number", value: "N", help: "how many exams at once", min: 1, max: 64, integer: true },
  },
  run: async ({ options, path, signal, progress, note }) => {
    const { exams, seed, out, deflated, workers } = options;
    const folder = path(out);
    const started = performance.now();
    const seeds = Array.from({ length: exams }, (_, i) => seed + i);
    const left = await earlierExams(folder, seeds);
    if (left > 0) {
      note(`The tables will list this run alone: ${left} exams of an earlier one stay in ${folder} without a row`);
    }
    const records = await generatePhantoms(seeds, {
      ...phantomOptions(options),
      folder,
      syntax: deflated ? "deflated" : "explicit",
      ...(workers === undefined ? {} : { workers }),
      signal,
      onProgress: progress,
    });
    const done = new Set(records.map(({ exam }) => exam)).size;
    if (done < exams) note(`Stopped after ${done} of ${exams} exams; the tables hold these`);
    return {
      folder,
      exams: done,
      images: records.length,
      seed,
      seconds: (performance.now() - started) / 1000,
      records,
    };
  },
  print: ({ folder, exams, images, records }) => {
    const rows = [...Map.groupBy(records, ({ exam }) => exam)].slice(0, 12).map(([exam, films]) => ({
      exam: exam!,
      label: films[0]!.labels.patient!.value,
      density: films[0]!.density!,
      age: films[0]!.age!,
      lesions: films.filter(({ view }) => view === "CC")
        .flatMap(({ laterality, lesions }) => lesions.map(({ kind }) => `${laterality} ${kind}`)).join(", "),
    }));
    const more = exams > rows.length ? `\n… and ${exams - rows.length} more` : "";
    return `${table(rows)}${more}\n\n${exams} exams, ${images} films in ${relative(Deno.cwd(), folder) || "."}`;
  },
});

/** How many exams the tables of a folder list that are not of these seeds. */
async function earlierExams(folder: string, seeds: readonly number[]): Promise<number> {
  const drawn = new Set(seeds);
  const records = await loadPhantoms(folder).catch(() => []); // no table, or a broken one, which is written again
  return new Set(records.map(({ exam }) => Number(exam)).filter((exam) => !drawn.has(exam))).size;
}

type Typed = { mm: number; label?: string; density?: string; kind?: string; contrast?: string; radius?: string };

/** What was typed, as options; words are checked by the generator, which knows them. */
function phantomOptions({ mm, label, density, kind, contrast, radius }: {
  readonly [K in keyof Typed]-?: Typed[K] | undefined;
}): PhantomOptions {
  return {
    mm: mm!,
    ...(label === undefined ? {} : { label: label as ExamLabel }),
    ...(density === undefined ? {} : { density: density as Density }),
    ...(kind === undefined ? {} : { kind: kind as FilmKind }),
    ...(contrast === undefined ? {} : { contrast: range("contrast", contrast) }),
    ...(radius === undefined ? {} : { radius: range("radius", radius) }),
  };
}

function range(name: string, typed: string): [number, number] {
  const [, low, high] = /^([\d.]+)-([\d.]+)$/.exec(typed) ?? [];
  if (!low || !high) {
    throw new MammolabError(
      `Cannot read --${name} ${typed}: it is two numbers with a hyphen between, such as 2-4; write it so`,
    );
  }
  return [Number(low), Number(high)];
}
