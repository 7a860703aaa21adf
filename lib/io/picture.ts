import { MammolabError, sentenceOf } from "../base/mod.ts";
import { copyAgain, count, loadLarger, refuse } from "./dicom/refuse.ts";

export { copyAgain, refuse };

/** A grey picture as its file holds it. */
export type GreyPicture = {
  /** `[height, width]`, the stored values. */
  readonly data: Uint8Array | Uint16Array;
  readonly height: number;
  readonly width: number;
  /** The value of white: 2^bits - 1 in a PNG or JPEG, the maximum that a PGM names. */
  readonly white: number;
  /** Bits that the values need: 1 to 16. */
  readonly bits: number;
  /** One sentence each. */
  readonly warnings: readonly string[];
};

/** Which files may be read: the pixels that they may claim. */
export type PictureLimits = { readonly maxPixels?: number };

/** Runs a reader whose refusals are reasons only, and makes sentences of them: "Cannot read the PNG: …". */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const own = error instanceof MammolabError;
    const reason = own ? sentenceOf(error) : `it is damaged; ${copyAgain}`;
    throw new MammolabError(`Cannot read ${what}: ${reason}`, { cause: error });
  }
}

/** Checks what a header claims before anything is allocated. */
export function checkSize(width: number, height: number, maxPixels: number): void {
  if (!(width > 0 && height > 0)) refuse(`it says that it is ${width} × ${height} pixels; export it again`);
  if (width * height > maxPixels) {
    refuse(
      `it says that it has ${width} × ${height} pixels, the limit is ${count(maxPixels)}; ${loadLarger("maxPixels")}`,
    );
  }
}

/** The remedy for pictures in color. */
export const saveAsGrey = "save it in grey, or use the original file";
