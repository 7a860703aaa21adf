// The speed table as data: what is compared with what, and the goal. A new row is a new record here.
import type { Subject } from "./_subject.ts";

/** A side of a comparison, without the folder of its weights. */
export type SideOf = Omit<Subject, "folder">;

/** Two sides measured in turns; `ratio` is our speed ÷ the peer's. */
export type PairRow = {
  readonly kind: "pair";
  readonly name: string;
  readonly ours: SideOf;
  readonly peer: SideOf;
  /** `wall`: time on the clock. `cpu`: seconds of processor time, which neighbours disturb less. */
  readonly time: "wall" | "cpu";
  readonly unit: "images/s" | "GFLOP/s";
  /** The smallest ratio that is good enough. */
  readonly goal: number;
};

/** One number that must not exceed its goal. */
export type LimitRow = {
  readonly kind: "limit";
  readonly name: string;
  readonly measure: "peakMemory" | "memoryAfterClose" | "firstPrediction" | "importWithoutNativeCode";
  readonly net: string;
  readonly unit: "MB" | "s";
  readonly goal: number;
};

export type Row = PairRow | LimitRow;

const [tiny, base] = ["vit_tiny_patch16_224", "vit_base_patch16_224"];
const words: Readonly<Record<string, string>> = { [tiny]: "ViT-Tiny", [base]: "ViT-Base" };

const predictAgainstBare = (net: string, batch: number): PairRow => ({
  kind: "pair",
  name: `${words[net]}, batch ${batch}: predict against a bare session on the same graph`,
  ours: { runs: "predict", net, batch, threads: 2 },
  peer: { runs: "bare", net, batch, threads: 2 },
  time: "wall",
  unit: "images/s",
  goal: 0.95,
});

const shareOfLimit = (net: string, batch: number): PairRow => ({
  kind: "pair",
  name: `${words[net]}, batch ${batch}: share of R, the engine's own rate of matrix products`,
  ours: { runs: "predict", net, batch, threads: 2 },
  peer: { runs: "products", net, batch, threads: 2 },
  time: "wall",
  unit: "GFLOP/s",
  goal: batch === 1 ? 0.7 : 0.75,
});

const againstTorch = (net: string, batch: number, goal: number): PairRow => ({
  kind: "pair",
  name: `${words[net]}, batch ${batch}: against PyTorch eager, one thread, processor time`,
  ours: { runs: "predict", net, batch, threads: 1 },
  peer: { runs: "torch", net, batch, threads: 1 },
  time: "cpu",
  unit: "images/s",
  goal,
});

const costOfAttention = (net: string): PairRow => ({
  kind: "pair",
  name: `${words[net]}, batch 1: with every layer's attention against without`,
  ours: { runs: "predict", net, batch: 1, threads: 2, attention: true },
  peer: { runs: "predict", net, batch: 1, threads: 2 },
  time: "wall",
  unit: "images/s",
  goal: 0.95,
});

const limit = (name: string, measure: LimitRow["measure"], unit: LimitRow["unit"], goal: number): LimitRow => ({
  kind: "limit",
  name,
  measure,
  net: base,
  unit,
  goal,
});

export const rows: readonly Row[] = [
  predictAgainstBare(tiny, 8),
  predictAgainstBare(tiny, 1),
  shareOfLimit(tiny, 8),
  shareOfLimit(tiny, 1),
  shareOfLimit(base, 8),
  shareOfLimit(base, 1),
  againstTorch(base, 1, 1.05),
  againstTorch(tiny, 1, 1.25),
  againstTorch(base, 8, 0.95),
  againstTorch(tiny, 8, 1.05),
  costOfAttention(base),
  costOfAttention(tiny),
  limit("ViT-Base, batch 1: peak memory of the process", "peakMemory", "MB", 550),
  limit("ViT-Base: memory of the process after the model is closed", "memoryAfterClose", "MB", 150),
  limit("ViT-Base: start of a fresh process to its first prediction", "firstPrediction", "s", 1.5),
  limit('import "mammolab" without the right to load native code', "importWithoutNativeCode", "s", 1),
];
