/**
 * Figures as values: plotly JSON, a still picture and a sentence together.
 *
 * Nothing heavy is loaded before a figure is shown: plotly, its document and its rasterizer wait in a worker.
 *
 * @module
 */
export { attention, type AttentionOptions } from "./attention.ts";
export { heads, type HeadsOptions } from "./heads.ts";
export { film, type FilmOptions } from "./film.ts";
export { exam, type ExamFilms, type ExamOptions, type ExamViewName } from "./exam.ts";
export { chart, type ChartOptions } from "./chart.ts";
export { contactSheet, type SheetCell, type SheetOptions, type SheetRow } from "./contact_sheet.ts";
export { report, type ReportFilm, type ReportParts } from "./report.ts";
export { overlay, type OverlayOptions } from "./overlay.ts";
export { type ColorMap, colorMap, type ColorMapName } from "./colors.ts";
export { type Figure, jupyterDisplay, type MimeBundle, type Still } from "./figure.ts";
export type { PlotlyFigure } from "./plotly.ts";
