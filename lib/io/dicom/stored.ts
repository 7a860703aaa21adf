import type { StreamHeader } from "./code_stream.ts";
import type { Cells } from "./decode.ts";
import { type PixelLayout, storedRangeOf } from "./layout.ts";

/** Stored values and, where a lossy coder left the range of the stored bits, how many were clamped. */
export type Stored = { readonly data: Uint8Array | Uint16Array | Int16Array; readonly clamped: number };

/**
 * Cells → stored values, exactly. Above and below the stored bits a cell may hold overlays, missing sign bits or rubbish:
 * value = (cell >> (HighBit + 1 − BitsStored)) & mask, then the sign by Pixel Representation (DICOM PS3.5 section 8.1.1).
 * A code stream's own idea of a sign is not asked: it is known to contradict the header, and the header is right.
 *
 * @param stream the head of the code stream; undefined for uncompressed cells
 * @param lossy values may overshoot their range and are clamped: masking would turn 1024 of 10 bits into 0, white into black
 */
export function storedValues(
  cells: Cells,
  layout: PixelLayout,
  { stream, lossy }: { readonly stream?: StreamHeader | undefined; readonly lossy: boolean },
): Stored {
  if (lossy) return clampedValues(cells, layout, stream);
  const { bitsStored, bitsAllocated, highBit, signed } = layout;
  // A code stream of fewer bits than HighBit was shifted down by whoever coded it.
  const whole = stream?.bits === undefined || stream.bits > highBit;
  const shift = whole ? highBit + 1 - bitsStored : 0;
  if (signed) return { data: signExtended(cells, shift, bitsStored), clamped: 0 };
  if (bitsStored < bitsAllocated) {
    const mask = (1 << bitsStored) - 1;
    for (let i = 0; i < cells.length; i++) cells[i] = ((cells[i] as number) >> shift) & mask;
  }
  return { data: cells, clamped: 0 };
}

/** The low bits of each cell, shifted up until the sign bit is on top of 32 bits, and back down again. */
function signExtended(cells: Cells, shift: number, bits: number): Int16Array {
  const out = cells instanceof Uint16Array ? new Int16Array(cells.buffer) : new Int16Array(cells.length);
  const up = 32 - bits - shift;
  const down = 32 - bits;
  for (let i = 0; i < cells.length; i++) out[i] = ((cells[i] as number) << up) >> down;
  return out;
}

function clampedValues(cells: Cells, layout: PixelLayout, stream: StreamHeader | undefined): Stored {
  const [low, high] = storedRangeOf(layout);
  // JPEG 2000 decoders extend a signed sample over the cell; the other coders know no sign, their top bit is it.
  const signBits = stream?.signed ? layout.bitsAllocated : Math.max(stream?.bits ?? 0, layout.bitsStored);
  const data = layout.signed ? signExtended(cells, 0, signBits) : cells;
  let clamped = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (value < low) data[i] = low;
    else if (value > high) data[i] = high;
    else continue;
    clamped++;
  }
  return { data, clamped };
}
