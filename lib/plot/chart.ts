import { type Figure, figureOf } from "./figure.ts";
import { chartPicture } from "./_stills.ts";
import type { PlotlyFigure } from "./plotly.ts";

/** Size and words of a chart. */
export type ChartOptions = {
  /** What the chart shows, in one sentence: for readers of text and screen readers. */
  readonly text: string;
  /** Pixels; default 420. */
  readonly height?: number;
  /** Pixels; default 640. */
  readonly width?: number;
};

/**
 * Any plotly figure (lines, bars, heat maps, contours, boxes, histograms, violins, pies) as a value with a still picture. The still is
 * drawn by the same plotly without a browser, so it cannot differ from the interactive chart.
 *
 * @example
 * ```ts
 * import { chart } from "mammolab/plot";
 * import { assertEquals } from "@std/assert";
 * const loss = chart({ data: [{ type: "scatter", y: [3, 2, 1.5] }], layout: {} }, { text: "The loss falls from 3 to 1.5" });
 * assertEquals(loss.layout.height, 420);
 * ```
 */
export function chart(
  { data, layout }: PlotlyFigure,
  { text, height = 420, width = 640 }: ChartOptions,
): Figure {
  // plotly's own margins take a third of a small chart; legends and color bars make their room themselves
  const margin = { l: 70, r: 20, t: layout.title ? 50 : 20, b: 55 };
  const sized = { margin, ...withTitles(layout), height, width };
  return figureOf({
    data,
    layout: sized,
    text,
    still: () => chartPicture({ data, layout: sized }, { height, width, scale: 1 }),
  });
}

/** Titles as plotly 4 reads them: plain texts, which plotly 2 took as well, would be left out without a word. */
function withTitles(layout: PlotlyFigure["layout"]): PlotlyFigure["layout"] {
  return Object.fromEntries(
    Object.entries(layout).map(([key, value]) => {
      if (key === "title" && typeof value === "string") return [key, { text: value }];
      const axis = /^[xy]axis\d*$/.test(key) && typeof value === "object" && value !== null;
      return [key, axis ? withTitles(value as PlotlyFigure["layout"]) : value];
    }),
  );
}
