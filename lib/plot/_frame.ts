import { blank, type Color, drawInk, type Ink, paste, type Picture, quiet, white } from "./_canvas.ts";
import { inkOf } from "./_stills.ts";
import { colorMap, type ColorMapName } from "./colors.ts";

/** The numbers that stand for the colors at the side of a picture. */
export type ColorScale = {
  readonly low: number;
  readonly high: number;
  readonly colors: ColorMapName;
  /** Of the highest number, as laid over the film; the scale shows the colors as over a middle grey. */
  readonly opacity: number;
};

const margin = 12;
export const background: Color = [18, 18, 20];
const middleGrey = 90;
const barWidth = 14;

/** A picture with its title above, its color scale at the right, its caption below. */
export async function framed(
  { picture, title, caption, scale }: {
    readonly picture: Picture;
    readonly title?: string;
    readonly caption?: string;
    readonly scale?: ColorScale;
  },
): Promise<Picture> {
  const ticks = scale ? ticksOf(scale) : [];
  const room = Math.max(picture.width + (scale ? 70 : 0), 300);
  const inks = await inkOf([
    { text: title ?? "", size: 16, width: room },
    { text: caption ?? "", size: 12, width: room },
    ...ticks.map(({ text }) => ({ text, size: 12 })),
  ]);
  const [titleInk, captionInk, ...tickInks] = inks as [Ink, Ink, ...Ink[]];
  const above = title ? titleInk.height + margin : 0;
  const below = caption ? captionInk.height + margin : 0;
  const beside = scale ? margin + barWidth + 8 + Math.max(...tickInks.map(({ width }) => width)) : 0;
  const inner = Math.max(picture.width + beside, title ? titleInk.width : 0, caption ? captionInk.width : 0);

  const out = blank(picture.height + above + below + 2 * margin, inner + 2 * margin, background);
  const top = margin + above;
  if (title) drawInk(out, titleInk, margin, margin, white);
  paste(out, picture, margin, top);
  if (caption) drawInk(out, captionInk, margin, top + picture.height + margin, quiet);
  if (scale) {
    const x = margin + picture.width + margin;
    paste(out, barOf(scale, picture.height), x, top);
    for (const [i, { share }] of ticks.entries()) {
      const y = top + Math.round((1 - share) * (picture.height - 1));
      paste(out, blank(1, 4, quiet), x + barWidth, y);
      const ink = tickInks[i]!;
      const first = Math.min(Math.max(y - Math.round(ink.height / 2), top), top + picture.height - ink.height);
      drawInk(out, ink, x + barWidth + 8, first, quiet);
    }
  }
  return out;
}

function barOf({ colors, opacity }: ColorScale, height: number): Picture {
  const map = colorMap(colors);
  const bar = blank(height, barWidth);
  for (let i = 0; i < height; i++) {
    const share = height > 1 ? 1 - i / (height - 1) : 1;
    const at = Math.round(share * 255) * 3;
    const alpha = opacity * share;
    const color = [0, 1, 2].map((k) => Math.round(middleGrey * (1 - alpha) + map[at + k]! * alpha));
    for (let j = 0; j < barWidth; j++) bar.data.set(color, (i * barWidth + j) * 3);
  }
  return bar;
}

/** Round numbers (1, 2 or 5 times a power of ten apart), about five. */
export function ticksOf({ low, high }: Pick<ColorScale, "low" | "high">): readonly { share: number; text: string }[] {
  const span = high - low;
  if (!(span > 0)) return [{ share: 1, text: String(Number(high.toPrecision(3))) }];
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 6)!;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks: { share: number; text: string }[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    const value = k * step;
    const text = Math.abs(high) < 1e-4 ? value.toExponential(1) : value.toFixed(digits);
    ticks.push({ share: (value - low) / span, text });
  }
  return ticks;
}
