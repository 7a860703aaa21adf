// Trainings of five steps that use all that a step can do, on any engine.
import { buildNet, type NetSpec } from "mammolab/nets";
import { fit, type FitEvent, openTrainer, type TrainerSetup, type TrainingEngine } from "mammolab/train";
import { initialize } from "mammolab/weights";
import { smallFit } from "./_fit_case.ts";

type Variant = {
  readonly spec?: Partial<NetSpec>;
  readonly setup: Partial<TrainerSetup>;
  readonly batches: number;
  /** Default 3e-3. */
  readonly learningRate?: number;
  readonly clip?: number;
  readonly average?: number;
  /** Names that are trained; default all. */
  readonly trained?: RegExp;
};

export const variants: Readonly<Record<string, Variant>> = {
  "cross-entropy, AdamW": { setup: {}, batches: 1 },
  "focal loss of the last block, dropped branches, two batches a step, clipped and averaged": {
    setup: { loss: { kind: "focal", gamma: 1.5, classWeights: [1, 2] }, dropPath: 0.5, layerDecay: 0.8 },
    batches: 2,
    clip: 0.5,
    average: 0.25,
    trained: /^(blocks\.1|norm|head)/,
  },
  "binary loss, SGD": {
    setup: { loss: { kind: "binary" }, optimizer: { kind: "sgd", weightDecay: 0.01 } },
    batches: 1,
    learningRate: 0.1,
  },
  "a stem of convolutions, its largest values": {
    spec: { stem: [4, 6], pool: "max" },
    setup: {},
    batches: 1,
  },
};

/** What one training gave. */
export type Run = {
  readonly ranBy: string;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  /** Logits of three images in batches of two, averaged numbers where there are any. */
  readonly logits: readonly number[];
  /** All numbers in the end. */
  readonly values: Readonly<Record<string, readonly number[]>>;
};

export async function fiveSteps(engine: TrainingEngine, variant: Variant): Promise<Run> {
  const { normalization, training, ...rest } = smallFit();
  const spec = { ...rest.spec, ...variant.spec };
  const { parameters } = buildNet(spec, { normalization });
  const weights = variant.spec ? Object.fromEntries(initialize(parameters, { seed: 1 })) : rest.weights;
  const [batchSize, trained] = [2, variant.trained ?? /./];
  await using trainer = await openTrainer({
    spec,
    normalization,
    inputChannels: 1,
    batchSize,
    loss: { kind: "crossEntropy" },
    trained: Object.keys(weights).filter((name) => trained.test(name)),
    optimizer: { kind: "adamw", weightDecay: 0.05 },
    layerDecay: 1,
    engine,
    provider: "cpu",
    values: weights,
    ...variant.setup,
  });
  const pixels = async (items: readonly number[]) => {
    const parts = await Promise.all(items.map((item) => training.image(item, 0)));
    return Float32Array.from(parts.flatMap((part) => [...part]));
  };
  const [losses, norms]: [number[], number[]] = [[], []];
  for (let step = 1; step <= 5; step++) {
    const batches = await Promise.all(Array.from({ length: variant.batches }, async (_, k) => {
      const items = [0, 1].map((i) => ((step * variant.batches + k) * 2 + i) % training.ids.length);
      const masks = [...trainer.inputs.keys()].filter((name) => name.startsWith("dropPath"));
      return {
        image: await pixels(items),
        targets: Float32Array.from(items.flatMap((item) => training.targets[item]!)),
        ...Object.fromEntries(masks.map((name, i) => [name, Float32Array.of((step + k + i) % 2 * 2, 1)])),
      };
    }));
    const { clip, average, learningRate = 3e-3 } = variant;
    const report = await trainer.step({
      batches,
      learningRate,
      step,
      ...(clip === undefined ? {} : { clip }),
      ...(average === undefined ? {} : { average }),
    });
    losses.push(report.loss);
    norms.push(report.gradientNorm);
  }
  const logits = await trainer.predict(await pixels([0, 1, 2]), { averaged: variant.average !== undefined });
  const { values } = await trainer.read();
  return {
    ranBy: trainer.ranBy,
    losses,
    norms,
    logits: [...logits],
    values: Object.fromEntries(Object.entries(values).map(([name, own]) => [name, [...own]])),
  };
}

/** Losses of the steps of a whole `fit`, and of its validation. */
export async function fitted(engine: TrainingEngine): Promise<readonly number[]> {
  const events: FitEvent[] = [];
  for await (const event of fit({ ...smallFit({ epochs: 1 }, 8), engine })) events.push(event);
  return events.flatMap((event) =>
    event.kind === "step" ? [event.loss] : event.kind === "epoch" ? [event.report.validation!.loss] : []
  );
}
