import { copyAgain, refuse } from "./refuse.ts";

/** The kind of a code stream, told from its bytes. */
export type StreamKind =
  | "rle"
  | "jpeg baseline"
  | "jpeg extended"
  | "jpeg progressive"
  | "jpeg lossless"
  | "jpeg-ls"
  | "jpeg 2000"
  | "htj2k";

/** What a code stream says of itself; compared with the header before anything is decoded. */
export type StreamHeader = {
  readonly kind: StreamKind;
  /** Undefined in RLE, which says nothing. */
  readonly rows?: number;
  readonly columns?: number;
  readonly components?: number;
  /** Bits of a sample. */
  readonly bits?: number;
  /** JPEG 2000 only: samples are signed. */
  readonly signed?: boolean;
  /** Selection value of JPEG lossless, 1 to 7. */
  readonly predictor?: number;
  /** Largest error of JPEG-LS; 0 is lossless. */
  readonly near?: number;
  /** JPEG 2000: the reversible wavelet was used. */
  readonly reversible?: boolean;
};

/** True where the bytes begin as a JPEG, JPEG-LS or JPEG 2000 code stream. */
export function startsCodeStream(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) || startOfJpeg2000(bytes) !== undefined;
}

/**
 * Reads the head of a code stream. Headers of DICOM files lie about the transfer syntax, so the bytes decide.
 *
 * @returns undefined where no kind is recognized
 */
export function streamHeaderOf(bytes: Uint8Array): StreamHeader | undefined {
  const jpeg2000 = startOfJpeg2000(bytes);
  if (jpeg2000 !== undefined) return jpeg2000HeaderOf(bytes.subarray(jpeg2000));
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegHeaderOf(bytes);
  if (bytes.length > 64) {
    const segments = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (segments >= 1 && segments <= 15) return { kind: "rle" };
  }
  return undefined;
}

/** A marker segment of a JPEG stream: its code and where its content lies (after the two length bytes). */
export type Segment = { readonly marker: number; readonly at: number; readonly end: number };

/** The marker segments up to and including start of scan (ITU-T T.81 section B.1). */
export function* jpegSegments(bytes: Uint8Array, from = 2): Generator<Segment> {
  let at = from;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) refuse(`a JPEG marker is missing in its code stream; ${copyAgain}`);
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    const length = u16(bytes, at + 2);
    if (length < 2 || at + 2 + length > bytes.length) refuse(`its code stream ends inside a header; ${copyAgain}`);
    yield { marker, at: at + 4, end: at + 2 + length };
    if (marker === 0xda) return;
    at += 2 + length;
  }
}

/** The position in a J2K code stream or JP2 file where SOC SIZ stands; undefined for anything else. */
export function startOfJpeg2000(bytes: Uint8Array): number | undefined {
  if (isSocSiz(bytes, 0)) return 0;
  if (u32(bytes, 4) !== 0x6a502020) return undefined;
  // JP2 (ITU-T T.800 annex I): boxes of length and type; the code stream is in "jp2c".
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = u32(bytes, at);
    if (u32(bytes, at + 4) === 0x6a703263) return isSocSiz(bytes, at + 8) ? at + 8 : undefined;
    if (length < 8) return undefined;
    at += length;
  }
  return undefined;
}

/**
 * Checks that a JPEG 2000 code stream is whole: its tile-parts, by their own lengths, reach exactly the end marker.
 * A decoder that is given a cut one invents the rest (HTJ2K) or leaves it grey.
 */
export function checkTileParts(bytes: Uint8Array): void {
  let at = 2; // after SOC
  while (at + 4 <= bytes.length && u16(bytes, at) !== sot) {
    if (bytes[at] !== 0xff) refuse(`a marker is missing in its JPEG 2000 code stream; ${copyAgain}`);
    at += 2 + Math.max(2, u16(bytes, at + 2));
  }
  let parts = 0;
  while (at + 12 <= bytes.length && u16(bytes, at) === sot) {
    const length = u32(bytes, at + 6);
    if (length !== 0 && length < 14) refuse(`a tile of its JPEG 2000 code stream is too short; ${copyAgain}`);
    at = length === 0 ? endOfImage(bytes, at) : at + length; // 0: this tile-part reaches to the end marker
    parts++;
  }
  if (parts === 0 || at + 2 > bytes.length || u16(bytes, at) !== eoc) refuse(cut);
}

/** Checks that a JPEG stream is not cut: it ends in its end marker, followed by padding at most. */
export function checkEndOfImage(bytes: Uint8Array): void {
  endOfImage(bytes, 2);
}

/** Where the end marker FFD9 stands, as the last thing but padding. */
function endOfImage(bytes: Uint8Array, from: number): number {
  let at = bytes.length;
  while (at > from && (bytes[at - 1] === 0 || bytes[at - 1] === 0xff || bytes[at - 1] === 0x20)) at--;
  return at - 2 >= from && u16(bytes, at - 2) === eoc ? at - 2 : refuse(cut);
}

/** The sentence for streams that end before the image does. */
export const cut = `its code stream is cut, the pixels after the cut are not there; ${copyAgain}`;

function jpegHeaderOf(bytes: Uint8Array): StreamHeader | undefined {
  let frame: { marker: number; bits: number; rows: number; columns: number; components: number } | undefined;
  for (const { marker, at, end } of jpegSegments(bytes)) {
    if (frameKinds.has(marker) && end - at >= 6) {
      const [rows, columns] = [u16(bytes, at + 1), u16(bytes, at + 3)];
      frame = { marker, bits: bytes[at] as number, rows, columns, components: bytes[at + 5] as number };
    }
    if (marker !== 0xda || !frame) continue;
    const parameter = bytes[at + 1 + 2 * (bytes[at] as number)] as number; // Ss, or NEAR in JPEG-LS
    const { marker: code, ...sizes } = frame;
    const kind = frameKinds.get(code) as StreamKind;
    if (kind === "jpeg lossless") return { kind, ...sizes, predictor: parameter };
    return kind === "jpeg-ls" ? { kind, ...sizes, near: parameter } : { kind, ...sizes };
  }
  return undefined;
}

function jpeg2000HeaderOf(bytes: Uint8Array): StreamHeader | undefined {
  if (bytes.length < 45) return undefined;
  const size = u16(bytes, 4);
  const [x1, y1, x0, y0] = [u32(bytes, 8), u32(bytes, 12), u32(bytes, 16), u32(bytes, 20)];
  const precision = bytes[42] as number;
  let kind: StreamKind = "jpeg 2000";
  let reversible = false;
  for (let at = 4 + size; at + 4 <= bytes.length && u16(bytes, at) !== sot; at += 2 + Math.max(2, u16(bytes, at + 2))) {
    if (bytes[at] !== 0xff) return undefined;
    if (u16(bytes, at) === 0xff50) kind = "htj2k"; // CAP: part 15 (T.814) is announced here
    if (u16(bytes, at) === 0xff52) reversible = bytes[at + 13] === 1; // COD: the 5-3 wavelet
  }
  return {
    kind,
    rows: y1 - y0,
    columns: x1 - x0,
    components: u16(bytes, 40),
    bits: (precision & 0x7f) + 1,
    signed: (precision & 0x80) !== 0,
    reversible,
  };
}

const frameKinds: ReadonlyMap<number, StreamKind> = new Map([
  [0xc0, "jpeg baseline"],
  [0xc1, "jpeg extended"],
  [0xc2, "jpeg progressive"],
  [0xc3, "jpeg lossless"],
  [0xf7, "jpeg-ls"],
]);

const isSocSiz = (bytes: Uint8Array, at: number): boolean => u32(bytes, at) === 0xff4fff51;
const sot = 0xff90;
const eoc = 0xffd9;

/** Two bytes, high one first; 0 past the end. */
function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
}
