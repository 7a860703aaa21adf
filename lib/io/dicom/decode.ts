import { checkEndOfImage, checkTileParts, startOfJpeg2000, type StreamHeader, streamHeaderOf } from "./code_stream.ts";
import { decodeByWebAssembly } from "./codecs.ts";
import { decodeJpegLossless } from "./jpeg_lossless.ts";
import { decodeJpegLs } from "./jpeg_ls.ts";
import { checkJpegScan } from "./jpeg_scan.ts";
import { frameBytesOf, type PixelLayout } from "./layout.ts";
import { refuse } from "./refuse.ts";
import { decodeRle } from "./rle.ts";
import { readableSyntax, syntaxName } from "./syntax.ts";

/** The cells of one frame as a file or a decoder holds them: neither masked nor sign-extended. */
export type Cells = Uint8Array | Uint16Array;

/**
 * Reads the head of a code stream and compares it with the file's header, before anything is allocated or decoded:
 * decoders answer in the size of the stream, or of the header, without an error where these differ.
 *
 * @param declaredSyntax as the file meta says it, for the sentence where the bytes are of no known kind
 */
export function checkedStreamHeader(stream: Uint8Array, layout: PixelLayout, declaredSyntax: string): StreamHeader {
  if (stream.length === 0) refuse("its code stream is empty; copy or export it again");
  const header = streamHeaderOf(stream);
  if (!header) {
    const syntax = readableSyntax(declaredSyntax);
    refuse(
      syntax
        ? `its code stream is none of the kinds that are read (the file says ${syntax.name}); export it again`
        : `${syntaxName(declaredSyntax)} is not read; export it uncompressed or as JPEG 2000`,
    );
  }
  if (header.kind === "rle") return header;
  const { rows, columns, bitsAllocated } = layout;
  if (header.components !== 1) refuse("its code stream is a color picture, not a grey one; leave it out");
  if (header.rows !== rows || header.columns !== columns) {
    refuse(
      `its code stream is ${header.columns} × ${header.rows}, the header says ${columns} × ${rows}; export it again`,
    );
  }
  if (header.bits === undefined || header.bits > bitsAllocated) {
    refuse(`its code stream has ${header.bits} bits, the header allocates ${bitsAllocated}; export it again`);
  }
  return header;
}

/**
 * Decodes one code stream. What libraries do not notice is checked first: a cut stream ends in a sentence, never in
 * invented pixels.
 */
export async function decodeStream(stream: Uint8Array, header: StreamHeader, layout: PixelLayout): Promise<Cells> {
  const { rows, columns, signed } = layout;
  const bytesPerCell = layout.bitsAllocated === 8 ? 1 : 2;
  const sizes = { rows, columns, bytesPerCell } as const;
  switch (header.kind) {
    case "rle":
      return decodeRle(stream, { pixels: rows * columns, bytesPerCell });
    case "jpeg lossless":
      return decodeJpegLossless(stream, sizes);
    case "jpeg-ls":
      return decodeJpegLs(stream, sizes);
    case "jpeg baseline":
    case "jpeg extended":
      checkJpegScan(stream, sizes);
      break;
    case "jpeg progressive":
      checkEndOfImage(stream);
      break;
    case "jpeg 2000":
    case "htj2k":
      checkTileParts(stream.subarray(startOfJpeg2000(stream)));
  }
  return await decodeByWebAssembly({ stream, header, ...sizes, signed });
}

/**
 * The cells of an uncompressed frame, copied out of the file.
 *
 * @param pixels the pixel data of all frames
 * @param options.swapped 16-bit words are big endian
 * @param options.words the file calls its 8-bit cells words (OW): in big endian they are swapped in pairs (PS3.5 section 8.2), also
 * where a frame of an odd number of them begins or ends in the middle of a pair
 */
export function nativeCells(pixels: Uint8Array, layout: PixelLayout, { frame, swapped, words }: {
  readonly frame: number;
  readonly swapped: boolean;
  readonly words: boolean;
}): Cells {
  const bytes = new Uint8Array(frameBytesOf(layout));
  const from = frame * bytes.length;
  if (swapped && words && layout.bitsAllocated === 8) return bytes.map((_, i) => pixels[(from + i) ^ 1] ?? 0);
  bytes.set(pixels.subarray(from, from + bytes.length));
  if (layout.bitsAllocated === 8) return bytes;
  const cells = new Uint16Array(bytes.buffer);
  if (swapped) {
    for (let i = 0; i < cells.length; i++) cells[i] = ((cells[i] as number) << 8) | ((cells[i] as number) >> 8);
  }
  return cells;
}
