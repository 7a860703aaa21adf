import { crc32, deflateSync } from "node:zlib";
import { MammolabError } from "../base/mod.ts";
import { concat } from "./_bytes.ts";
import { pngSignature } from "./decode_png.ts";
import { filterUp } from "./_png_filters.ts";

/**
 * Writes a PNG: grey of 8 or 16 bits (by the kind of the array), RGB, RGBA, or indices into a palette. It holds the pixels and
 * nothing else: no text, no time.
 *
 * @param pixels `[height, width, channels]`, or `[height, width]` indices where there is a palette
 * @param options.channels 1 grey (default), 3 RGB, 4 RGBA
 * @param options.palette `[colors, 3]`, at most 256 colors; three to four times smaller than RGBA for color maps
 * @throws MammolabError when sizes, channels and pixels do not fit together
 *
 * @example
 * ```ts
 * import { encodePng } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * const png = encodePng(Uint8Array.of(0, 1, 1, 0), { height: 2, width: 2, palette: Uint8Array.of(0, 0, 0, 255, 160, 0) });
 * assertEquals(new TextDecoder("latin1").decode(png.subarray(1, 4)), "PNG");
 * ```
 */
export function encodePng(
  pixels: Uint8Array | Uint16Array,
  { height, width, channels = 1, palette }: {
    readonly height: number;
    readonly width: number;
    readonly channels?: 1 | 3 | 4;
    readonly palette?: Uint8Array;
  },
): Uint8Array<ArrayBuffer> {
  check(pixels, { height, width, channels, palette });
  const depth = pixels instanceof Uint16Array ? 16 : 8;
  const stride = (width * channels * depth) / 8;
  const samples = pixels instanceof Uint16Array ? bigEndian(pixels) : pixels;
  // Neighboring indices of a palette have nothing to do with each other: their differences compress worse than they.
  const rows = palette ? unfiltered(samples, stride, height) : filterUp(samples, { stride, height });

  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = depth;
  header[9] = palette ? 3 : { 1: 0, 3: 2, 4: 6 }[channels];
  return concat([
    pngSignature,
    chunk("IHDR", header),
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", deflateSync(rows, { level: 6 })),
    chunk("IEND", new Uint8Array(0)),
  ]) as Uint8Array<ArrayBuffer>;
}

function check(
  pixels: Uint8Array | Uint16Array,
  { height, width, channels, palette }: {
    readonly height: number;
    readonly width: number;
    readonly channels: number;
    readonly palette: Uint8Array | undefined;
  },
): void {
  const what = `Cannot write a PNG of ${width} × ${height} × ${channels}: `;
  if (![height, width].every((n) => Number.isInteger(n) && n > 0)) {
    throw new MammolabError(`${what}sizes are whole numbers above zero; check them`);
  }
  // A notebook has no type checker: floats of 0 to 1 would be written as black.
  if (!(pixels instanceof Uint8Array || pixels instanceof Uint16Array) || ![1, 3, 4].includes(channels)) {
    throw new MammolabError(
      `${what}a PNG holds whole numbers of 8 or 16 bits in 1, 3 or 4 channels; give a Uint8Array or Uint16Array, of an image 65535 times its values`,
    );
  }
  if (pixels.length !== height * width * channels) {
    throw new MammolabError(
      `${what}${pixels.length} values were given, ${height * width * channels} are needed; check the sizes`,
    );
  }
  if (!palette) return;
  const colors = palette.length / 3;
  if (!Number.isInteger(colors) || colors < 1 || colors > 256 || channels !== 1 || pixels instanceof Uint16Array) {
    throw new MammolabError(
      `${what}a palette has 1 to 256 colors of 3 values, and its pixels are 8-bit indices; check it`,
    );
  }
  if (pixels.some((index) => index >= colors)) {
    throw new MammolabError(`${what}an index lies outside of its palette of ${colors} colors; check the indices`);
  }
}

function unfiltered(samples: Uint8Array, stride: number, height: number): Uint8Array {
  const rows = new Uint8Array((stride + 1) * height);
  for (let i = 0; i < height; i++) rows.set(samples.subarray(i * stride, (i + 1) * stride), i * (stride + 1) + 1);
  return rows;
}

function bigEndian(values: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value;
  }
  return bytes;
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const out = new Uint8Array(content.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, content.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(content, 8);
  view.setUint32(content.length + 8, crc32(out.subarray(4, content.length + 8)));
  return out;
}
