import { add, gradients, input, nodesOf, scale, type Tensor, toOnnx, trainingForm } from "../graph/mod.ts";
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
  /** Dropout after the embedding and after each branch: the chance of a zero. Default 0. */
  readonly dropout?: number;
  /** Attention maps are computed again in the backward part in place of being kept: less memory, a little more time. */
  readonly recomputeAttention?: boolean;
  /** Names of the parameters that are trained. */
  readonly trained: readonly string[];
};

/** A step as a graph: images, labels and parameters in, loss and gradients out. */
export type StepGraph = {
  readonly model: Uint8Array<ArrayBuffer>;
  /** Shapes of what is fed besides the parameters: `image`, `targets`, and the masks of `dropPath` and `dropout`. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** Shapes of all parameters, by name. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
};

/** The name under which the gradient of a parameter leaves the graph. */
export const gradientName = (parameter: string): string => `d:${parameter}`;

/** The name of the input that a gradient is added to, where a batch goes through the graph in parts. */
export const gradientSoFar = (parameter: string): string => `d:${parameter}:so far`;

/** A step before it is written as a graph: what any engine needs to know. */
export type StepExpression = Omit<StepGraph, "model"> & {
  /** A single number. */
  readonly loss: Tensor;
  /** `[batch, classes]` */
  readonly logits: Tensor;
};

/** The loss of one batch as an expression of images, labels and parameters. */
export function stepExpression(
  { spec, normalization, inputChannels, batchSize, loss, dropPath = 0, dropout = 0 }: Omit<StepSpec, "trained">,
): StepExpression {
  const net = buildNet(spec, {
    normalization,
    inputChannels,
    batchSize,
    dropPath,
    dropout,
    readOnlyWhatTheHeadReads: true,
  });
  const outputs = { loss: lossOf(net.logits, input("targets", [batchSize, spec.classes]), loss), logits: net.logits };
  const inputs = nodesOf(Object.values(outputs)).filter(({ op }) => op === "input");
  return {
    ...outputs,
    inputs: new Map(inputs.map(({ name, shape }) => [name, shape as readonly number[]])),
    parameters: net.parameters,
  };
}

/**
 * The graph of one training step: `loss`, `logits` and the gradients of what is trained, weights as inputs.
 *
 * @param parts into how many equal parts the batch is cut: the graph is then run once for each, its loss is the part's
 * share of the mean, and its gradients are added to the inputs of {@linkcode gradientSoFar}
 */
export function stepGraph(step: StepSpec, parts = 1): StepGraph {
  const { inputs, parameters } = stepExpression({ ...step, batchSize: step.batchSize / parts });
  const model = toOnnx(stepTensors(step, parts), { weights: "inputs", graphName: "training step" });
  return { model, inputs, parameters };
}

/** What a step gives, by name, in the form that trains fastest. */
export function stepTensors(step: StepSpec, parts = 1): Readonly<Record<string, Tensor>> {
  const { loss, logits } = stepExpression({ ...step, batchSize: step.batchSize / parts });
  const recompute = step.recomputeAttention ? "attention" : parts > 1 ? "nothing" : "activations";
  const form = trainingForm({ loss: scale(loss, 1 / parts), logits }, { recompute });
  const found = gradients(form.loss!, parametersOf(Object.values(form), step.trained));
  const whole = ([{ name }, dy]: readonly [Tensor, Tensor]) =>
    parts === 1 ? dy : add(input(gradientSoFar(name), dy.shape), dy);
  return { ...form, ...Object.fromEntries([...found].map((one) => [gradientName(one[0].name), whole(one)])) };
}

/** Those of the named parameters that some tensors depend on. */
export function parametersOf(tensors: readonly Tensor[], names: readonly string[]): readonly Tensor[] {
  const leaves = new Map(nodesOf(tensors).filter(({ op }) => op === "parameter").map((leaf) => [leaf.name, leaf]));
  return names.map((name) => leaves.get(name)).filter((leaf): leaf is Tensor => leaf !== undefined);
}

/** The logits of a batch as an expression of images and parameters, for validation during a training. */
export function predictionExpression(
  { spec, normalization, inputChannels, batchSize }: Parameters<typeof predictionGraph>[0],
): Tensor {
  return buildNet(spec, { normalization, inputChannels, batchSize, readOnlyWhatTheHeadReads: true }).logits;
}

/** The graph of a prediction with weights as inputs. */
export function predictionGraph(
  step: Pick<StepSpec, "spec" | "normalization" | "inputChannels" | "batchSize">,
): Uint8Array<ArrayBuffer> {
  return toOnnx({ logits: predictionExpression(step) }, { weights: "inputs", graphName: "prediction" });
}
