/** A plotly figure as plain JSON: traces and layout of plotly.js 4 (cartesian bundle). */
export type PlotlyFigure = {
  /** Traces, first drawn first. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
};
