// deno task demo: from four film files to a report, with what is in the repository.
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../lib/base/mod.ts";
import { generatePhantoms, loadExam, loadPhantoms, type StandardView } from "../lib/datasets/mod.ts";
import { peakOf, type Relevance, rollout } from "../lib/explain/mod.ts";
import type { Region } from "../lib/image/mod.ts";
import { loadModel } from "../lib/model/mod.ts";
import { attention, exam as examFigure, overlay, report, type ReportFilm } from "../lib/plot/mod.ts";
import { table, task, UsageError } from "./_task.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The exam that comes with the project. */
const committed = { folder: join(root, "data/phantom"), id: "0007" };

const views: readonly (readonly [StandardView, string])[] = [
  ["rightCc", "R-CC"],
  ["leftCc", "L-CC"],
  ["rightMlo", "R-MLO"],
  ["leftMlo", "L-MLO"],
];

await task({
  name: "demo",
  summary: "From four films to a report: a phantom exam, what the model says of it, and where it looked.",
  usage: "deno task demo",
  example: "deno task demo --new --seed 12",
  options: {
    new: { type: "boolean", help: "draw a new phantom exam instead of the one that comes with the project" },
    seed: { type: "number", value: "N", help: "seed of the new exam (default: drawn)", min: 0, integer: true },
  },
  run: async ({ options, signal, progress }) => {
    if (options.seed !== undefined && !options.new) throw new UsageError("--seed has no effect without --new");
    const start = performance.now();
    const out = join(root, "out/demo");
    const { folder, id } = options.new ? await drawExam(out, options.seed, signal) : committed;
    const exam = await loadExam(join(folder, id), { signal });
    const lesions = await lesionsOf(folder, id);
    await using model = await loadModel("vit-phantom", { spinning: true });
    const note = `${model.name}${model.trained ? "" : ", untrained"}`;

    const rows: { view: string; scores: Record<string, number>; peak: { x: number; y: number }; overlay: string }[] =
      [];
    const films: ReportFilm[] = [];
    const relevance: { [view in StandardView]?: Relevance } = {};
    const outlines: { [view in StandardView]?: readonly Region[] } = {};
    for (const [name, view] of views) {
      signal.throwIfAborted();
      const film = exam.views[name];
      if (!film) continue;
      const { scores, attention: layers } = await model.predict(film, { attention: true });
      const map = relevance[name] = rollout(layers);
      const marks = outlines[name] = lesions.get(view) ?? [];
      const { x, y } = peakOf(map, film.image);
      const file = join(out, `${view}.png`);
      await writeFileAtomic(file, await overlay(film, map, { outlines: marks }));
      const peak = { x: Math.round(x), y: Math.round(y) };
      rows.push({ view, scores, peak, overlay: file });
      const warnings = film.warnings;
      const facts = { peak: `x ${peak.x}, y ${peak.y}`, "lesions drawn": marks.length };
      const figure = attention(film, map, { outlines: marks, note });
      films.push({ id: view.replace("-", " "), scores, facts, figure, warnings });
      progress({ done: rows.length, total: 4, unit: "views" });
    }
    const overview = examFigure(exam, { title: `Phantom ${id}: where the network looked`, relevance, outlines, note });
    await writeFileAtomic(join(out, "exam.png"), await overview.toPng());
    const page = await report({
      title: `Phantom exam ${id}`,
      model: { name: model.name, trained: model.trained, provider: model.provider, preparation: model.preparation },
      films,
      interactive: true,
      notes: [
        "The films are synthetic. Outlined in cyan: the lesions that were drawn into them.",
        "Color: attention rollout over all layers (Abnar & Zuidema 2020); each map has its own scale.",
      ],
    });
    await writeFileAtomic(join(out, "report.html"), page);
    return {
      report: join(out, "report.html"),
      picture: join(out, "exam.png"),
      exam: id,
      views: rows,
      model: model.name,
      trained: model.trained,
      provider: model.provider,
      seconds: Number(((performance.now() - start) / 1000).toFixed(1)),
    };
  },
  print: ({ views, report, picture, model, trained, provider, seconds }) => {
    const rows = views.map(({ view, scores, peak }) => ({
      view,
      ...Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score.toFixed(3)])),
      peak: `x ${peak.x}, y ${peak.y}`,
    }));
    const here = (file: string) => relative(Deno.cwd(), file);
    const warning = trained ? "" : `\n${model} is untrained: scores and maps show that the line works, nothing more\n`;
    return `${table(rows)}\n${warning}\n${model} on ${provider}, ${seconds} s\npicture  ${here(picture)}\nreport   ${
      here(report)
    }`;
  },
});

async function drawExam(out: string, seed: number | undefined, signal: AbortSignal) {
  const chosen = seed ?? crypto.getRandomValues(new Uint16Array(1))[0]!;
  const folder = join(out, "phantom");
  const [record] = await generatePhantoms([chosen], { folder, label: "malignant", signal });
  return { folder, id: record!.exam! };
}

/** Where the phantoms' lesions were drawn, by side and view. */
async function lesionsOf(folder: string, id: string): Promise<ReadonlyMap<string, readonly Region[]>> {
  const records = (await loadPhantoms(folder)).filter(({ exam }) => exam === id);
  return new Map(records.map(({ laterality, view, lesions }) => [
    `${laterality}-${view}`,
    lesions.flatMap(({ region }) => region ? [region] : []),
  ]));
}
