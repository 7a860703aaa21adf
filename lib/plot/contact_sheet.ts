import { MammolabError } from "../base/mod.ts";
import { type Image, moveRegionBack, type Region } from "../image/mod.ts";
import { blank, drawInk, type Ink, paste, type Picture, quiet, white } from "./_canvas.ts";
import { onScreen } from "./_film.ts";
import { background, framed } from "./_frame.ts";
import { inkOf } from "./_stills.ts";
import { type Still, stillOf } from "./figure.ts";
import { drawOutline, filmPicture, greyOf } from "./overlay.ts";

/** One picture of a sheet. */
export type SheetCell = {
  /** One channel is shown in grey, three in color. */
  readonly image: Image;
  /** Below the picture, in small letters, broken at its width. */
  readonly caption?: string;
  /** Regions to outline, in source pixels: lesions. */
  readonly outlines?: readonly Region[];
  /** Draws lines so many pixels of the image apart: the patches of a ViT. */
  readonly grid?: number;
};

/** Pictures side by side. */
export type SheetRow = {
  /** Above the row. */
  readonly title?: string;
  readonly cells: readonly SheetCell[];
};

/** How a sheet looks. */
export type SheetOptions = {
  /** Above all. */
  readonly title?: string;
  /** Below all. */
  readonly caption?: string;
  /** Room for one picture in pixels; default 160 × 130. */
  readonly cell?: { readonly height: number; readonly width: number };
};

const gap = 8;

/**
 * Many pictures on one sheet: originals beside what is made of them. Each keeps its shape.
 *
 * @throws MammolabError when there is no picture
 *
 * @example
 * ```ts
 * import { contactSheet } from "mammolab/plot";
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(new Float32Array(64), { height: 8, width: 8 });
 * const sheet = contactSheet([{ cells: [{ image, caption: "film" }, { image, caption: "turned" }] }]);
 * assertEquals(sheet.text, "Contact sheet: 2 pictures in 1 row");
 * ```
 */
export function contactSheet(
  rows: readonly SheetRow[],
  { title, caption, cell = { height: 160, width: 130 } }: SheetOptions = {},
): Still {
  const count = rows.reduce((sum, { cells }) => sum + cells.length, 0);
  if (count === 0) {
    throw new MammolabError("Cannot draw a contact sheet: there is no picture; give rows with at least one");
  }
  const text = `${title ?? "Contact sheet"}: ${count} ${count === 1 ? "picture" : "pictures"} in ${rows.length} ${
    rows.length === 1 ? "row" : "rows"
  }`;
  const still = async () => {
    const drawn: Picture[] = [];
    for (const row of rows) drawn.push(await rowPicture(row, cell));
    const picture = stacked(drawn);
    return await framed({
      picture,
      ...(title === undefined ? {} : { title }),
      ...(caption === undefined ? {} : { caption }),
    });
  };
  return stillOf({ text, still });
}

async function rowPicture({ title, cells }: SheetRow, room: NonNullable<SheetOptions["cell"]>): Promise<Picture> {
  const inks = await inkOf([
    { text: title ?? "", size: 13 },
    ...cells.map(({ caption = "" }) => ({ text: caption, size: 11, width: room.width })),
  ]);
  const [titleInk, ...captions] = inks as [Ink, ...Ink[]];
  const pictures = cells.map((cell) => cellPicture(cell, room));
  const top = title ? titleInk.height + 6 : 0;
  const tallest = Math.max(0, ...pictures.map(({ height }) => height));
  const lowest = Math.max(0, ...captions.map(({ height }) => height));
  const step = room.width + gap;
  const width = Math.max(titleInk.width, cells.length * step - gap, 1);
  const out = blank(Math.max(1, top + tallest + (lowest ? lowest + 4 : 0)), width, background);
  if (title) drawInk(out, titleInk, 0, 0, white);
  pictures.forEach((picture, k) => {
    paste(out, picture, k * step, top + tallest - picture.height);
    drawInk(out, captions[k]!, k * step, top + tallest + 4, quiet);
  });
  return out;
}

function cellPicture({ image, outlines = [], grid }: SheetCell, room: NonNullable<SheetOptions["cell"]>): Picture {
  const small = onScreen(image, room);
  const picture = image.channels === 3 ? colorPicture(small) : filmPicture(small);
  if (grid !== undefined) drawGrid(picture, (grid * small.height) / image.height);
  for (const region of outlines) drawOutline(picture, moveRegionBack(region, small.toSource));
  return picture;
}

function colorPicture({ data, height, width }: Image): Picture {
  return { data: Uint8Array.from(data, greyOf), height, width };
}

function drawGrid({ data, height, width }: Picture, step: number): void {
  const tint = (i: number, j: number) => {
    const at = (i * width + j) * 3;
    [90, 150, 160].forEach((part, k) => data[at + k] = (data[at + k]! + part) / 2); // the film shows through
  };
  for (let y = step; y < height - 0.5; y += step) {
    for (let j = 0; j < width; j++) tint(Math.round(y), j);
  }
  for (let x = step; x < width - 0.5; x += step) {
    for (let i = 0; i < height; i++) tint(i, Math.round(x));
  }
}

function stacked(pictures: readonly Picture[]): Picture {
  const height = pictures.reduce((sum, picture) => sum + picture.height + 2 * gap, -2 * gap);
  const out = blank(height, Math.max(...pictures.map(({ width }) => width)), background);
  let y = 0;
  for (const picture of pictures) {
    paste(out, picture, 0, y);
    y += picture.height + 2 * gap;
  }
  return out;
}
