import type { StreamHeader } from "./code_stream.ts";

/** What is known of a transfer syntax: its name for sentences, and whether a lossy coder may have made it. */
export type TransferSyntax = { readonly name: string; readonly native: boolean; readonly lossy: boolean };

const root = "1.2.840.10008.1.2";

/** The transfer syntaxes that are read (DICOM PS3.5 section 10 and annex A; PS3.6 annex A names them). */
const readable: ReadonlyMap<string, TransferSyntax> = new Map(
  ([
    ["", "Implicit VR Little Endian", "native"],
    [".1", "Explicit VR Little Endian", "native"],
    [".1.99", "Deflated Explicit VR Little Endian", "native"],
    [".2", "Explicit VR Big Endian", "native"],
    [".5", "RLE Lossless", "lossless"],
    [".4.50", "JPEG Baseline", "lossy"],
    [".4.51", "JPEG Extended", "lossy"],
    [".4.53", "JPEG Progressive", "lossy"],
    [".4.55", "JPEG Progressive", "lossy"],
    [".4.57", "JPEG Lossless", "lossless"],
    [".4.70", "JPEG Lossless, First-Order Prediction", "lossless"],
    [".4.80", "JPEG-LS Lossless", "lossless"],
    [".4.81", "JPEG-LS Near-lossless", "lossy"],
    [".4.90", "JPEG 2000 Lossless", "lossless"],
    [".4.91", "JPEG 2000", "lossy"],
    [".4.201", "HTJ2K Lossless", "lossless"],
    [".4.202", "HTJ2K Lossless RPCL", "lossless"],
    [".4.203", "HTJ2K", "lossy"],
  ] as const).map(([end, name, kind]) => [root + end, { name, native: kind === "native", lossy: kind === "lossy" }]),
);

/** Those that are not, so that the sentence can name them. */
const refused: ReadonlyMap<string, string> = new Map([
  [".1.98", "Encapsulated Uncompressed Explicit VR Little Endian"],
  [".4.92", "JPEG 2000 Part 2 Multi-component Lossless"],
  [".4.93", "JPEG 2000 Part 2 Multi-component"],
  [".4.94", "JPIP Referenced"],
  [".4.95", "JPIP Referenced Deflate"],
  [".4.100", "MPEG2 video"],
  [".4.101", "MPEG2 video"],
  [".4.102", "MPEG-4 video"],
  [".4.103", "MPEG-4 video"],
  [".4.104", "MPEG-4 video"],
  [".4.105", "MPEG-4 video"],
  [".4.106", "MPEG-4 video"],
  [".4.107", "HEVC video"],
  [".4.108", "HEVC video"],
  [".4.110", "JPEG XL Lossless"],
  [".4.111", "JPEG XL JPEG Recompression"],
  [".4.112", "JPEG XL"],
  [".4.204", "JPIP HTJ2K Referenced"],
  [".4.205", "JPIP HTJ2K Referenced Deflate"],
  [".7.1", "SMPTE ST 2110 video"],
  [".7.2", "SMPTE ST 2110 video"],
  [".7.3", "SMPTE ST 2110 audio"],
  [".8.1", "Deflated Image Frame Compression"],
  ...[52, 54, 56, 58, 59, 60, 61, 62, 63, 64, 65, 66].map((n) => [`.4.${n}`, "a retired JPEG process"] as const),
].map(([end, name]) => [root + end, name as string]));

/** A transfer syntax that is read, or undefined. */
export function readableSyntax(uid: string): TransferSyntax | undefined {
  return readable.get(uid);
}

/** The name of any transfer syntax, for a sentence; a UID that the standard does not know is not echoed. */
export function syntaxName(uid: string): string {
  return readable.get(uid)?.name ?? refused.get(uid) ?? "a transfer syntax that DICOM does not define";
}

/** The UID where the standard defines it, else `""`: anything else may hold a number that identifies somebody. */
export function knownSyntax(uid: string): string {
  return readable.has(uid) || refused.has(uid) ? uid : "";
}

/**
 * The transfer syntax that a code stream is really in; the declared one where it allows such a stream, as those of lossy coders
 * allow one that lost nothing.
 */
export function trueSyntaxOf(stream: StreamHeader, declared: string): string {
  const oneOf = (...ends: readonly [string, ...string[]]) =>
    root + (ends.find((end) => declared === root + end) ?? ends[0]);
  switch (stream.kind) {
    case "rle":
      return oneOf(".5");
    case "jpeg baseline":
      return oneOf(".4.50");
    case "jpeg extended":
      return oneOf(".4.51");
    case "jpeg progressive":
      return oneOf(".4.53", ".4.55");
    case "jpeg lossless":
      return oneOf(stream.predictor === 1 ? ".4.70" : ".4.57");
    case "jpeg-ls":
      return stream.near === 0 ? oneOf(".4.80", ".4.81") : oneOf(".4.81");
    case "jpeg 2000":
      return stream.reversible ? oneOf(".4.90", ".4.91") : oneOf(".4.91");
    case "htj2k":
      return stream.reversible ? oneOf(".4.201", ".4.202", ".4.203") : oneOf(".4.203");
  }
}

/** True where the numbers may differ from those that were coded, so that overshoot is clamped and never masked. */
export function isLossy(uid: string): boolean {
  return readable.get(uid)?.lossy ?? false;
}
