// What all figures of films share: copies that fit a screen, plotly axes in source pixels, maps as grids of numbers.
import { type Relevance, relevanceOnFilm } from "../explain/mod.ts";
import { type Image, isAffine, resizeTo } from "../image/mod.ts";
import { encodePng } from "../io/mod.ts";
import { type ColorMapName, plotlyScale } from "./colors.ts";
import { greyOf, movedTo, relevanceRange } from "./overlay.ts";

/** The longest side of a picture inside JSON, so that a notebook stays small. */
const JSON_SIDE = 300;

/** A copy of a film that fits a screen. */
export function onScreen(image: Image, { height = 500, width = 560 } = {}): Image {
  const scale = Math.min(height / image.height, width / image.width);
  const size = { height: Math.round(image.height * scale) || 1, width: Math.round(image.width * scale) || 1 };
  return resizeTo({ ...size, filter: scale < 1 ? "area" : "bilinear" })(image);
}

/** The film as a data URI in grey, for `layout.images`. */
export function filmUri(image: Image, side: number = JSON_SIDE): string {
  const { data, height, width, channels } = onScreen(image, { height: side, width: side });
  // 64 steps of grey: half the bytes, and no eye sees it at this size
  const grey = Uint8Array.from({ length: height * width }, (_, at) => greyOf(data[at * channels]!) & 0xfc);
  return `data:image/png;base64,${encodePng(grey, { height, width }).toBase64()}`;
}

/** Films are looked at in a dark room. */
export const darkRoom: Readonly<Record<string, unknown>> = {
  // deno-lint-ignore camelcase -- plotly's names
  paper_bgcolor: "rgb(18,18,20)",
  // deno-lint-ignore camelcase
  plot_bgcolor: "rgb(18,18,20)",
  font: { color: "rgb(220,220,220)" },
};

/** Axes in source pixels, y down, one pixel as high as wide. */
export function filmAxes({ height, width }: Image): Readonly<Record<string, unknown>> {
  return {
    xaxis: { range: [0, width], visible: false, constrain: "domain" },
    yaxis: { range: [height, 0], visible: false, constrain: "domain", scaleanchor: "x" },
  };
}

/** The film behind the traces of two axes. */
export function filmImage(
  image: Image,
  { source = filmUri(image), x = "x", y = "y" } = {},
): Readonly<Record<string, unknown>> {
  const { height, width } = image;
  return { source, xref: x, yref: y, x: 0, y: 0, sizex: width, sizey: height, sizing: "stretch", layer: "below" };
}

/** A title right above the picture, as the buttons of plotly are at the top. */
export function titled(title: string | undefined, above = 10): Readonly<Record<string, unknown>> {
  if (title === undefined) return {};
  return {
    title: {
      text: plainText(title),
      x: 0,
      xref: "paper",
      xanchor: "left",
      y: 1,
      yref: "paper",
      yanchor: "bottom",
      pad: { b: above },
    },
  };
}

/** Text that plotly shows as it is: it would take `<b>` and `&amp;` as markup. */
function plainText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Names of two plotly axes. */
export type AxisNames = { readonly x: string; readonly y: string };

const firstAxes: AxisNames = { x: "x", y: "y" };

/** A map over a film as a plotly trace whose cover grows with the number; `map` lies in the image's own pixels. */
export function mapTrace(
  image: Image,
  map: Relevance,
  { x, y }: AxisNames = firstAxes,
  { colors = "magma", opacity = 0.6 }: { readonly colors?: ColorMapName; readonly opacity?: number } = {},
): Record<string, unknown> {
  const { low, high } = relevanceRange(map, image);
  return {
    type: "heatmap",
    ...gridOnFilm(image, map, { low, shown: (value) => Number(value.toPrecision(4)) }),
    xaxis: x,
    yaxis: y,
    zmin: low,
    zmax: high,
    zsmooth: "best",
    showscale: false,
    colorscale: plotlyScale(colors, { opacity, grows: true }),
    hovertemplate: "x %{x:.0f}, y %{y:.0f}<br>relevance %{z:.3g}<extra></extra>",
  };
}

/** plotly draws axes only where there is a trace. */
export function emptyTrace({ x, y }: AxisNames = firstAxes): Record<string, unknown> {
  return { type: "scatter", x: [], y: [], xaxis: x, yaxis: y, showlegend: false, hoverinfo: "skip" };
}

/**
 * The map as rows of numbers in source pixels: the tokens themselves where they lie straight on the film, else about as many
 * cells laid over the whole film.
 *
 * @param shown what is done to each number, such as rounding
 */
function gridOnFilm(
  image: Image,
  relevance: Relevance,
  { low, shown }: { readonly low: number; readonly shown: (value: number) => number },
): Readonly<Record<string, unknown>> {
  const { toSource, height, width } = relevance;
  if (isAffine(toSource) && toSource[1] === 0 && toSource[3] === 0) {
    const [a, , c, , e, f] = toSource;
    const rows = rowsOf(relevance, shown).map((row) => a < 0 ? row.toReversed() : row); // plotly counts to the right
    const z = e < 0 ? rows.toReversed() : rows;
    const left = a < 0 ? c + a * width : c;
    const top = e < 0 ? f + e * height : f;
    return { z, ...spaced(left, Math.abs(a), "x"), ...spaced(top, Math.abs(e), "y") };
  }
  const scale = Math.min(1, 1.5 * Math.max(height, width) / Math.max(image.height, image.width));
  const size = {
    height: Math.max(1, Math.round(image.height * scale)),
    width: Math.max(1, Math.round(image.width * scale)),
  };
  const [right, down] = [size.width / image.width, size.height / image.height];
  const above = { ...relevance, data: relevance.data.map((value) => Math.max(0, value - low)) };
  const data = relevanceOnFilm(movedTo(above, [right, 0, 0, 0, down, 0]), size).map((value) => value + low);
  return { z: rowsOf({ data, ...size }, shown), ...spaced(0, 1 / right, "x"), ...spaced(0, 1 / down, "y") };
}

function rowsOf(
  { data, height, width }: Pick<Relevance, "data" | "height" | "width">,
  shown: (value: number) => number,
): number[][] {
  return Array.from({ length: height }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width), shown));
}

/** Cell centers for plotly. */
function spaced(start: number, step: number, axis: "x" | "y"): Readonly<Record<string, number>> {
  const round = (value: number) => Number(value.toFixed(3));
  return { [`${axis}0`]: round(start + step / 2), [`d${axis}`]: round(step) };
}
