/** The papers' figures as functions. @module */
export {
  type Attention,
  layerNorm,
  linear,
  mlp,
  type NetOutput,
  type Parameters,
  parameters,
  selfAttention,
  within,
} from "./layers.ts";
export { gridOf, prefixTokensOf, type TrainingOptions, vit, vitDefaults, type VitSpec } from "./vit.ts";
export {
  buildNet,
  catalogue,
  type CatalogueEntry,
  catalogueEntry,
  type Net,
  type NetSpec,
  type Normalization,
} from "./catalogue.ts";
