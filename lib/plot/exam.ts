import { MammolabError } from "../base/mod.ts";
import type { Relevance } from "../explain/mod.ts";
import { moveRegion, type Region } from "../image/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import { blank, drawInk, paste, type Picture, quiet } from "./_canvas.ts";
import { darkRoom, emptyTrace, filmAxes, filmImage, filmUri, mapTrace, onScreen, titled } from "./_film.ts";
import { background, framed } from "./_frame.ts";
import { inkOf } from "./_stills.ts";
import { type Figure, figureOf } from "./figure.ts";
import { drawOutline, filmPicture, fromSource, movedTo, overlayPicture } from "./overlay.ts";

/** The four standard views of an exam. */
export type ExamViewName = "rightCc" | "leftCc" | "rightMlo" | "leftMlo";

/** As many of the four views as there are. */
export type ExamFilms = { readonly [name in ExamViewName]?: Pick<Mammogram, "image"> };

/** How an exam is shown. */
export type ExamOptions = {
  /** One line above the pictures, in plain text. */
  readonly title?: string;
  /** A map to lay over a view. */
  readonly relevance?: { readonly [name in ExamViewName]?: Relevance };
  /** Regions to outline in a view, in source pixels: lesions. */
  readonly outlines?: { readonly [name in ExamViewName]?: readonly Region[] };
  /** A line below the pictures. */
  readonly note?: string;
};

/** The hanging of screening: the patient's right breast at the left, chest walls together, CC above MLO. */
const hanging: readonly (readonly [ExamViewName, string])[] = [
  ["rightCc", "R CC"],
  ["leftCc", "L CC"],
  ["rightMlo", "R MLO"],
  ["leftMlo", "L MLO"],
];

/**
 * The four views of an exam side by side, with relevance over them where it is given. Each map has its own scale.
 *
 * @throws MammolabError when the exam has none of the four standard views
 *
 * @example
 * ```ts
 * import { exam } from "mammolab/plot";
 * import { phantomAsExam, phantomExam } from "mammolab/datasets";
 * import { assertEquals } from "@std/assert";
 * const figure = exam(phantomAsExam(phantomExam(1, { mm: 1 })), { title: "Phantom 1" });
 * assertEquals(figure.text, "Phantom 1: R CC, L CC, R MLO, L MLO");
 * ```
 */
export function exam(
  { views }: { readonly views: ExamFilms },
  { title, relevance = {}, outlines = {}, note }: ExamOptions = {},
): Figure {
  const shown = hanging.filter(([name]) => views[name]);
  if (shown.length === 0) {
    throw new MammolabError(
      "Cannot show the exam: it has none of the views L CC, L MLO, R CC, R MLO; show its films one by one",
    );
  }
  const names = shown.map(([, name]) => name).join(", ");
  const text = `${title ?? "Exam"}: ${names}${Object.keys(relevance).length ? ", relevance over them" : ""}`;
  const drawn = new Map(shown.map(([name]) => [name, () => {
    const small = onScreen(views[name]!.image, { height: 330, width: 330 });
    const [map, regions] = [relevance[name], outlines[name] ?? []];
    if (map) return overlayPicture(small, map, { outlines: regions });
    const picture = filmPicture(small);
    for (const region of regions) drawOutline(picture, moveRegion(region, fromSource(small)));
    return picture;
  }]));
  const still = async () =>
    framed({
      picture: await sheet(drawn),
      ...(title === undefined ? {} : { title }),
      ...(note === undefined ? {} : { caption: note }),
    });
  return figureOf({ ...interactive(views, title, relevance), text, still });
}

/** Right views end, left views begin at the middle line. */
async function sheet(drawn: ReadonlyMap<ExamViewName, () => Picture>): Promise<Picture> {
  const gap = 4;
  const inks = await inkOf(hanging.map(([, text]) => ({ text, size: 12 })));
  const pictures = hanging.map(([name]) => drawn.get(name)?.());
  const widthOf = (column: 0 | 1) => Math.max(0, ...[0, 2].map((row) => pictures[row + column]?.width ?? 0));
  const heightOf = (row: 0 | 2) => Math.max(0, ...[0, 1].map((column) => pictures[row + column]?.height ?? 0));
  const middle = widthOf(0) + gap / 2;
  const name = inks[0]!.height + 4;
  const rows = ([0, 2] as const).filter((row) => heightOf(row) > 0);
  const height = rows.reduce<number>((sum, row) => sum + heightOf(row) + name, 0) + gap * (rows.length - 1);
  const out = blank(height, middle + gap / 2 + widthOf(1), background);
  let top = 0;
  for (const row of rows) {
    for (const column of [0, 1] as const) {
      const picture = pictures[row + column];
      if (!picture) continue;
      const ink = inks[row + column]!;
      const x = column === 0 ? middle - gap / 2 - picture.width : middle + gap / 2;
      paste(out, picture, x, top + name);
      drawInk(out, ink, column === 0 ? x : x + picture.width - ink.width, top, quiet);
    }
    top += heightOf(row) + name + gap;
  }
  return out;
}

function interactive(views: ExamFilms, title: string | undefined, relevance: NonNullable<ExamOptions["relevance"]>) {
  const axes: Record<string, unknown> = {};
  const images: unknown[] = [];
  const annotations: unknown[] = [];
  const data: Record<string, unknown>[] = [];
  for (const [place, [name, label]] of hanging.entries()) {
    const image = views[name]?.image;
    if (!image) continue;
    const suffix = images.length === 0 ? "" : String(images.length + 1);
    const [x, y] = [`x${suffix}`, `y${suffix}`];
    const [right, below] = [place % 2 === 1, place > 1];
    const { xaxis, yaxis } = filmAxes(image) as Record<string, object>;
    const [bottom, top] = below ? [0, 0.45] : [0.53, 0.98];
    const domain = right ? [0.502, 1] : [0, 0.498];
    axes[`xaxis${suffix}`] = { ...xaxis, domain, anchor: y, constraintoward: right ? "left" : "right" };
    axes[`yaxis${suffix}`] = { ...yaxis, domain: [bottom, top], anchor: x, scaleanchor: x };
    images.push(filmImage(image, { source: filmUri(image, 150), x, y }));
    annotations.push({
      text: label,
      showarrow: false,
      xref: "paper",
      yref: "paper",
      x: right ? 1 : 0,
      y: top,
      yanchor: "top",
    });
    const map = relevance[name];
    data.push(map ? mapTrace(image, movedTo(map, fromSource(image)), { x, y }) : emptyTrace({ x, y }));
  }
  const layout = {
    ...titled(title),
    ...darkRoom,
    ...axes,
    images,
    annotations,
    height: 720,
    width: 620,
    margin: { l: 10, r: 10, t: title === undefined ? 36 : 70, b: 10 },
  };
  return { data, layout };
}
