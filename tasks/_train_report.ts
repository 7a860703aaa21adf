// The pictures of a training: its curve, and the page round it.
import { join } from "node:path";
import { writeFileAtomic } from "../lib/base/mod.ts";
import type { Preparation } from "../lib/image/mod.ts";
import { chart, type Figure, report } from "../lib/plot/mod.ts";
import type { BalancePlan } from "../lib/prepare/mod.ts";
import type { EpochReport, Recipe } from "../lib/train/mod.ts";
import { countsChart } from "./_prepare_sheet.ts";

/** What a page tells of a training. */
export type TrainingFacts = {
  readonly name: string;
  readonly preparation: Preparation;
  /** What ran it, in words. */
  readonly ranBy: string;
  readonly recipe: Recipe;
  readonly plan: BalancePlan;
  readonly split: Readonly<Record<string, string | number>>;
  readonly history: readonly EpochReport[];
  readonly bestEpoch?: number;
};

/** Writes the curve, once there is an epoch, and the page. */
export async function writePictures(
  folder: string,
  facts: TrainingFacts,
): Promise<{ readonly curve?: string; readonly report: string }> {
  const curve = facts.history.length > 0 ? { curve: join(folder, "curve.png") } : {};
  if (curve.curve !== undefined) await writeFileAtomic(curve.curve, await curveOf(facts.history).toPng());
  const page = join(folder, "report.html");
  await writeFileAtomic(page, await trainingReport(facts));
  return { ...curve, report: page };
}

/** A page without network: the curve, the counts, and everything that made them. */
export async function trainingReport(
  { name, preparation, ranBy, recipe, plan, split, history, bestEpoch }: TrainingFacts,
): Promise<string> {
  const best = bestEpoch === undefined ? [] : [
    `The model holds the numbers of epoch ${
      bestEpoch + 1
    }, the best by validation, which is therefore a flattering figure: ` +
    "judge it with deno task evaluate on the test side.",
  ];
  return await report({
    title: `Training of ${name}`,
    model: { name, trained: true, provider: ranBy, preparation },
    films: [],
    figures: [...history.length > 0 ? [curveOf(history)] : [], countsChart(plan)],
    settings: { "Recipe": recipe, "Split": split, "Epochs": history },
    notes: [
      ...best,
      `Films of a class before and after balancing (${plan.strategy}); validation and test sides stay as they are.`,
    ],
  });
}

/** Losses and the AUC by epoch. */
export function curveOf(history: readonly EpochReport[]): Figure {
  const x = history.map(({ epoch }) => epoch + 1);
  const line = (name: string, y: readonly (number | undefined)[], axis: "y" | "y2") => ({
    type: "scatter" as const,
    mode: "lines+markers" as const,
    name,
    x,
    y: y.map((value) => value ?? null),
    yaxis: axis,
  });
  return chart({
    data: [
      line("training loss", history.map(({ trainingLoss }) => trainingLoss), "y"),
      line("validation loss", history.map(({ validation }) => validation?.loss), "y"),
      line("validation AUC", history.map(({ validation }) => validation?.auc), "y2"),
    ],
    layout: {
      xaxis: { title: { text: "epoch" }, dtick: Math.max(1, Math.ceil(history.length / 10)) },
      yaxis: { title: { text: "loss" }, rangemode: "tozero" },
      yaxis2: {
        title: { text: "AUC" },
        overlaying: "y",
        side: "right",
        range: [0, 1.02],
        dtick: 0.2,
        automargin: true,
        showgrid: false,
      },
      legend: { orientation: "h", x: 0, y: 1.12 },
    },
  }, { text: `Training over ${history.length} epochs: the loss ends at ${history.at(-1)!.trainingLoss.toFixed(3)}` });
}
