// The speed table as data: what is compared with what, and the goal. A new row is a new record here.
import type { ImageSide } from "./_image_subject.ts";
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
  readonly measure:
    | "peakMemory"
    | "memoryAfterClose"
    | "firstPrediction"
    | "importWithoutNativeCode"
    | "optimizerShare";
  readonly net: string;
  readonly unit: "MB" | "s" | "%";
  readonly goal: number;
};

/** Peak memory of two processes after a few runs; `ratio` is the peer's ÷ ours: above 1 we need less. */
export type MemoryRow = {
  readonly kind: "memory";
  readonly name: string;
  readonly ours: SideOf;
  readonly peer: SideOf;
  readonly unit: "MB";
  /** The smallest ratio that is good enough. */
  readonly goal: number;
};

/** Work on pixels, ours against another library's or another number of workers. */
export type ImageRow = {
  readonly kind: "images";
  readonly name: string;
  readonly ours: ImageSide;
  readonly peer: ImageSide;
  readonly time: "wall" | "cpu";
  readonly unit: "images/s";
  readonly goal: number;
};

/** The geometric mean of the ratios of rows whose names begin alike. */
export type MeanRow = {
  readonly kind: "mean";
  readonly name: string;
  readonly of: string;
  readonly unit: "ratio";
  readonly goal: number;
};

export type Row = PairRow | LimitRow | MemoryRow | ImageRow | MeanRow;

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

const trainingStep = (net: string) => `Training step, ${words[net]}, batch ${batchOf[net]}`;
const batchOf: Readonly<Record<string, number>> = { [tiny]: 8, [base]: 4 };
const stepOf = (net: string, threads: number): SideOf => ({ runs: "step", net, batch: batchOf[net]!, threads });

/** One thread by processor time, two by the clock: PyTorch's threads wait busily, which is no work. */
const stepAgainstTorch = (net: string, threads: 1 | 2, atMost: number): PairRow => ({
  kind: "pair",
  name: `${trainingStep(net)}: against PyTorch eager, ${
    threads === 1 ? "one thread, processor time" : "two threads, on the clock"
  }`,
  ours: stepOf(net, threads),
  peer: { ...stepOf(net, threads), runs: "torchStep" },
  time: threads === 1 ? "cpu" : "wall",
  unit: "images/s",
  goal: 1 / atMost,
});

const stepShareOfLimit = (net: string, threads: 1 | 2): PairRow => ({
  kind: "pair",
  name: `${trainingStep(net)}: share of R, optimiser included, ${threads === 1 ? "one thread" : "two threads"}`,
  ours: stepOf(net, threads),
  peer: { ...stepOf(net, threads), runs: "products" },
  time: threads === 1 ? "cpu" : "wall",
  unit: "GFLOP/s",
  goal: 0.8,
});

const stepMemory = (net: string, atMost: number): MemoryRow => ({
  kind: "memory",
  name: `${trainingStep(net)}: peak memory of the process against PyTorch's`,
  ours: stepOf(net, 2),
  peer: { ...stepOf(net, 2), runs: "torchStep" },
  unit: "MB",
  goal: 1 / atMost,
});

/** Goals of ratios are written as the largest share of the peer's time or memory. */
const trainingRows: readonly Row[] = [
  stepAgainstTorch(tiny, 1, 0.92),
  stepAgainstTorch(tiny, 2, 0.92),
  stepAgainstTorch(base, 1, 1),
  stepAgainstTorch(base, 2, 1),
  ...[tiny, base].flatMap((net) => [stepShareOfLimit(net, 1), stepShareOfLimit(net, 2)]),
  {
    kind: "pair",
    name: `${trainingStep(tiny)}: the last two blocks against all`,
    ours: { ...stepOf(tiny, 1), lastBlocks: 2 },
    peer: stepOf(tiny, 1),
    time: "cpu",
    unit: "images/s",
    goal: 1 / 0.42,
  },
  {
    kind: "limit",
    name: `${trainingStep(tiny)}: share of the optimiser`,
    measure: "optimizerShare",
    net: tiny,
    unit: "%",
    goal: 3,
  },
  stepMemory(tiny, 0.8),
  stepMemory(base, 1.1),
];

/** One thread each, time on the clock. */
const againstTorchvision = (name: string, work: ImageSide["work"], goal: number, threads = 1): ImageRow => ({
  kind: "images",
  name,
  ours: { runs: "ours", work, threads: 1 },
  peer: { runs: "torchvision", work, threads },
  time: "wall",
  unit: "images/s",
  goal,
});

const nine = "Augmentation of 224 × 224 × 3";
const operations = [
  "noise",
  "rotation",
  "translation",
  "contrast",
  "saturation",
  "color",
  "brightness",
  "scale",
  "crop",
] as const;

const flow = (name: string, ours: Partial<ImageSide>, peer: ImageSide, goal: number): ImageRow => ({
  kind: "images",
  name: `16-bit PNG of 4.3 Mpx → augmented batch of 384 × 192: ${name}`,
  ours: { runs: "ours", work: "flow", threads: 2, ...ours },
  peer,
  time: "wall",
  unit: "images/s",
  goal,
});

export const imageRows: readonly Row[] = [
  againstTorchvision("Resize 4000 × 3000 → 224 × 224, antialiased: against torchvision", "resize", 2),
  againstTorchvision("Resize 4000 × 3000 → 224 × 224, antialiased: against torchvision on two threads", "resize", 1, 2),
  ...operations.map((work) => againstTorchvision(`${nine}: ${work} against torchvision`, work, 0.7)),
  { kind: "mean", name: "Augmentation: geometric mean of the nine", of: nine, unit: "ratio", goal: 1.5 },
  flow("against a DataLoader, two workers each", {}, { runs: "torchvision", work: "flow", threads: 2 }, 1.5),
  flow("in processes against in Workers", {}, { runs: "ours", work: "flow", threads: 2, trusted: true }, 0.8),
  flow("two workers against one", {}, { runs: "ours", work: "flow", threads: 1 }, 1.6),
];

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
  ...trainingRows,
  ...imageRows,
];
