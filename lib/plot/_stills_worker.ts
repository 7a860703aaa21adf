// The one worker in which pictures get their text and charts their stills. What is heavy is loaded at the first need:
// imagescript (0.1 s), or plotly, happy-dom and resvg (1.5 s).
import { parentPort } from "node:worker_threads";
import type { Ink, Picture } from "./_canvas.ts";
import { fontFamily, fontFile } from "./_font.ts";
import type { SvgDrawer } from "./_plotly_svg.ts";
import type { PlotlyFigure } from "./plotly.ts";

/** A text, its size in pixels (1 em), and where it is broken into rows: at words that would end beyond `width`. */
export type TextLine = { readonly text: string; readonly size: number; readonly width?: number };

/** What the worker does. */
export type StillsJob =
  | { readonly kind: "text"; readonly lines: readonly TextLine[] }
  | {
    readonly kind: "chart";
    readonly figure: PlotlyFigure;
    readonly height: number;
    readonly width: number;
    readonly scale: number;
  };

/** What comes back: one ink a line, or the picture. */
export type StillsResult = readonly Ink[] | Picture;

async function writeLines(lines: readonly TextLine[]): Promise<Ink[]> {
  // imagescript 1.3.1 asks Deno 1 for its UTF-8 codec; this worker has a `Deno` of its own, the program's is untouched
  if (!("core" in Deno)) {
    Object.defineProperty(Deno, "core", {
      value: {
        encode: (text: string) => new TextEncoder().encode(text),
        decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
      },
    });
  }
  const { Image, TextLayout } = await import("imagescript");
  const font = await Deno.readFile(fontFile);
  const inks: Ink[] = [];
  for (const { text, size, width: maxWidth = Infinity } of lines) {
    const layout = new TextLayout({ maxWidth, wrapStyle: "word" });
    const visible = text.normalize("NFC").replaceAll(/[\s\p{C}\p{M}]+/gu, " ").trim(); // nothing that a font draws without width
    if (visible === "") {
      inks.push({ width: 0, height: 0, data: new Uint8Array(0) });
      continue;
    }
    const image = await Image.renderText(font, size, visible, 0xffffffff, layout);
    const { width, height, bitmap } = image;
    inks.push({ width, height, data: Uint8Array.from({ length: width * height }, (_, i) => bitmap[i * 4 + 3]!) });
  }
  return inks;
}

let plotly: Promise<SvgDrawer> | undefined;

async function drawChart({ figure, height, width, scale }: Extract<StillsJob, { kind: "chart" }>): Promise<Picture> {
  plotly ??= import("./_plotly_svg.ts").then(({ openPlotly }) => openPlotly());
  const { Resvg } = await import("@resvg/resvg-js");
  const svg = await (await plotly).draw(figure, { height, width });
  const drawn = new Resvg(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: scale },
    font: { loadSystemFonts: false, fontFiles: [fontFile], defaultFontFamily: fontFamily },
  }).render();
  const rgba = drawn.pixels;
  const data = new Uint8Array(drawn.width * drawn.height * 3);
  for (let i = 0; i < drawn.width * drawn.height; i++) {
    for (let k = 0; k < 3; k++) data[i * 3 + k] = rgba[i * 4 + k]!;
  }
  return { data, height: drawn.height, width: drawn.width };
}

parentPort!.on("message", async ({ id, job }: { id: number; job: StillsJob }) => {
  try {
    const result: StillsResult = job.kind === "text" ? await writeLines(job.lines) : await drawChart(job);
    parentPort!.postMessage({ id, result });
  } catch (error) {
    parentPort!.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
