/** Numbers for the names in the nets. @module */
export {
  parseHeader,
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
export { initialize } from "./initialize.ts";
