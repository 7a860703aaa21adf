// Drives _warp_kernel.wat: a 224 × 224 color picture is turned in a fifth of the time of the same loops in TypeScript.
import { kernelBytes } from "./_warp_kernel_bytes.ts";
import { type Image, isAffine, type SourceMap } from "./image.ts";

type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly warpLine: (
    picture: number,
    stride: number,
    width: number,
    height: number,
    color: number,
    edge: number,
    out: number,
    count: number,
    ...place: [x: number, y: number, dx: number, dy: number, xs: number, ys: number, step: number]
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
  border: "zero" | "edge",
): Float32Array | undefined {
  const stride = (width + 2) * channels * 4;
  const pictureBytes = (height + 2) * stride;
  if ((channels !== 1 && channels !== 3) || pictureBytes > mostBytes) return undefined;
  kernel ??= loadKernel();

  const zeroAt = pictureBytes + 16; // the last load may reach 4 bytes beyond the frame
  const [xsAt, ysAt] = [zeroAt + 16, zeroAt + 16 + 4 * size.width];
  const outAt = ysAt + 4 * size.width;
  const missing = outAt + size.width * channels * 4 + 16 - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
  const floats = new Float32Array(kernel.memory.buffer);
  floats[zeroAt / 4] = 0;
  copyFramed(data, floats, { height, line: width * channels, channels, border });

  const out = new Float32Array(size.height * size.width * channels);
  const line = floats.subarray(outAt / 4, outAt / 4 + size.width * channels);
  const given = [
    0,
    stride,
    width,
    height,
    channels === 3 ? 1 : 0,
    border === "edge" ? 1 : 0,
    outAt,
    size.width,
  ] as const;
  for (let i = 0; i < size.height; i++) {
    if (isAffine(map)) {
      // Points of the result are pixel centers (+ ½); centers of the framed picture are at whole numbers (+ 1 − ½).
      const [a, b, c, d, e, f] = map;
      const x = a * 0.5 + b * (i + 0.5) + c + 0.5;
      const y = d * 0.5 + e * (i + 0.5) + f + 0.5;
      kernel.warpLine(...given, x, y, a, d, zeroAt, zeroAt, 0);
    } else {
      floats.set(map.x.subarray(i * size.width, (i + 1) * size.width), xsAt / 4);
      floats.set(map.y.subarray(i * size.width, (i + 1) * size.width), ysAt / 4);
      kernel.warpLine(...given, 0.5, 0.5, 0, 0, xsAt, ysAt, 4);
    }
    out.set(line, i * line.length);
  }
  return out;
}

/** Copies a picture into a frame of one pixel, which is 0 or repeats the edge, and zeros behind it. */
function copyFramed(
  data: Float32Array,
  into: Float32Array,
  { height, line, channels, border }: {
    readonly height: number;
    readonly line: number;
    readonly channels: number;
    readonly border: "zero" | "edge";
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
