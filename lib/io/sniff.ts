import { pngSignature } from "./decode_png.ts";
import { looksLikeDicom } from "./dicom/mod.ts";
import type { FileFormat } from "./mammogram.ts";
import { reading, refuse } from "./picture.ts";

/** How many of a file's first bytes tell its format. */
export const headBytes = 132;

/**
 * Tells the format of a file by its first bytes; its name does not count. DICOM files without the 128 bytes of preamble are known
 * by their first attribute.
 *
 * @throws MammolabError when it is none that can be read, saying what it is instead where that is known
 */
export function formatIn(head: Uint8Array, file: string): FileFormat {
  return reading(file, () => formatOf(head));
}

function formatOf(head: Uint8Array): FileFormat {
  const text = String.fromCharCode(...head.subarray(0, headBytes)); // a byte a character: latin1 as the web decodes it is not
  if (pngSignature.every((byte, i) => head[i] === byte)) return "png";
  if (/^P[1-7][\s#]/.test(text)) return "pnm";
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (looksLikeDicom(head)) return "dicom";
  const known = others.find(([begin]) => text.startsWith(begin));
  if (known) refuse(`it is ${known[1]}; ${known[2]}`);
  const isText = head.every((byte) => byte >= 0x20 && byte !== 0x7f || (byte >= 0x09 && byte <= 0x0d));
  return refuse(
    isText
      ? "it is text, not a picture; choose a DICOM, PNG, PGM or JPEG file"
      : "it is no DICOM, PNG, PGM or JPEG file; choose another file, or copy it again",
  );
}

const convert = "convert it to PNG or PGM without changing its values";
const others: readonly (readonly [begin: string, what: string, remedy: string])[] = [
  ["II*\0", "a TIFF, which cannot be read yet", convert],
  ["MM\0*", "a TIFF, which cannot be read yet", convert],
  ["\0\0\0\x0cjP ", "a JPEG 2000 file, which is read inside of DICOM files only", convert],
  ["\xff\x4f\xff\x51", "a JPEG 2000 stream, which is read inside of DICOM files only", convert],
  ["BM", "a bitmap (BMP), which cannot be read", convert],
  ["GIF8", "a GIF, which cannot hold a film", "use the original file"],
  ["%PDF", "a PDF", "use the original file"],
  ["PK\x03\x04", "a zip archive", "unpack it first"],
  ["\x1f\x8b", "a gzip archive", "unpack it first"],
];
