// What is looked at before a training begins, each with its sentence.
import { MammolabError } from "../base/mod.ts";
import type { FitOptions } from "./fit.ts";
import type { Numbers } from "./trainer.ts";

const cannot = (what: string) => new MammolabError(`Cannot train: ${what}`);

/** @throws MammolabError for sides that are empty, unlabelled, of one class or smaller than a batch, and for patience without validation */
export function checkSamples({ spec, training, validation, recipe }: FitOptions): void {
  const apart = recipe.loss?.kind === "binary";
  const isShare = (y: number) => y >= 0 && y <= 1;
  const isLabel = (target: readonly number[]) =>
    target.every(isShare) && (apart || Math.abs(target.reduce((a, b) => a + b, 0) - 1) < 1e-3);
  for (const [name, side] of [["training", training], ["validation", validation]] as const) {
    if (!side) continue;
    if (side.ids.length === 0) throw cannot(`the ${name} side is empty; add images`);
    if (side.targets.length !== side.ids.length || side.targets.some((target) => target.length !== spec.classes)) {
      throw cannot(
        `the labels of the ${name} side do not fit ${side.ids.length} images and ${spec.classes} classes; check them`,
      );
    }
    const odd = side.targets.findIndex((target) => !isLabel(target));
    if (odd >= 0) {
      throw cannot(
        `the label of ${side.ids[odd]} is [${side.targets[odd]}]; give shares of the classes from 0 to 1${
          apart ? "" : ", together 1"
        }`,
      );
    }
  }
  const present = Array.from({ length: spec.classes }, (_, c) => training.targets.some((target) => target[c]! > 0));
  if (present.filter(Boolean).length < 2) {
    throw cannot("the training side holds one class only; add images of another class");
  }
  if (recipe.patience !== undefined && !validation) {
    throw cannot("patience waits for a better validation result, and there is no validation side; add one");
  }
  if (recipe.batchSize > training.ids.length) {
    throw cannot(
      `a batch of ${recipe.batchSize} is larger than the ${training.ids.length} training images; make the batch smaller`,
    );
  }
}

/** @throws MammolabError where the recipe says of network or samples what they are not: they are made before, and `fit` takes them as they are */
export function checkFollowed({ recipe: { pool, patches, augmentation = [] }, spec, training }: FitOptions): void {
  const { height, width } = spec.imageSize;
  if (pool !== undefined && pool !== spec.pool) {
    throw cannot(`the recipe has the pool ${pool}, the network ${spec.pool}; change it with adaptModel`);
  }
  if (patches !== undefined && (height !== patches || width !== patches)) {
    throw cannot(
      `the recipe has patches of ${patches} pixels, the network takes ${height} × ${width}; change it with adaptModel, and cut patches with patchSamples`,
    );
  }
  if (augmentation.length > 0 && !training.augmented) {
    throw cannot(
      "the recipe augments, the samples do not; give filmSamples the pipeline, or say augmented: true of samples of your own",
    );
  }
}

/** @throws MammolabError naming what weights lack, have too much of or have in another size */
export function checkWeights(weights: Numbers, shapes: ReadonlyMap<string, readonly number[]>): void {
  const misfit = (what: string) => cannot(`${what}; choose weights of this network`);
  const list = (names: readonly string[]) =>
    `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;
  const missing = [...shapes.keys()].filter((name) => !Object.hasOwn(weights, name));
  if (missing.length > 0) throw misfit(`the weights do not fit: they lack ${list(missing)}`);
  const unknown = Object.keys(weights).filter((name) => !shapes.has(name));
  if (unknown.length > 0) throw misfit(`the weights do not fit: the network has no ${list(unknown)}`);
  for (const [name, shape] of shapes) {
    const [needed, found] = [shape.reduce((a, b) => a * b, 1), weights[name]!.length];
    if (needed !== found) throw misfit(`${name} holds ${found} numbers, ${needed} are needed`);
  }
}
