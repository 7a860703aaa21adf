// plotly's own drawing without a browser: the figure object of the interactive chart becomes SVG text in happy-dom.
// Each patch below was a visible defect before.
import { Window } from "happy-dom";
import plotlyCode from "plotly.js/plotly-cartesian.min.js" with { type: "text" };
import { encodePng } from "../io/mod.ts";
import { fontFamily, fontFile, textWidthOf } from "./_font.ts";
import { pathLength, pointAlong, svgBoxes, type SvgElement } from "./_svg_box.ts";
import type { PlotlyFigure } from "./plotly.ts";

/** Draws figures as SVG, in a document of its own. */
export type SvgDrawer = AsyncDisposable & {
  readonly draw: (figure: PlotlyFigure, size: { readonly height: number; readonly width: number }) => Promise<string>;
};

type Plotly = { toImage(figure: unknown, options: unknown): Promise<string> };

/** Loads plotly into a document of its own; takes about a second. */
export async function openPlotly(): Promise<SvgDrawer> {
  const window = new Window({ url: "http://localhost/", width: 1600, height: 1200 });
  const { boxOf, onPage, lengthOf } = svgBoxes(textWidthOf(await Deno.readFile(fontFile)));
  const geometry = {
    getBBox(this: SvgElement) {
      return boxOf(this);
    },
    getBoundingClientRect(this: SvgElement) {
      const { x, y, width, height } = onPage(this);
      return { x, y, width, height, left: x, top: y, right: x + width, bottom: y + height };
    },
    getComputedTextLength(this: SvgElement) {
      return lengthOf(this);
    },
    getTotalLength(this: SvgElement) {
      return pathLength(this);
    },
    getPointAtLength(this: SvgElement, length: number) {
      return pointAlong(this, length);
    },
  };
  // happy-dom has its own answers (all zero) on these prototypes
  for (const name of ["SVGElement", "SVGGraphicsElement", "SVGGeometryElement", "SVGTextElement"] as const) {
    Object.assign(window[name].prototype, geometry);
  }
  Object.assign(window.HTMLCanvasElement.prototype, canvasMethods);
  Object.assign(window.URL, { createObjectURL: () => "blob:none", revokeObjectURL: () => {} });

  const names = documentNames.filter((name) => name in window);
  const run = new Function("window", "self", ...names, `${plotlyCode};return window.Plotly;`);
  const plotly: Plotly = run(window, window, ...names.map((name) => window[name]));
  const draw: SvgDrawer["draw"] = async ({ data, layout }, { height, width }) => {
    const font = { family: fontFamily, ...(layout.font as Record<string, unknown> | undefined) };
    const figure = { data: structuredClone(data), layout: { ...structuredClone(layout), font, height, width } };
    const svg = await plotly.toImage(figure, { format: "svg", width, height, imageDataOnly: true });
    // resvg takes url(#id) only: with quotes color bars come out black
    return svg.replaceAll(/url\((?:'|&quot;|")(#[^'"&)]+)(?:'|&quot;|")\)/g, "url($1)");
  };
  return { draw, [Symbol.asyncDispose]: () => window.happyDOM.close() };
}

/** What plotly takes from the global scope of a page. */
const documentNames = [
  "document",
  "navigator",
  "URL",
  "DOMParser",
  "XMLSerializer",
  "Node",
  "Element",
  "HTMLElement",
  "SVGElement",
  "getComputedStyle",
  "requestAnimationFrame",
  "cancelAnimationFrame",
] as const;

type Pixels = { data: Uint8ClampedArray; width: number; height: number };
type Canvas = { width: number; height: number; pixels?: Pixels };

/** The little of a canvas that plotly's heat map asks for: pixels in, data URI out. */
const canvasMethods = {
  getContext(this: Canvas) {
    return {
      createImageData: (width: number, height: number): Pixels => ({
        data: new Uint8ClampedArray(width * height * 4),
        width,
        height,
      }),
      putImageData: (pixels: Pixels) => {
        this.pixels = pixels;
      },
    };
  },
  toDataURL(this: Canvas): string {
    const { data, width, height } = this.pixels!;
    const png = encodePng(new Uint8Array(data.buffer), { width, height, channels: 4 });
    return `data:image/png;base64,${png.toBase64()}`;
  },
};
