import { basename, extname, join } from "node:path";
import { createHmac } from "node:crypto";
import { checkFolder, readSalt, sentenceOf, writeFileAtomic } from "../lib/base/mod.ts";
import { peakOf, rollout } from "../lib/explain/mod.ts";
import { type AttentivePrediction, type FilmResult, loadModel, type Model } from "../lib/model/mod.ts";
import type { Mammogram } from "../lib/io/mod.ts";
import { overlay } from "../lib/plot/mod.ts";
import { modelPath } from "./_model.ts";
import { oneOf, table, task, threadsOption, UsageError } from "./_task.ts";

const providers = ["auto", "cpu", "webgpu", "cuda"] as const;

/** The attention over one film: a picture in the film's own pixels, the map as numbers, and its peak; or why not. */
type Overlay =
  | {
    readonly file: string;
    readonly numbers: string;
    readonly peak: { readonly x: number; readonly y: number };
    readonly method: string;
  }
  | { readonly error: string };

type Row =
  & { readonly file: string }
  & (
    | {
      readonly scores: Readonly<Record<string, number>>;
      readonly warnings: readonly string[];
      readonly attention?: Overlay;
    }
    | { readonly error: string }
  );

await task({
  name: "predict",
  summary: "What a model says of each film, and where it looked.",
  usage: "deno task predict FILES",
  example: "deno task predict exams/*.dcm --attention out/attention --json",
  options: {
    model: {
      type: "string",
      value: "NAME",
      help: "a model that comes with mammolab, or a folder with a saved one",
      default: "vit-phantom",
    },
    attention: {
      type: "string",
      value: "DIR",
      help: "also write the attention over each film (PNG in the film's own pixels) and its numbers (JSON) there",
    },
    names: { type: "boolean", help: "call the pictures after the files, which may name a person" },
    provider: { type: "string", value: providers.join("|"), help: "where the network runs", default: "auto" },
    threads: threadsOption,
  },
  positionals: { min: 1, max: Infinity },
  run: async ({ files, options, path, signal, progress, note, failure }) => {
    const { attention, names, threads } = options;
    if (names && attention === undefined) throw new UsageError("--names has no effect without --attention DIR");
    if (attention !== undefined) await checkFolder(path(attention));
    await using model = await loadModel(await modelPath(options.model, path), {
      provider: oneOf("provider", options.provider, providers),
      ...(threads === undefined ? {} : { threads }),
      spinning: true, // one model alone
    });
    if (!model.trained) note(`${model.name} is untrained: its scores and its attention mean nothing yet`);

    const draw = attention === undefined ? undefined : await drawer(path(attention), names, model);
    const results: Row[] = [];
    const start = performance.now();
    try {
      for await (
        const result of model.predictAll(files, {
          attention: draw !== undefined,
          keepFilm: draw !== undefined,
          signal,
          onProgress: progress,
        })
      ) {
        const row = await rowOf(result, draw);
        for (const sentence of failuresOf(row)) failure(sentence);
        results.push(row);
      }
    } catch (error) {
      if (!signal.aborted) throw error; // Ctrl-C: what was finished is kept
    }
    const seconds = (performance.now() - start) / 1000;
    return {
      model: model.name,
      trained: model.trained,
      provider: model.provider,
      ...(model.providerReason === undefined ? {} : { providerReason: model.providerReason }),
      results,
      imagesPerSecond: +(results.filter((row) => "scores" in row).length / seconds).toFixed(3),
      seconds: +seconds.toFixed(3),
    };
  },
  print: ({ model, trained, provider, results, imagesPerSecond }) => {
    const rows = results.map((row) => {
      if ("error" in row) return { file: row.file, result: "failed" };
      const { attention } = row;
      const scores = Object.entries(row.scores).map(([name, score]) => [name, score.toFixed(3)]);
      return {
        file: row.file,
        ...Object.fromEntries(scores),
        ...(attention && "peak" in attention
          ? { "peak x, y": `${Math.round(attention.peak.x)}, ${Math.round(attention.peak.y)}`, picture: attention.file }
          : {}),
      };
    });
    const remarks = results.flatMap((row) =>
      "error" in row ? [row.error] : [
        ...row.warnings.map((warning) => `${row.file}: ${warning}`),
        ...failuresOf(row),
      ]
    );
    return [
      `${model}${trained ? "" : ", untrained"}, on ${provider}${
        imagesPerSecond > 0 ? `, ${imagesPerSecond} films a second` : ""
      }`,
      "",
      table(rows),
      ...(remarks.length > 0 ? ["", ...remarks] : []),
    ].join("\n");
  },
});

type Draw = (film: Mammogram, prediction: AttentivePrediction) => Promise<Overlay>;

async function rowOf(result: FilmResult, draw: Draw | undefined): Promise<Row> {
  if ("error" in result) return { file: result.file, error: sentenceOf(result.error) };
  const { file, film, prediction } = result;
  const { scores, warnings } = prediction;
  if (!draw || !film) return { file, scores, warnings };
  const attention = await draw(film, prediction as AttentivePrediction)
    .catch((error) => ({ error: sentenceOf(error) }));
  return { file, scores, warnings, attention };
}

function failuresOf(row: Row): string[] {
  if ("error" in row) return [row.error];
  return row.attention && "error" in row.attention ? [row.attention.error] : [];
}

/** Writes pictures into a folder. A picture may be passed on: its name does not tell the file's, unless that is wished. */
async function drawer(folder: string, names: boolean, { name: model, trained }: Model): Promise<Draw> {
  const salt = (await readSalt()).bytes;
  const taken = new Set<string>();
  const distinct = (stem: string) => {
    let name = stem;
    for (let k = 2; taken.has(name); k++) name = `${stem}-${k}`;
    taken.add(name);
    return name;
  };
  return async ({ image, laterality, view, source }, { attention }) => {
    const code = createHmac("sha256", salt).update(source.file).digest("hex").slice(0, 10);
    const stem = names
      ? basename(source.file, extname(source.file))
      : ["film", code, laterality, view].filter(Boolean).join("-");
    const relevance = rollout(attention);
    const { data, height, width, toSource, method } = relevance;
    const { x, y } = peakOf(relevance, image);
    const target = join(folder, distinct(stem));
    await writeFileAtomic(`${target}.png`, await overlay({ image }, relevance));
    const film = { height: image.height, width: image.width };
    const numbers = { schemaVersion: 1, model, trained, method, film, peak: { x, y }, height, width, toSource };
    await writeFileAtomic(`${target}.json`, `${JSON.stringify({ ...numbers, values: [...data] })}\n`);
    return { file: `${target}.png`, numbers: `${target}.json`, peak: { x, y }, method };
  };
}
