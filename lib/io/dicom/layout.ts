import type { Limits } from "../limits.ts";
import { codeOf, type DataSet, elementOf, numberOf, numbersOf, textsOf } from "./data_set.ts";
import { count, loadLarger, refuse } from "./refuse.ts";

/** What a reader of bytes may spend; the time is held by whoever started it. */
export type DicomLimits = Omit<Limits, "deadlineMs">;

/** How one frame of numbers is laid out in the file: Image Pixel Module, DICOM PS3.3 C.7.6.3. */
export type PixelLayout = {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: "MONOCHROME1" | "MONOCHROME2";
};

/**
 * Reads and checks the Image Pixel Module before anything is allocated.
 *
 * @throws MammolabError when it is missing, contradicts itself, is not grey, or is above a limit
 */
export function pixelLayoutOf(dataSet: DataSet, { maxPixels }: DicomLimits): PixelLayout {
  const rows = numberOf(dataSet, "Rows");
  const columns = numberOf(dataSet, "Columns");
  if (rows === undefined || columns === undefined) {
    refuse("it has no Rows and Columns, so it holds no image; choose an image file of the exam");
  }
  const photometric = photometricOf(dataSet);
  if (!isCount(rows) || !isCount(columns)) refuse(`Rows or Columns is not a whole number above zero; ${leaveOut}`);
  if (rows * columns > maxPixels) {
    refuse(
      `it says that it has ${columns} × ${rows} pixels, the limit is ${count(maxPixels)}; ${loadLarger("maxPixels")}`,
    );
  }
  const bitsAllocated = numberOf(dataSet, "BitsAllocated");
  if (bitsAllocated !== 8 && bitsAllocated !== 16) refuse(`Bits Allocated is neither 8 nor 16; ${leaveOut}`);
  const bitsStored = numberOf(dataSet, "BitsStored") ?? bitsAllocated;
  if (!isCount(bitsStored) || bitsStored > bitsAllocated) {
    refuse(`Bits Stored is not between 1 and the ${bitsAllocated} bits allocated; ${leaveOut}`);
  }
  const highBit = numberOf(dataSet, "HighBit") ?? bitsStored - 1;
  if (!Number.isInteger(highBit) || highBit < bitsStored - 1 || highBit >= bitsAllocated) {
    refuse(`High Bit does not fit ${bitsStored} bits stored in ${bitsAllocated} allocated; ${leaveOut}`);
  }
  const representation = numberOf(dataSet, "PixelRepresentation") ?? 0;
  if (representation !== 0 && representation !== 1) refuse(`Pixel Representation is neither 0 nor 1; ${leaveOut}`);
  const frames = framesOf(dataSet);
  if (!Number.isSafeInteger(frames * rows * columns * 2)) {
    refuse(`it promises more bytes than can be counted; ${leaveOut}`);
  }
  return { rows, columns, frames, bitsAllocated, bitsStored, highBit, signed: representation === 1, photometric };
}

/** Bytes of one frame as it lies uncompressed in a file. */
export function frameBytesOf({ rows, columns, bitsAllocated }: PixelLayout): number {
  return rows * columns * (bitsAllocated / 8);
}

/** Smallest and largest value that the stored bits can hold. */
export function storedRangeOf({ bitsStored, signed }: PixelLayout): readonly [low: number, high: number] {
  return signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
}

function photometricOf(dataSet: DataSet): "MONOCHROME1" | "MONOCHROME2" {
  const photometric = codeOf(dataSet, "PhotometricInterpretation");
  if ((numberOf(dataSet, "SamplesPerPixel") ?? 1) !== 1) refuse(`it is a color picture, not a grey one; ${leaveOut}`);
  if (photometric === "MONOCHROME1" || photometric === "MONOCHROME2") return photometric;
  const found = colorSpaces.find((name) => photometric.startsWith(name));
  return found
    ? refuse(`it is a color picture (${found}), not a grey one; ${leaveOut}`)
    : refuse(`its Photometric Interpretation is neither MONOCHROME1 nor MONOCHROME2; ${leaveOut}`);
}

function framesOf(dataSet: DataSet): number {
  if (!elementOf(dataSet, "NumberOfFrames") || textsOf(dataSet, "NumberOfFrames")[0] === "") return 1;
  const frames = numbersOf(dataSet, "NumberOfFrames")[0] as number;
  return isCount(frames) ? frames : refuse(`Number of Frames is not a whole number above zero; ${leaveOut}`);
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
const leaveOut = "leave it out or export it again as a grey image";
const colorSpaces = ["RGB", "YBR", "PALETTE COLOR", "CMYK", "ARGB", "HSV"];
