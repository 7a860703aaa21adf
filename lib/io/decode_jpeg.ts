import { streamHeaderOf } from "./dicom/code_stream.ts";
import { checkJpegScan } from "./dicom/jpeg_scan.ts";
import { defaultLimits } from "./limits.ts";
import { checkSize, copyAgain, type GreyPicture, type PictureLimits, reading, refuse, saveAsGrey } from "./picture.ts";

/** The environment variable that the decoder asks for; a child process must be allowed to read it. */
export const jpegDecoderAsks = "IMAGESCRIPT_WASM_SIMD";

/**
 * Reads an 8-bit JPEG in grey, or in color where red, green and blue are equal everywhere, by imagescript, which is loaded
 * when the first one is met. A JPEG is a picture of a film, not the film: it has lost 4 to 8 bits, and says so in its warnings.
 *
 * @throws MammolabError when it is no 8-bit JPEG, is cut, holds colors, or claims more than `maxPixels`
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  { maxPixels = defaultLimits.maxPixels }: PictureLimits = {},
): Promise<GreyPicture> {
  const header = reading("the JPEG", () => checkedHeader(bytes, maxPixels));
  const { default: imagescript } = await import("imagescript/wasm/node/jpeg.js") as unknown as Module;
  const decoder = await imagescript.init();
  return reading("the JPEG", () => greyOf(decoder.decode(bytes), header));
}

/** The JPEG decoder inside of imagescript: the whole package asks for native code when it is loaded, this part does not. */
type Module = { readonly default: { init(): Promise<{ decode(bytes: Uint8Array): Decoded }> } };
/** `format`: 0 grey, 1 RGB, 2 CMYK. */
type Decoded = {
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly buffer: Uint8Array;
};

type Size = { readonly rows: number; readonly columns: number };

function checkedHeader(bytes: Uint8Array, maxPixels: number): Size {
  const header = streamHeaderOf(bytes);
  const { kind, rows = 0, columns = 0, components, bits } = header ?? {};
  if (!kind?.startsWith("jpeg")) refuse("it does not begin like a JPEG; choose another file");
  if (kind === "jpeg-ls" || kind === "jpeg lossless" || kind === "jpeg 2000" || bits !== 8) {
    refuse(
      `it is a ${kind} of ${bits} bits, which is read inside of DICOM files only; use the DICOM file, or convert it to PNG`,
    );
  }
  if (components !== 1 && components !== 3) refuse(`it has ${components} color channels; ${saveAsGrey}`);
  checkSize(columns, rows, maxPixels);
  // The decoder fills a cut stream up with grey and says nothing.
  if (!endsWithMark(bytes)) refuse(`it ends before its end mark; ${copyAgain}`);
  if (components === 1 && kind !== "jpeg progressive") checkJpegScan(bytes, { rows, columns });
  return { rows, columns };
}

function endsWithMark(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 2 && bytes[end - 1] === 0) end--; // padding
  return bytes[end - 2] === 0xff && bytes[end - 1] === 0xd9;
}

function greyOf(
  { width, height, format, buffer }: Decoded,
  { rows, columns }: Size,
): GreyPicture {
  const channels = format === 0 ? 1 : 3;
  if (width !== columns || height !== rows || buffer.length !== rows * columns * channels) {
    refuse(`it gives another number of pixels than its header promises; ${copyAgain}`);
  }
  const data = channels === 1 ? buffer : new Uint8Array(rows * columns);
  for (let i = 0; channels === 3 && i < data.length; i++) {
    const grey = buffer[3 * i] as number;
    if (buffer[3 * i + 1] !== grey || buffer[3 * i + 2] !== grey) refuse(`it is a color picture; ${saveAsGrey}`);
    data[i] = grey;
  }
  const warnings = ["It is a JPEG: 8 bits are left of the film's 12 to 16, and fine detail is lost"];
  return { data, height, width, white: 255, bits: 8, warnings };
}
