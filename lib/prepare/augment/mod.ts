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
