/** Pixels → pixels, with their place on the film. @module */
export {
  type Affine,
  applyMap,
  compose,
  type DenseMap,
  identity,
  type Image,
  imageOf,
  invert,
  isAffine,
  type Point,
  type SourceMap,
} from "./image.ts";
export type { Box, Circle, Mask, Polygon, Region } from "./region.ts";
