import { crc32, deflateSync } from "node:zlib";

/** PNG of 8-bit samples: `palette` given → color type 3, `channels` 1 → 0, 3 → 2 (PNG specification, 3rd edition, 11.2). */
export function encodePng(
  pixels: Uint8Array,
  { height, width, channels = 1, palette }: {
    readonly height: number;
    readonly width: number;
    readonly channels?: 1 | 3 | 4;
    readonly palette?: Uint8Array;
  },
): Uint8Array<ArrayBuffer> {
  const stride = width * channels;
  const filtered = new Uint8Array((stride + 1) * height);
  const up = palette ? 0 : 2;
  for (let i = 0; i < height; i++) {
    const to = i * (stride + 1);
    filtered[to] = up;
    for (let k = 0; k < stride; k++) {
      const value = pixels[i * stride + k]!;
      filtered[to + 1 + k] = up && i > 0 ? value - pixels[(i - 1) * stride + k]! : value;
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, palette ? 3 : [0, 0, 0, 2, 6][channels]!, 0, 0, 0], 8);
  const chunks = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", deflateSync(filtered, { level: palette ? 9 : 6 })),
    chunk("IEND", new Uint8Array(0)),
  ];
  const out = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of chunks) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(body, 8);
  view.setUint32(body.length + 8, crc32(out.subarray(4, body.length + 8)));
  return out;
}
