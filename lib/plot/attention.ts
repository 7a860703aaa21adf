import type { Relevance } from "../explain/mod.ts";
import { applyMap, type Image, moveRegion, type Region } from "../image/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import { darkRoom, filmAxes, filmImage, mapTrace, onScreen, titled } from "./_film.ts";
import { outlineShapes } from "./_shapes.ts";
import { framed } from "./_frame.ts";
import { type Figure, figureOf } from "./figure.ts";
import { fromSource, movedTo, type OverlayOptions, overlayPicture, relevanceRange } from "./overlay.ts";

/** How an attention figure looks. */
export type AttentionOptions = OverlayOptions & {
  /** One line above the picture, in plain text. */
  readonly title?: string;
  /** A line below it, beside what the map is: `"vit-phantom, untrained"`. */
  readonly note?: string;
};

/**
 * Relevance over a mammogram: the film in grey, the map in color over it with its scale beside it, a ring around the peak.
 *
 * @param mammogram as loaded, or `{ image: prediction.prepared }` to see it on what the network saw
 * @param relevance from `rollout`, `classAttention` or any other method; it lies where its `toSource` says
 * @throws MammolabError when no token of the map lies on the image
 *
 * @example
 * ```ts
 * import { attention } from "mammolab/plot";
 * import { imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const image = imageOf(new Float32Array(64), { height: 8, width: 8 });
 * const relevance = { data: Float32Array.of(1, 5, 3, 2), height: 2, width: 2, toSource: [4, 0, 0, 0, 4, 0], method: "rollout" } as const;
 * const figure = attention({ image }, relevance, { title: "malignant 0.51" });
 * assertEquals(figure.text, "malignant 0.51: rollout · peak 5 at x 6, y 2, on 8 × 8 pixels");
 * ```
 */
export function attention(
  { image }: Pick<Mammogram, "image">,
  relevance: Relevance,
  { title, note, ...options }: AttentionOptions = {},
): Figure {
  const toImage = fromSource(image);
  const placed = movedTo(relevance, toImage);
  const range = relevanceRange(placed, image);
  const [x, y] = applyMap(image.toSource, [range.x, range.y]);
  const equal = range.low === range.high;
  const peak = `peak ${short(range.high)} at x ${Math.round(x)}, y ${Math.round(y)}`;
  const said = equal ? `${short(range.high)} everywhere` : options.peak === false ? "" : peak;
  const caption = [relevance.method, said, note].filter(Boolean).join(" · ");
  const text = `${title ?? "Relevance"}: ${caption}, on ${image.height} × ${image.width} pixels`;
  const outlines = (options.outlines ?? []).map((region) => moveRegion(region, toImage));
  const still = () =>
    framed({
      picture: overlayPicture(onScreen(image), relevance, options),
      caption,
      ...(title === undefined ? {} : { title }),
      scale: { ...range, colors: options.colors ?? "magma", opacity: options.opacity ?? 0.6 },
    });
  return figureOf({
    data: traces(image, placed, range, equal ? { ...options, peak: false } : options),
    layout: layout(image, title, outlines),
    text,
    still,
  });
}

/** Three digits, without surplus zeros. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function traces(
  image: Image,
  placed: Relevance,
  { high, x, y }: { high: number; x: number; y: number },
  { peak = true, ...look }: OverlayOptions,
): Figure["data"] {
  const scale = { showscale: true, colorbar: { title: { text: "relevance" }, thickness: 14 } };
  const map = { ...mapTrace(image, placed, undefined, look), ...scale };
  const ring = {
    type: "scatter",
    mode: "markers",
    x: [Math.round(x)],
    y: [Math.round(y)],
    marker: { symbol: "circle-open", size: 22, color: "white", line: { width: 2 } },
    hovertemplate: `peak ${short(high)}<br>x %{x}, y %{y}<extra></extra>`,
    showlegend: false,
  };
  return peak ? [map, ring] : [map];
}

function layout(image: Image, title: string | undefined, outlines: readonly Region[]): Figure["layout"] {
  const height = 560;
  return {
    ...titled(title),
    ...filmAxes(image),
    ...darkRoom,
    images: [filmImage(image)],
    shapes: outlineShapes(outlines, image),
    height,
    width: Math.round(Math.max(360, Math.min(900, (height - 80) * image.width / image.height + 110))),
    margin: { l: 10, r: 100, t: title === undefined ? 36 : 70, b: 10 },
  };
}
