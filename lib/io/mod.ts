/** Bytes → pixels; nothing personal passes. @module */
export {
  type FileFormat,
  type Laterality,
  type Mammogram,
  type PixelSpacing,
  type View,
  viewNames,
} from "./mammogram.ts";
export { loadMammogram, type LoadOptions } from "./load.ts";
export { type FileRecord, inspectFile, type InspectOptions } from "./inspect.ts";
export { type DecodeOptions, type DecodingPool, decodingPool } from "./decoding.ts";
export { defaultLimits, type Limits, limitsOf } from "./limits.ts";
export { decodePng } from "./decode_png.ts";
export { encodePng } from "./encode_png.ts";
export { decodePnm } from "./decode_pnm.ts";
export { decodeJpeg, jpegDecoderAsks } from "./decode_jpeg.ts";
export { openSource, type Source } from "./source.ts";
export type { GreyPicture, PictureLimits } from "./picture.ts";
export { identityFromName, type NamedIdentity } from "./identity.ts";
export type { DisplayFigures, Probe, Range, StoredFigures } from "./_decode.ts";
export type { DicomHeader, Exposure, ViewModifier, VoiChoice, VoiFunction, VoiWindow } from "./dicom/mod.ts";
export {
  type DicomDataSet,
  type DicomElement,
  type DicomNumberVr,
  type DicomTextVr,
  type DicomValue,
  type DicomVr,
  writeDicom,
  type WriteSyntax,
} from "./dicom/write.ts";
