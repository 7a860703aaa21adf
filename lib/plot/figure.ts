import { quantize } from "./_quantize.ts";
import { type Picture } from "./_canvas.ts";
import { encodePng } from "../io/mod.ts";
import { figurePage } from "./_page.ts";
import type { PlotlyFigure } from "./plotly.ts";

/** The method that Jupyter kernels ask for what to show; `Symbol.for("Jupyter.display")`. */
export const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display") as typeof jupyterDisplay;

/** MIME type → content, as Jupyter's `display_data` takes it; `image/png` is base64. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** A figure as a value: the last expression of a notebook cell shows it. */
export type Figure = PlotlyFigure & {
  /** The figure in one sentence, for readers of text and for `alt`. */
  readonly text: string;
  /** A still picture; no browser is needed. */
  readonly toPng: () => Promise<Uint8Array<ArrayBuffer>>;
  /** A page that works without network, with the figure to zoom and hover. */
  readonly toHtml: () => Promise<string>;
  /** Plotly JSON, picture and text together: every viewer shows one of them. */
  readonly [jupyterDisplay]: () => Promise<MimeBundle>;
};

/** A picture without anything to zoom or hover, such as a sheet of many films. */
export type Still = Pick<Figure, "text" | "toPng" | typeof jupyterDisplay>;

/** Makes a still; nothing is drawn before it is shown. */
export function stillOf({ text, still }: Pick<FigureParts, "text" | "still">): Still {
  let png: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const toPng = () => png ??= still().then(smallPng);
  return {
    text,
    toPng,
    [jupyterDisplay]: async () => ({ "image/png": (await toPng()).toBase64(), "text/plain": text }),
  };
}

/** What a figure is made of. */
export type FigureParts = PlotlyFigure & {
  readonly text: string;
  /** Draws the still picture. */
  readonly still: () => Promise<Picture>;
};

/** Makes a figure; nothing is drawn before it is shown. */
export function figureOf({ data, layout, text, still }: FigureParts): Figure {
  const picture = stillOf({ text, still });
  return {
    ...picture,
    data,
    layout,
    toHtml: () => figurePage({ data, layout, text }),
    [jupyterDisplay]: async () => ({
      "application/vnd.plotly.v1+json": { data, layout, config: { displaylogo: false } },
      ...await picture[jupyterDisplay](),
    }),
  };
}

/** 128 colors are enough for the screen, and a notebook stays small: an overlay takes 39 kB, with 256 colors 51. */
function smallPng(picture: Picture): Uint8Array<ArrayBuffer> {
  const { indices, palette, height, width } = quantize(picture, 128);
  return encodePng(indices, { height, width, palette });
}
