import { copyAgain, refuse } from "./refuse.ts";
import { cut } from "./code_stream.ts";

/**
 * Decodes one frame of RLE Lossless (DICOM PS3.5 annex G): one segment of PackBits per byte of a cell, high byte first.
 *
 * Libraries that were tried give zeros for the pixels that a damaged stream does not hold; here every segment must give
 * exactly one byte a pixel.
 *
 * @returns `pixels` cells, `Uint16Array` for 2 bytes a cell
 */
export function decodeRle(
  stream: Uint8Array,
  { pixels, bytesPerCell }: { readonly pixels: number; readonly bytesPerCell: 1 | 2 },
): Uint8Array | Uint16Array {
  if (stream.length < 64) refuse(cut);
  const header = new DataView(stream.buffer, stream.byteOffset, 64);
  if (header.getUint32(0, true) !== bytesPerCell) {
    refuse(`its RLE stream has another number of segments than the ${bytesPerCell} bytes of a pixel; ${copyAgain}`);
  }
  const planes = new Uint8Array(pixels * bytesPerCell);
  for (let segment = 0; segment < bytesPerCell; segment++) {
    const from = header.getUint32(4 + 4 * segment, true);
    const to = segment + 1 < bytesPerCell ? header.getUint32(8 + 4 * segment, true) : stream.length;
    if (from < 64 || to <= from || to > stream.length) {
      refuse(`a segment of its RLE stream lies outside the frame; ${copyAgain}`);
    }
    // Segments run from the high byte to the low one; the machine's words have the low byte first.
    unpack(stream.subarray(from, to), planes, bytesPerCell - 1 - segment, bytesPerCell);
  }
  return bytesPerCell === 1 ? planes : new Uint16Array(planes.buffer);
}

/** PackBits (PS3.5 section G.3.1) into every `stride`-th byte of `out`, from `at` on. */
function unpack(segment: Uint8Array, out: Uint8Array, at: number, stride: number): void {
  const end = segment.length;
  let next = 0;
  while (at < out.length) {
    if (next >= end) refuse(cut);
    const control = segment[next++] as number;
    if (control === 128) continue;
    if (control < 128) {
      const stop = next + control + 1;
      if (stop > end) refuse(cut);
      if (at + control * stride >= out.length) refuse(tooLong);
      while (next < stop) {
        out[at] = segment[next++] as number;
        at += stride;
      }
    } else {
      if (next >= end) refuse(cut);
      const value = segment[next++] as number;
      const stop = at + (257 - control) * stride;
      if (stop - stride >= out.length) refuse(tooLong);
      for (; at < stop; at += stride) out[at] = value;
    }
  }
  // Padding to an even length, and what some writers put after it, says nothing; more than that is another picture.
  for (; next < end; next++) if (segment[next] !== 0 && segment[next] !== 128) refuse(tooLong);
}

const tooLong = `its RLE stream holds more than its pixels; ${copyAgain}`;
