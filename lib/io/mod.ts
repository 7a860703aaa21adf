/** Bytes → pixels; nothing personal passes. @module */
export type { FileFormat, Laterality, Mammogram, PixelSpacing, StoredPixels, View } from "./mammogram.ts";
