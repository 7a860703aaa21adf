export {
  brightness,
  contrast,
  type FactorOptions,
  type FactorParameters,
  gamma,
  type GammaOptions,
  type GammaParameters,
  sampleBrightness,
  sampleContrast,
  sampleFactor,
  sampleGamma,
} from "./light.ts";
export {
  color,
  type ColorOptions,
  type ColorParameters,
  pseudoColor,
  sampleColor,
  sampleSaturation,
  saturation,
} from "./color.ts";
export { noise, type NoiseKind, type NoiseOptions, type NoiseParameters, sampleNoise } from "./noise.ts";
export { blur, type BlurOptions, type BlurParameters, sampleBlur, sampleSharpness, sharpness } from "./blur.ts";
export { cutout, type CutoutOptions, type CutoutParameters, sampleCutout } from "./erase.ts";
export {
  cutmix,
  type CutmixParameters,
  type LabeledImage,
  type MixOptions,
  mixup,
  type MixupParameters,
  sampleCutmix,
  sampleMixup,
} from "./mix.ts";
export {
  affine,
  type AffineOptions,
  type AffineParameters,
  rotation,
  type RotationOptions,
  type RotationParameters,
  sampleAffine,
  sampleRotation,
  sampleScale,
  sampleShear,
  sampleTranslation,
  scale,
  type ScaleOptions,
  type ScaleParameters,
  shear,
  type ShearOptions,
  type ShearParameters,
  translation,
  type TranslationOptions,
  type TranslationParameters,
} from "./affine.ts";
export { resizedCrop, type ResizedCropOptions, type ResizedCropParameters, sampleResizedCrop } from "./resized_crop.ts";
export { flip, type FlipOptions, type FlipParameters, sampleFlip } from "./flip.ts";
export { elastic, elasticMap, type ElasticOptions, type ElasticParameters, sampleElastic } from "./elastic.ts";
export { equalize, type EqualizeOptions, type EqualizeParameters, sampleEqualize } from "./equalize.ts";
