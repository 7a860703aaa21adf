// The second engine of a training: the same expression, run and differentiated by TensorFlow.js.
import { MammolabError, sentenceOf } from "../base/mod.ts";
import { openTfjs } from "../engine/mod.ts";
import { evaluateTfjs, type Tensor, type TfjsTensor } from "../graph/mod.ts";
import type { StepEngine } from "./_step_engine.ts";
import type { StepSetup } from "./_step_worker.ts";
import { type FlatParameters, sliceOf } from "./flat_parameters.ts";
import { parametersOf, predictionExpression, stepExpression } from "./step_graph.ts";

/**
 * TensorFlow.js, whichever build of it works here. The gradients are its own: nothing of `gradients` is used.
 *
 * @throws MammolabError when no build works, or a provider is asked for: the build decides where it runs
 */
export async function tfjsEngine(setup: StepSetup, parameters: FlatParameters): Promise<StepEngine> {
  if (setup.provider !== "cpu") {
    throw new MammolabError(
      `Cannot train with TensorFlow.js on ${setup.provider}: its build decides where it runs; leave the provider out`,
    );
  }
  const { tf, package: name } = await openTfjs();
  const { loss, logits, inputs } = stepExpression(setup);
  const prediction = predictionExpression(setup);
  const trained = parametersOf([loss], setup.trained);
  const all = [...parameters.slices.keys()];

  const tensorOf = (numbers: Float32Array<ArrayBuffer>, { name }: Tensor): TfjsTensor => {
    const slice = parameters.slices.get(name)!;
    return tf.tensor(sliceOf(numbers, slice), slice.shape, "float32");
  };
  const feedsOf = (numbers: Float32Array<ArrayBuffer>, leaves: readonly Tensor[]) =>
    Object.fromEntries(leaves.map((leaf) => [leaf.name, tensorOf(numbers, leaf)]));
  const frozen = parametersOf([loss, logits], all).filter((leaf) => !trained.includes(leaf));

  return {
    ranBy: `${name} on ${tf.getBackend()}`,
    run: (batch) =>
      attempted(() =>
        tf.tidy(() => {
          const fixed = {
            ...feedsOf(parameters.values, frozen),
            ...Object.fromEntries([...inputs].map(([key, shape]) => [key, tf.tensor(batch[key]!, shape, "float32")])),
          };
          let found: TfjsTensor | undefined;
          const lossFrom = (...own: readonly TfjsTensor[]) => {
            const feeds = { ...fixed, ...Object.fromEntries(trained.map(({ name }, i) => [name, own[i]!])) };
            const values = evaluateTfjs(tf, { loss, logits }, feeds);
            found = tf.keep(values.logits); // it would be freed with what is between
            return values.loss;
          };
          const leaves = trained.map((leaf) => tensorOf(parameters.values, leaf));
          const { value, grads } = tf.valueAndGrads(lossFrom)(leaves);
          trained.forEach(({ name }, i) =>
            sliceOf(parameters.gradients, parameters.slices.get(name)!).set(grads[i]!.dataSync())
          );
          const result = { loss: value.dataSync()[0]!, logits: Float32Array.from(found!.dataSync()) };
          found!.dispose();
          return result;
        })
      ),
    close: () => Promise.resolve(), // its memory is the Worker's
    predict: (numbers, images) =>
      attempted(() =>
        tf.tidy(() => {
          const shape = inputs.get("image")!;
          const feeds = {
            ...feedsOf(numbers, parametersOf([prediction], all)),
            image: tf.tensor(images, shape, "float32"),
          };
          return Float32Array.from(evaluateTfjs(tf, { prediction }, feeds).prediction.dataSync());
        })
      ),
  };
}

// deno-lint-ignore require-await -- what is thrown becomes a rejection
async function attempted<R>(f: () => R): Promise<R> {
  try {
    return f();
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    throw new MammolabError(`Cannot train with TensorFlow.js: it says "${sentenceOf(cause)}"; use the engine onnx`, {
      cause,
    });
  }
}
