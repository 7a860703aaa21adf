import { MammolabError, type Random, seededRandom } from "../base/mod.ts";
import type { Image } from "../image/mod.ts";
import { allFinite } from "./augment/_kernel.ts";
import * as a from "./augment/mod.ts";

/** What each augmentation is drawn from. */
export type AugmentationOptions = {
  readonly brightness: a.FactorOptions;
  readonly contrast: a.FactorOptions;
  readonly gamma: a.GammaOptions;
  readonly saturation: a.FactorOptions;
  readonly color: a.ColorOptions;
  readonly noise: a.NoiseOptions;
  readonly blur: a.BlurOptions;
  readonly sharpness: a.FactorOptions;
  readonly rotation: a.RotationOptions;
  readonly translation: a.TranslationOptions;
  readonly scale: a.ScaleOptions;
  readonly shear: a.ShearOptions;
  readonly affine: a.AffineOptions;
  readonly crop: a.ResizedCropOptions;
  readonly flip: a.FlipOptions;
  readonly elastic: a.ElasticOptions;
  readonly clahe: a.EqualizeOptions;
  readonly cutout: a.CutoutOptions;
};

/** Names of the augmentations of one image. */
export type AugmentationName = keyof AugmentationOptions;

/** What the named augmentation is drawn from. */
export type OptionsOf<N extends AugmentationName> = AugmentationOptions[N];

/** What is drawn, and what is done with it; both by name, so that a plan is plain JSON. */
type Augmentation<Options> = {
  readonly sample: (options: Options, random: Random) => unknown;
  // deno-lint-ignore no-explicit-any -- what its own sample has drawn
  readonly apply: (image: Image, parameters: any, into?: Float32Array) => Image;
};

const augmentations: { readonly [N in AugmentationName]: Augmentation<OptionsOf<N>> } = {
  brightness: { sample: a.sampleBrightness, apply: a.brightness },
  contrast: { sample: a.sampleContrast, apply: a.contrast },
  gamma: { sample: a.sampleGamma, apply: a.gamma },
  saturation: { sample: a.sampleSaturation, apply: a.saturation },
  color: { sample: a.sampleColor, apply: a.color },
  noise: { sample: a.sampleNoise, apply: a.noise },
  blur: { sample: a.sampleBlur, apply: a.blur },
  sharpness: { sample: a.sampleSharpness, apply: a.sharpness },
  rotation: { sample: a.sampleRotation, apply: a.rotation },
  translation: { sample: a.sampleTranslation, apply: a.translation },
  scale: { sample: a.sampleScale, apply: a.scale },
  shear: { sample: a.sampleShear, apply: a.shear },
  affine: { sample: a.sampleAffine, apply: a.affine },
  crop: { sample: a.sampleResizedCrop, apply: a.resizedCrop },
  flip: { sample: a.sampleFlip, apply: a.flip },
  elastic: { sample: a.sampleElastic, apply: a.elastic },
  clahe: { sample: a.sampleEqualize, apply: a.equalize },
  cutout: { sample: a.sampleCutout, apply: a.cutout },
};

/** All names, in the order of the documentation. */
export const augmentationNames: readonly AugmentationName[] = Object.keys(augmentations) as AugmentationName[];

/** One augmentation with its options, or a choice of several; done with the given probability (default 1). */
export type Step =
  | {
    readonly [N in AugmentationName]: {
      readonly name: N;
      readonly options: OptionsOf<N>;
      readonly probability?: number;
    };
  }[
    AugmentationName
  ]
  | { readonly oneOf: readonly Step[]; readonly probability?: number };

/** One augmentation with what was drawn for it: plain JSON. */
export type DrawnStep = {
  readonly name: AugmentationName;
  // deno-lint-ignore no-explicit-any
  readonly parameters: any;
};

/** Steps in a row, drawn and then done. */
export type Pipeline = {
  /** Draws the parameters of the steps that happen. */
  readonly sample: (random: Random) => readonly DrawnStep[];
  /** Does what was drawn. */
  readonly apply: (image: Image, drawn: readonly DrawnStep[]) => Image;
  /**
   * Draws and does for one record in one epoch: the same (seed, epoch, record) gives the same image, whatever the order
   * and the number of workers.
   */
  readonly augment: (
    image: Image,
    key: { readonly seed: number; readonly epoch: number; readonly record: string; readonly copy?: number },
  ) => { readonly image: Image; readonly drawn: readonly DrawnStep[] };
};

/**
 * Composes augmentations.
 *
 * @throws MammolabError for a probability outside (0, 1], an empty choice, or (when drawn) a setting that changes nothing
 *
 * @example What was drawn is JSON, and replaying it gives the same pixels
 * ```ts
 * import { imageOf } from "mammolab/image";
 * import { pipeline, replay } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const { augment } = pipeline([
 *   { name: "brightness", options: { strength: 0.2 }, probability: 0.5 },
 *   { oneOf: [{ name: "noise", options: { kind: "gaussian", low: 0.01, high: 0.05 } }, { name: "blur", options: { low: 0.5, high: 1 } }] },
 * ]);
 * const film = imageOf(new Float32Array(64).fill(0.5), { height: 8, width: 8 });
 * const { image, drawn } = augment(film, { seed: 1, epoch: 0, record: "0007" });
 * assertEquals(replay(film, JSON.parse(JSON.stringify(drawn))).data, image.data);
 * ```
 */
export function pipeline(steps: readonly Step[]): Pipeline {
  for (const step of steps) check(step);
  const sample = (random: Random) => steps.flatMap((step) => draw(step, random));
  return {
    sample,
    apply: replay,
    augment: (image, { seed, epoch, record, copy = 0 }) => {
      const drawn = sample(seededRandom(seed, "augment", epoch, record, copy));
      return { image: replay(image, drawn), drawn };
    },
  };
}

/**
 * Does again what a pipeline drew.
 *
 * @throws MammolabError when the image holds NaN or infinite values, or a name is unknown
 */
export function replay(image: Image, drawn: readonly DrawnStep[]): Image {
  if (!allFinite(image.data)) {
    const bad = image.data.findIndex((value) => !Number.isFinite(value));
    const pixel = Math.floor(bad / image.channels);
    throw new MammolabError(
      `Cannot augment the image: pixel (row ${Math.floor(pixel / image.width)}, column ${pixel % image.width}) is ${
        image.data[bad]
      }; repair or leave out this film`,
    );
  }
  let done = image;
  let own: Float32Array | undefined; // after the first step the pixels are ours, and the next may write over them
  for (const { name, parameters } of drawn) {
    const known = augmentations[name];
    if (!known) {
      throw new MammolabError(
        `Cannot augment: "${name}" is no augmentation; known are ${augmentationNames.join(", ")}`,
      );
    }
    done = known.apply(done, parameters, own);
    if (done.data !== image.data) own = done.data;
  }
  return done;
}

function draw(step: Step, random: Random): readonly DrawnStep[] {
  // The coin is always tossed: adding a probability to one step never changes the draws of the next.
  if (random.uniform() >= (step.probability ?? 1)) return [];
  if ("oneOf" in step) return draw(step.oneOf[random.integer(step.oneOf.length)]!, random);
  const sample = augmentations[step.name].sample as (options: unknown, random: Random) => unknown;
  return [{ name: step.name, parameters: sample(step.options, random) }];
}

function check(step: Step): void {
  const { probability = 1 } = step;
  if (!(probability > 0 && probability <= 1)) {
    throw new MammolabError(
      `Cannot make the pipeline: a step has probability ${probability}; give a number in (0, 1] or leave the step out`,
    );
  }
  if (!("oneOf" in step)) {
    if (!(step.name in augmentations)) {
      throw new MammolabError(
        `Cannot make the pipeline: "${step.name}" is no augmentation; known are ${augmentationNames.join(", ")}`,
      );
    }
    draw({ ...step, probability: 1 } as Step, seededRandom(0)); // options that change nothing are refused here, not in the middle of a run
    return;
  }
  if (step.oneOf.length === 0) {
    throw new MammolabError("Cannot make the pipeline: a choice is empty; put steps into oneOf");
  }
  step.oneOf.forEach(check);
}
