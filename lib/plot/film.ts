import { type Image, moveRegion, type Region } from "../image/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import type { Picture } from "./_canvas.ts";
import { darkRoom, emptyTrace, filmAxes, filmImage, onScreen, titled } from "./_film.ts";
import { framed } from "./_frame.ts";
import { outlineShapes } from "./_shapes.ts";
import { type Figure, figureOf } from "./figure.ts";
import { drawOutline, filmPicture, fromSource } from "./overlay.ts";

/** How a film is shown. */
export type FilmOptions = {
  /** One line above the picture, in plain text. */
  readonly title?: string;
  /** Regions to outline, in source pixels: lesions. */
  readonly outlines?: readonly Region[];
  /** Draws lines this many pixels apart: the patches of a ViT. */
  readonly grid?: number;
};

/**
 * A film in grey, as it is displayed.
 *
 * @param mammogram as loaded, or `{ image }` for any image of one channel, such as what a network saw
 *
 * @example
 * ```ts
 * import { film } from "mammolab/plot";
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(new Float32Array(32 * 32), { height: 32, width: 32 });
 * assertEquals(film({ image }, { grid: 16 }).text, "Film: 32 × 32 pixels");
 * ```
 */
export function film(
  { image }: Pick<Mammogram, "image">,
  { title, outlines = [], grid }: FilmOptions = {},
): Figure {
  const text = `${title ?? "Film"}: ${image.height} × ${image.width} pixels${
    outlines.length ? `, ${outlines.length} outlined` : ""
  }`;
  const still = () =>
    framed({
      picture: filmStill(onScreen(image), image, { outlines, grid }),
      ...(title === undefined ? {} : { title }),
    });
  const height = 560;
  const lines = grid === undefined ? [] : gridShapes(image, grid);
  const placed = outlines.map((region) => moveRegion(region, fromSource(image)));
  const layout = {
    ...titled(title),
    ...filmAxes(image),
    ...darkRoom,
    images: [filmImage(image)],
    shapes: [...lines, ...outlineShapes(placed, image)],
    height,
    width: Math.round(Math.max(320, Math.min(900, (height - 80) * image.width / image.height + 20))),
    margin: { l: 10, r: 10, t: title === undefined ? 36 : 70, b: 10 },
  };
  return figureOf({ data: [emptyTrace()], layout, text, still });
}

function filmStill(
  small: Image,
  { height }: Image,
  { outlines, grid }: { readonly outlines: readonly Region[]; readonly grid: number | undefined },
): Picture {
  const picture = filmPicture(small);
  if (grid !== undefined) {
    const step = grid * small.height / height;
    const tint = (i: number, j: number) => picture.data.set([90, 150, 160], (i * small.width + j) * 3);
    for (let y = step; y < small.height - 0.5; y += step) {
      for (let j = 0; j < small.width; j++) tint(Math.round(y), j);
    }
    for (let x = step; x < small.width - 0.5; x += step) {
      for (let i = 0; i < small.height; i++) tint(i, Math.round(x));
    }
  }
  for (const region of outlines) drawOutline(picture, moveRegion(region, fromSource(small)));
  return picture;
}

function gridShapes({ height, width }: Image, step: number) {
  const line = { color: "rgb(90,150,160)", width: 1 };
  const across = Array.from({ length: Math.ceil(height / step) - 1 }, (_, k) => (k + 1) * step)
    .map((y) => ({ type: "line", x0: 0, x1: width, y0: y, y1: y, line }));
  const down = Array.from({ length: Math.ceil(width / step) - 1 }, (_, k) => (k + 1) * step)
    .map((x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: height, line }));
  return [...across, ...down];
}
