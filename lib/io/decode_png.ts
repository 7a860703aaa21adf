import { crc32, inflateSync } from "node:zlib";
import { release } from "../base/mod.ts";
import { concat } from "./_bytes.ts";
import { defaultLimits } from "./limits.ts";
import { checkSize, copyAgain, type GreyPicture, type PictureLimits, reading, refuse, saveAsGrey } from "./picture.ts";
import { grey16 } from "./_pixel_kernel.ts";
import { unfilter } from "./_png_filters.ts";

/** Bytes that every PNG begins with. */
export const pngSignature: Uint8Array = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Reads a grey PNG (PNG specification, third edition): 1 to 16 bits, with or without transparency, interlaced or not, and
 * color and palette files in which red, green and blue are equal everywhere. All 16 bits are kept.
 *
 * Nothing is inflated beyond what the header promises, and a file that is cut, damaged or longer than it says is refused.
 *
 * @throws MammolabError when it is no PNG, is damaged, holds colors, or claims more than `maxPixels`
 *
 * @example
 * ```ts
 * import { decodePng, encodePng } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * const film = Uint16Array.of(0, 4095, 65535, 7);
 * assertEquals(decodePng(encodePng(film, { height: 2, width: 2 })).data, film);
 * ```
 */
export function decodePng(bytes: Uint8Array, { maxPixels = defaultLimits.maxPixels }: PictureLimits = {}): GreyPicture {
  return reading("the PNG", () => {
    const file = chunksOf(bytes, maxPixels);
    const raw = inflated(file);
    const samples = samplesOf(file, raw);
    release(raw);
    return greyOf(file, samples);
  });
}

type Header = {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
};
type File = {
  readonly header: Header;
  readonly palette?: Uint8Array;
  readonly transparency: boolean;
  readonly data: readonly Uint8Array[];
};

/** Samples a pixel by color type: grey, -, RGB, palette, grey and alpha, -, RGB and alpha. */
const channelsOf: Readonly<Record<Header["color"], number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Bit depths by color type (PNG specification, table 11.1). */
const depthsOf: Readonly<Record<Header["color"], readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

function chunksOf(bytes: Uint8Array, maxPixels: number): File {
  if (!pngSignature.every((byte, i) => bytes[i] === byte)) refuse("it does not begin like a PNG; choose another file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  let transparency = false;
  const data: Uint8Array[] = [];
  for (let at = 8;;) {
    if (at + 12 > bytes.length) refuse(`it ends after ${bytes.length} bytes, before its end mark; ${copyAgain}`);
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) refuse(`it ends after ${bytes.length} bytes, in the middle of its data; ${copyAgain}`);
    if (view.getUint32(end - 4) !== crc32(bytes.subarray(at + 4, end - 4))) {
      refuse(`the check sum at byte ${end - 4} is wrong; ${copyAgain}`);
    }
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, end - 4);
    if (!header && type !== "IHDR") refuse("its first part is not the header; export it again");
    if (type === "IHDR") header ??= headerOf(content, maxPixels);
    else if (type === "PLTE") palette = content;
    else if (type === "tRNS") transparency = true;
    else if (type === "IDAT") data.push(content);
    else if (type === "IEND") break;
    else if ((bytes[at + 4] as number) < 0x60) refuse("it has a part that a PNG does not have; export it again"); // an unknown critical chunk
    at = end;
  }
  if (!header || data.length === 0) refuse("it has no pixels; export it again");
  if (header.color === 3 && !palette) refuse("it has no palette; export it again");
  return { header, transparency, data, ...(palette ? { palette } : {}) };
}

function headerOf(content: Uint8Array, maxPixels: number): Header {
  if (content.length !== 13) refuse("its header has a wrong length; export it again");
  const view = new DataView(content.buffer, content.byteOffset);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color, compression, filter, interlace] = content.subarray(8) as unknown as number[];
  checkSize(width, height, maxPixels);
  const depths: readonly number[] | undefined = depthsOf[color as Header["color"]];
  if (!depths?.includes(depth as number)) {
    refuse(`bit depth ${depth} with color type ${color} does not exist; export it again`);
  }
  if (compression !== 0 || filter !== 0 || (interlace as number) > 1) {
    refuse("it uses a method that PNG does not define; export it again");
  }
  return { width, height, depth: depth as number, color: color as Header["color"], interlaced: interlace === 1 };
}

/** A sub-picture of its own rows: the whole, or one of the seven passes of Adam7 (PNG specification, section 8.1). */
type Pass = {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
};

function passesOf({ width, height, interlaced }: Header): readonly Pass[] {
  if (!interlaced) return [{ x: 0, y: 0, dx: 1, dy: 1, width, height }];
  return adam7.map(([x, y, dx, dy]) => ({
    x,
    y,
    dx,
    dy,
    width: Math.ceil((width - x) / dx),
    height: Math.ceil((height - y) / dy),
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [
  0,
  1,
  1,
  2,
]] as const;

function strideOf({ depth, color }: Header, { width }: Pass): number {
  return Math.ceil((width * channelsOf[color] * depth) / 8);
}

function inflated({ header, data }: File): Uint8Array {
  const promised = passesOf(header).reduce((sum, pass) => sum + (strideOf(header, pass) + 1) * pass.height, 0);
  let raw: Uint8Array;
  try {
    // One chunk of the right size saves joining 16 KB pieces, unless it would be reserved for nothing.
    raw = inflateSync(concat(data), {
      maxOutputLength: promised,
      chunkSize: Math.min(Math.max(promised + 1, 64), 32e6),
    });
  } catch (error) {
    const longer = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return refuse(
      longer
        ? `its data holds more than the ${promised} bytes that its size needs; leave it out`
        : `its compressed data is damaged or cut; ${copyAgain}`,
    );
  }
  if (raw.length !== promised) {
    refuse(`its data holds ${raw.length} bytes, its size needs ${promised}; ${copyAgain}`);
  }
  return raw;
}

/** All samples as `[height, width, channels]`, 16-bit ones joined. */
function samplesOf({ header }: File, raw: Uint8Array): Uint8Array | Uint16Array {
  const { width, height, depth, color, interlaced } = header;
  const fast = depth === 16 && color === 0 && !interlaced ? grey16(raw, header) : undefined;
  if (fast) return fast;
  const channels = channelsOf[color];
  const out = depth === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  let at = 0;
  for (const pass of passesOf(header)) {
    const stride = strideOf(header, pass);
    const rows = raw.subarray(at, at += (stride + 1) * pass.height);
    unfilter(rows, { stride, height: pass.height, bytesPerPixel: Math.max(1, (channels * depth) >> 3) });
    const line = interlaced ? out.slice(0, pass.width * channels) : undefined;
    for (let i = 0; i < pass.height; i++) {
      const row = rows.subarray(i * (stride + 1) + 1, (i + 1) * (stride + 1));
      if (!line) {
        unpack(row, depth, out.subarray(i * width * channels, (i + 1) * width * channels));
        continue;
      }
      unpack(row, depth, line);
      for (let j = 0; j < pass.width; j++) {
        const to = ((pass.y + i * pass.dy) * width + pass.x + j * pass.dx) * channels;
        for (let c = 0; c < channels; c++) out[to + c] = line[j * channels + c] as number;
      }
    }
  }
  return out;
}

function unpack(row: Uint8Array, depth: number, to: Uint8Array | Uint16Array): void {
  const count = to.length;
  if (depth === 8) to.set(row);
  else if (depth === 16) {
    for (let k = 0; k < count; k++) to[k] = ((row[2 * k] as number) << 8) | (row[2 * k + 1] as number);
  } else {
    const mask = (1 << depth) - 1;
    for (let k = 0; k < count; k++) {
      const bit = k * depth;
      to[k] = ((row[bit >> 3] as number) >> (8 - depth - (bit & 7))) & mask; // leftmost pixel in the high bits
    }
  }
}

function greyOf({ header, palette, transparency }: File, samples: Uint8Array | Uint16Array): GreyPicture {
  const { width, height, depth, color } = header;
  const warnings = transparency ? ["Its transparency was ignored"] : [];
  const picture = (data: Uint8Array | Uint16Array, bits: number): GreyPicture => ({
    data,
    height,
    width,
    bits,
    white: 2 ** bits - 1,
    warnings,
  });
  if (color === 0) return picture(samples, depth);
  if (color === 3) return picture(throughPalette(samples, palette as Uint8Array), 8);

  const channels = channelsOf[color];
  const data = depth === 16 ? new Uint16Array(width * height) : new Uint8Array(width * height);
  const opaque = 2 ** depth - 1;
  let seeThrough = false;
  for (let i = 0; i < data.length; i++) {
    const k = i * channels;
    const grey = samples[k] as number;
    if (channels > 2 && (samples[k + 1] !== grey || samples[k + 2] !== grey)) refuseColor(i, width);
    if (channels % 2 === 0 && samples[k + channels - 1] !== opaque) seeThrough = true;
    data[i] = grey;
  }
  if (seeThrough) warnings.push("Its transparency was ignored");
  return picture(data, depth);
}

function throughPalette(indices: Uint8Array | Uint16Array, palette: Uint8Array): Uint8Array {
  const entries = Math.floor(palette.length / 3);
  const data = new Uint8Array(indices.length);
  for (let i = 0; i < data.length; i++) {
    const k = 3 * (indices[i] as number);
    if (k >= 3 * entries) refuse("a pixel lies outside of its palette; export it again");
    const grey = palette[k] as number;
    if (palette[k + 1] !== grey || palette[k + 2] !== grey) refuse(`it is a color picture; ${saveAsGrey}`);
    data[i] = grey;
  }
  return data;
}

function refuseColor(i: number, width: number): never {
  return refuse(
    `it is a color picture (row ${Math.floor(i / width)}, column ${i % width} is not grey); ${saveAsGrey}`,
  );
}
