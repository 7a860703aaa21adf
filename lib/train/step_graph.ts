import { gradients, input, nodesOf, type Tensor, toOnnx, trainingForm } from "../graph/mod.ts";
import { buildNet, type NetSpec, type Normalization } from "../nets/mod.ts";
import { lossOf, type LossOptions } from "./losses.ts";

/** What the graphs of a training depend on. Plain JSON. */
export type StepSpec = {
  readonly spec: NetSpec;
  readonly normalization: Normalization;
  readonly inputChannels: number;
  readonly batchSize: number;
  readonly loss: LossOptions;
  /** Stochastic depth (Huang et al. 2016): the last block is skipped with this chance, earlier ones with less. Default 0. */
  readonly dropPath?: number;
  /** Names of the parameters that are trained. */
  readonly trained: readonly string[];
};

/** A step as a graph: images, labels and parameters in, loss and gradients out. */
export type StepGraph = {
  readonly model: Uint8Array<ArrayBuffer>;
  /** Shapes of what is fed besides the parameters: `image`, `targets`, and one mask for each branch that may be dropped. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** Shapes of all parameters, by name. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
};

/** The name under which the gradient of a parameter leaves the graph. */
export const gradientName = (parameter: string): string => `d:${parameter}`;

/** The graph of one training step: `loss`, `logits` and the gradients of what is trained, weights as inputs. */
export function stepGraph(
  { spec, normalization, inputChannels, batchSize, loss, dropPath = 0, trained }: StepSpec,
): StepGraph {
  const net = buildNet(spec, { normalization, inputChannels, batchSize, dropPath, readOnlyWhatTheHeadReads: true });
  const targets = input("targets", [batchSize, spec.classes]);
  const form = trainingForm({ loss: lossOf(net.logits, targets, loss), logits: net.logits });
  const order = nodesOf(Object.values(form));
  const leaves = new Map(order.filter(({ op }) => op === "parameter").map((leaf) => [leaf.name, leaf]));
  const asked = trained.map((name) => leaves.get(name)).filter((leaf): leaf is Tensor => leaf !== undefined);
  const found = gradients(form.loss!, asked);
  const outputs = { ...form, ...Object.fromEntries([...found].map(([leaf, dy]) => [gradientName(leaf.name), dy])) };
  return {
    model: toOnnx(outputs, { weights: "inputs", graphName: "training step" }),
    inputs: new Map(
      order.filter(({ op }) => op === "input").map(({ name, shape }) => [name, shape as readonly number[]]),
    ),
    parameters: net.parameters,
  };
}

/** The graph of a prediction with weights as inputs, for validation during a training. */
export function predictionGraph(
  { spec, normalization, inputChannels, batchSize }: Pick<
    StepSpec,
    "spec" | "normalization" | "inputChannels" | "batchSize"
  >,
): Uint8Array<ArrayBuffer> {
  const net = buildNet(spec, { normalization, inputChannels, batchSize, readOnlyWhatTheHeadReads: true });
  return toOnnx({ logits: net.logits }, { weights: "inputs", graphName: "prediction" });
}
