/** Pixels → pixels, with their place on the film. @module */
export {
  type Affine,
  applyMap,
  compose,
  composeSource,
  type DenseMap,
  identity,
  type Image,
  imageOf,
  invert,
  isAffine,
  type Point,
  type SourceMap,
} from "./image.ts";
export {
  area,
  boundingBox,
  type Box,
  type Circle,
  contains,
  type Mask,
  type Polygon,
  rasterize,
  type Region,
  type Size,
} from "./region.ts";
export { inverseOf } from "./inverse.ts";
export { maskOf, moveRegion, moveRegionBack } from "./move.ts";
export { crop, type CropBox, cropTo } from "./crop.ts";
export { mirror } from "./mirror.ts";
export { type ResizeFilter, type ResizeOptions, resizeTo } from "./resize.ts";
export { type Breast, cropToBreast, faceLeft, findBreast } from "./breast.ts";
export { warp, type WarpOptions } from "./warp.ts";
export { percentilesOf, type PixelStatistics, pixelStatistics, stretchRange } from "./normalize.ts";
export { clahe, type ClaheOptions } from "./clahe.ts";
export { findPectoral, type Pectoral, withoutPectoral } from "./pectoral.ts";
export { patches, unpatch } from "./patches.ts";
export { type Preparation, preparationHash, prepare } from "./preparation.ts";
export { readPreparation } from "./read_preparation.ts";
