/** Numbers for the names in the nets. @module */
export {
  parseHeader,
  type RawTensor,
  readRawSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  safetensorsChunks,
  type SafetensorsHeader,
  type SafetensorsType,
  type TensorEntry,
  type TensorToWrite,
  writeSafetensors,
} from "./safetensors.ts";
export { compareWeights, requireFit, type WeightReport } from "./fit.ts";
export { fromTimm } from "./names/timm.ts";
export { type PublishedNames, publishedNames, publishedShapes, readPublished } from "./names/published.ts";
export { resamplePositions, type TokenGrid } from "./resample.ts";
export {
  type Adaptation,
  adaptationSentence,
  type AdaptedWeights,
  adaptWeights,
  type ChannelNormalization,
  type NamedTensors,
  toGrey,
} from "./adapt.ts";
export { initialize } from "./initialize.ts";
export { type HubName, hubNameText, isHubName, parseHubName } from "./hub/name.ts";
export { findSnapshot, type Snapshot } from "./hub/cache.ts";
export { fetchFromHub, type HubDownload, type HubFile, type HubOptions } from "./hub/fetch.ts";
