// Pictures of bytes and the few strokes that figures need. These functions draw into their first argument.

/** An opaque picture, `[height, width, 3]` bytes sRGB. */
export type Picture = { readonly data: Uint8Array; readonly height: number; readonly width: number };

/** How much of each pixel is ink, `[height, width]`, 0..255. */
export type Ink = { readonly data: Uint8Array; readonly height: number; readonly width: number };

export type Color = readonly [red: number, green: number, blue: number];

export const black: Color = [0, 0, 0];
export const white: Color = [255, 255, 255];
/** Text beside a picture: readable, but quieter than the film. */
export const quiet: Color = [200, 200, 200];

export function blank(height: number, width: number, [red, green, blue]: Color = black): Picture {
  const data = new Uint8Array(height * width * 3);
  if (red || green || blue) { for (let at = 0; at < data.length; at += 3) data.set([red, green, blue], at); }
  return { data, height, width };
}

/** Copies a picture into another, which must be large enough. */
export function paste(onto: Picture, picture: Picture, x: number, y: number): void {
  for (let i = 0; i < picture.height; i++) {
    const row = picture.data.subarray(i * picture.width * 3, (i + 1) * picture.width * 3);
    onto.data.set(row, ((y + i) * onto.width + x) * 3);
  }
}

/** Lays ink over a picture; what falls outside is not drawn. */
export function drawInk(onto: Picture, ink: Ink, x: number, y: number, color: Color): void {
  for (let i = 0; i < ink.height; i++) {
    for (let j = 0; j < ink.width; j++) mix(onto, x + j, y + i, color, ink.data[i * ink.width + j]! / 255);
  }
}

/** A ring whose middle line has this radius, with soft edges. */
export function drawRing(onto: Picture, x: number, y: number, radius: number, thickness: number, color: Color): void {
  const reach = Math.ceil(radius + thickness / 2 + 1);
  for (let i = Math.floor(y) - reach; i <= y + reach; i++) {
    for (let j = Math.floor(x) - reach; j <= x + reach; j++) {
      const distance = Math.abs(Math.hypot(j + 0.5 - x, i + 0.5 - y) - radius);
      mix(onto, j, i, color, Math.min(1, Math.max(0, thickness / 2 + 0.5 - distance)));
    }
  }
}

function mix({ data, height, width }: Picture, x: number, y: number, color: Color, share: number): void {
  if (share <= 0 || x < 0 || y < 0 || x >= width || y >= height) return;
  const at = (y * width + x) * 3;
  for (let k = 0; k < 3; k++) data[at + k] = Math.round(data[at + k]! * (1 - share) + color[k]! * share);
}
