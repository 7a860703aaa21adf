import { MammolabError } from "../base/mod.ts";
import type { EngineTensor, Session } from "../engine/mod.ts";
import { type Image, type Preparation, prepare } from "../image/mod.ts";
import { loadMammogram, type LoadOptions, type Mammogram } from "../io/mod.ts";
import type { AttentionTap } from "../graph/mod.ts";
import { attentionOf } from "./attention.ts";
import type { AttentivePrediction, Prediction } from "./prediction.ts";

/** What a prediction can be made of: a path, a film, or an image of one channel in 0..1. */
export type Film = string | Mammogram | Image;

/** What is asked of a prediction. */
export type PredictOptions<Attention extends boolean = boolean> = {
  /** Also give every layer's attention; costs a few percent. Default false. */
  readonly attention?: Attention;
  /** How a path is read. */
  readonly load?: LoadOptions;
  /** Aborted before the network runs: reading ends, and the prediction is dropped. */
  readonly signal?: AbortSignal;
};

/** A prediction that holds attention where it was asked for. */
export type PredictionOf<Attention extends boolean> = Attention extends true ? AttentivePrediction : Prediction;

/** A network that is open in an engine, and what must be known to use it. */
export type OpenNetwork = {
  readonly name: string;
  readonly classes: readonly string[];
  readonly scores: "softmax" | "sigmoid";
  readonly preparation: Preparation;
  readonly trained: boolean;
  readonly taps: readonly AttentionTap[];
  readonly session: Session;
};

/** Predicts one film: read, prepare, run, scores from logits. */
export async function predictFilm<Attention extends boolean>(
  network: OpenNetwork,
  film: Film,
  { attention, load, signal }: PredictOptions<Attention>,
): Promise<PredictionOf<Attention>> {
  const { image, mammogram } = await imageOf(film, { ...load, ...(signal ? { signal } : {}) });
  signal?.throwIfAborted();
  const prepared = [prepare(image, network.preparation)];
  const [prediction] = await predictPrepared<Attention>(network, prepared, {
    attention: attention as Attention,
    signal,
  });
  return { ...prediction as PredictionOf<Attention>, warnings: mammogram?.warnings ?? [] };
}

/**
 * Predicts images that are prepared already, all in one run of the network.
 *
 * @param images each `[preparation.resize.height, preparation.resize.width, 1]` in 0..1
 * @throws MammolabError for images of another size, and for a network whose weights are damaged: no score is NaN
 */
export async function predictPrepared<Attention extends boolean>(
  { session, taps, ...network }: OpenNetwork,
  images: readonly Image[],
  { attention, signal }: { readonly attention?: Attention; readonly signal?: AbortSignal | undefined },
): Promise<PredictionOf<Attention>[]> {
  if (images.length === 0) return [];
  const withHead = network.classes.length > 0; // without one the features are the answer
  const { height, width } = network.preparation.resize;
  const pixels = new Float32Array(images.length * height * width);
  images.forEach((image, index) => {
    if (image.height !== height || image.width !== width || image.channels !== 1) {
      throw new MammolabError(
        `Cannot run ${network.name}: the image is ${image.height} × ${image.width} × ${image.channels}, the network takes ${height} × ${width} × 1; prepare it first`,
      );
    }
    pixels.set(image.data, index * height * width);
  });
  const { outputs, provider, reason } = await session.run(
    { image: { data: pixels, shape: [images.length, 1, height, width] } },
    {
      fetch: [...withHead ? ["logits", "features"] : ["logits"], ...attention ? taps.map((tap) => tap.name) : []],
      transfer: true,
      ...(signal ? { signal } : {}),
    },
  );
  const row = ({ data, shape }: EngineTensor, index: number) => {
    const length = shape.at(-1)!;
    return (data as Float32Array).slice(index * length, (index + 1) * length);
  };
  const logits = outputs.logits as EngineTensor;
  if (!(logits.data as Float32Array).every(Number.isFinite)) {
    throw new MammolabError(
      `Cannot predict with ${network.name}: what it says is no number; its weights are damaged; take others`,
    );
  }
  return images.map((prepared, index): Prediction => {
    const ours = row(logits, index);
    const scores = network.scores === "sigmoid" ? [...ours].map(sigmoid) : softmax(ours);
    return {
      scores: Object.fromEntries(network.classes.map((name, i) => [name, scores[i] as number])),
      logits: ours,
      features: withHead ? row(outputs.features as EngineTensor, index) : ours,
      ...(attention
        ? {
          attention: taps.map((tap) =>
            attentionOf(tap, outputs[tap.name] as EngineTensor, { index, batch: images.length, prepared })
          ),
        }
        : {}),
      prepared,
      warnings: [],
      provider,
      ...(reason === undefined ? {} : { providerReason: reason }),
      trained: network.trained,
      model: network.name,
    };
  }) as PredictionOf<Attention>[];
}

/** Reads a path; takes a film or an image as it is. */
export async function imageOf(
  film: Film,
  load?: LoadOptions,
): Promise<{ readonly image: Image; readonly mammogram?: Mammogram }> {
  if (typeof film !== "string" && !("source" in film)) return { image: film };
  const mammogram = typeof film === "string" ? await loadMammogram(film, load) : film;
  return { image: mammogram.image, mammogram };
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

function softmax(logits: Float32Array): number[] {
  const highest = Math.max(...logits);
  const powers = [...logits].map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
