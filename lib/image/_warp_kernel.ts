// Drives _warp_kernel.wat: a 224 × 224 color picture is turned in a fifth of the time of the same loops in TypeScript.
import { kernelBytes } from "./_warp_kernel_bytes.ts";
import { type Image, isAffine, type SourceMap } from "./image.ts";
import type { WarpOptions } from "./warp.ts";

type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly warp: (
    picture: number,
    stride: number,
    width: number,
    height: number,
    color: number,
    edge: number,
    out: number,
    lines: number,
    count: number,
    x: number,
    y: number,
    dx: number,
    dy: number,
    ex: number,
    ey: number,
    xs: number,
    ys: number,
    step: number,
  ) => void;
};

/** One instance a thread, made at the first warp; its memory holds nothing between two calls. */
let kernel: Kernel | undefined;

function loadKernel(): Kernel {
  const bytes = Uint8Array.from(atob(kernelBytes), (letter) => letter.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernel;
}

/** Larger pictures are not copied into the kernel's memory, which never shrinks. */
const mostBytes = 64 << 20;

/**
 * Bilinear, beyond the picture 0 or its edge: the values of `warp` for one or three channels.
 *
 * @returns `[height, width, channels]`; nothing where the kernel is not made for the picture
 */
export function warpByKernel(
  { data, height, width, channels }: Image,
  map: SourceMap,
  size: { readonly height: number; readonly width: number },
  { border = "zero", into }: WarpOptions,
): Float32Array | undefined {
  const stride = (width + 2) * channels * 4;
  const pictureBytes = (height + 2) * stride;
  const positions = size.height * size.width;
  const mapBytes = isAffine(map) ? 0 : 8 * positions;
  const bytes = pictureBytes + mapBytes + positions * channels * 4 + 64;
  if ((channels !== 1 && channels !== 3) || bytes > mostBytes) return undefined;
  kernel ??= loadKernel();

  const zeroAt = pictureBytes + 16; // the last load may reach 4 bytes beyond the frame
  const xsAt = zeroAt + 16;
  const outAt = xsAt + mapBytes;
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  const floats = new Float32Array(kernel.memory.buffer);
  copyFramed(data, floats, { height, line: width * channels, channels, border });

  const [color, edge, { height: lines, width: count }] = [channels === 3 ? 1 : 0, border === "edge" ? 1 : 0, size];
  if (isAffine(map)) {
    // Points of the result are pixel centers (+ ½); centers of the framed picture are at whole numbers (+ 1 − ½).
    const [a, b, c, d, e, f] = map;
    const [x, y] = [(a + b) / 2 + c + 0.5, (d + e) / 2 + f + 0.5];
    floats[zeroAt / 4] = 0;
    kernel.warp(0, stride, width, height, color, edge, outAt, lines, count, x, y, a, d, b, e, zeroAt, zeroAt, 0);
  } else {
    const ysAt = xsAt + 4 * positions;
    floats.set(map.x, xsAt / 4);
    floats.set(map.y, ysAt / 4);
    kernel.warp(0, stride, width, height, color, edge, outAt, lines, count, 0.5, 0.5, 0, 0, 0, 0, xsAt, ysAt, 4);
  }
  const values = floats.subarray(outAt / 4, outAt / 4 + positions * channels);
  if (into?.length !== values.length) return values.slice();
  into.set(values);
  return into;
}

/** Copies a picture into a frame of one pixel, which is 0 or repeats the edge, and zeros behind it. */
function copyFramed(
  data: Float32Array,
  into: Float32Array,
  { height, line, channels, border }: {
    readonly height: number;
    readonly line: number;
    readonly channels: number;
    readonly border: NonNullable<WarpOptions["border"]>;
  },
): void {
  const wide = line + 2 * channels;
  for (let i = 0; i < height; i++) {
    const at = (i + 1) * wide + channels;
    into.set(data.subarray(i * line, (i + 1) * line), at);
    for (let channel = 0; channel < channels; channel++) {
      into[at - channels + channel] = border === "edge" ? into[at + channel]! : 0;
      into[at + line + channel] = border === "edge" ? into[at + line - channels + channel]! : 0;
    }
  }
  const last = (height + 1) * wide;
  if (border === "edge") {
    into.copyWithin(0, wide, 2 * wide);
    into.copyWithin(last, last - wide, last);
  } else {
    into.fill(0, 0, wide);
    into.fill(0, last, last + wide);
  }
  into.fill(0, last + wide, last + wide + 4);
}
