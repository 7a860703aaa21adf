import { MammolabError } from "../base/mod.ts";
import { classAttention, type Relevance } from "../explain/mod.ts";
import type { Image } from "../image/mod.ts";
import type { Mammogram } from "../io/mod.ts";
import type { LayerAttention } from "../model/mod.ts";
import { blank, drawInk, type Ink, paste, type Picture, quiet } from "./_canvas.ts";
import { darkRoom, filmAxes, filmImage, filmUri, mapTrace, onScreen, titled } from "./_film.ts";
import { background, framed } from "./_frame.ts";
import { inkOf } from "./_stills.ts";
import { type ColorMapName } from "./colors.ts";
import { type Figure, figureOf } from "./figure.ts";
import { overlayPicture } from "./overlay.ts";

/** How a view of layers and heads looks. */
export type HeadsOptions = {
  /** One line above the picture, in plain text. */
  readonly title?: string;
  /** Default `magma`. */
  readonly colors?: ColorMapName;
};

/** One layer's maps, one a head. */
type Layer = { readonly number: number; readonly maps: readonly Relevance[] };

const opacity = 0.75;

/**
 * What each head of each layer looks at: the class token's attention over the film. The interactive figure shows the heads of
 * one layer side by side and has a slider for the layer; the still picture shows all, layers across and heads down or the other way.
 *
 * Each map has its own scale from its lowest to its highest attention, as heads differ a hundredfold.
 *
 * @param attention one a layer, from `predict(…, { attention: true })`
 * @throws MammolabError when the attention is not all-to-all, or there is none
 */
export function heads(
  { image }: Pick<Mammogram, "image">,
  attention: readonly LayerAttention[],
  { title, colors = "magma" }: HeadsOptions = {},
): Figure {
  if (attention.length === 0) {
    throw new MammolabError(
      "Cannot show what each head looks at: there is no attention; ask for it with predict(…, { attention: true })",
    );
  }
  const layers = attention.map(({ layer, heads }): Layer => ({
    number: layer,
    maps: Array.from({ length: heads }, (_, head) => classAttention(attention, { layer, heads: [head] })),
  }));
  const most = Math.max(...layers.map(({ maps }) => maps.length));
  const caption = "each map on its own scale, from its lowest to its highest attention";
  const text = `${title ?? "What each head looks at"}: ${layers.length} layers of ${most} heads, ${caption}`;
  const still = async () => framed({ picture: await sheet(image, layers, most, colors), caption, title: title ?? "" });
  return figureOf({ ...interactive(image, layers, most, { title, colors }), text, still });
}

/** One film a head; a slider shows one layer's maps and hides the others'. */
function interactive(
  image: Image,
  layers: readonly Layer[],
  most: number,
  { title, colors }: { readonly title: string | undefined; readonly colors: ColorMapName },
): Pick<Figure, "data" | "layout"> {
  const data = layers.flatMap(({ maps }, row) =>
    maps.map((map, head) => ({
      ...mapTrace(image, inPercent(map), axesOf(head), { colors, opacity }),
      visible: row === 0,
      hovertemplate: `head ${head}<br>x %{x:.0f}, y %{y:.0f}<br>%{z} % of the attention<extra></extra>`,
    }))
  );
  const owners = layers.flatMap(({ maps }, row) => maps.map(() => row));
  const steps = layers.map(({ number }, row) => ({
    label: String(number),
    method: "restyle",
    args: [{ visible: owners.map((owner) => owner === row) }],
  }));

  const columns = Math.min(most, 6);
  const rows = Math.ceil(most / columns);
  const cell = onScreen(image, { height: 420, width: Math.min(260, 900 / columns) });
  // The films share the bytes that one film may take
  const source = filmUri(image, Math.round(300 / Math.sqrt(most)));
  const places = Array.from({ length: most }, (_, head) => placeOf(head, columns, rows));
  const axes = Object.fromEntries(places.flatMap(({ x, y }, head) => {
    const suffix = head === 0 ? "" : String(head + 1);
    const { xaxis, yaxis } = filmAxes(image) as Record<string, object>;
    return [
      [`xaxis${suffix}`, { ...xaxis, domain: x, anchor: `y${suffix}` }],
      [`yaxis${suffix}`, { ...yaxis, domain: y, anchor: `x${suffix}`, scaleanchor: `x${suffix}` }],
    ];
  }));
  const layout = {
    ...titled(title, 34),
    ...darkRoom,
    ...axes,
    images: places.map((_, head) => filmImage(image, { source, ...axesOf(head) })),
    annotations: places.map(({ x, y }, head) => ({
      text: `head ${head}`,
      showarrow: false,
      xref: "paper",
      yref: "paper",
      x: (x[0] + x[1]) / 2,
      y: y[1],
      yanchor: "bottom",
    })),
    sliders: [{ active: 0, steps, currentvalue: { prefix: "layer " }, pad: { t: 10 } }],
    height: Math.round(rows * (cell.height + 24) + 180),
    width: Math.round(Math.max(360, columns * cell.width + 20)),
    margin: { l: 10, r: 10, t: 90, b: 90 },
  };
  return { data, layout };
}

/** Two digits are enough to hover, and keep a notebook small. */
const inPercent = (map: Relevance): Relevance => ({
  ...map,
  data: map.data.map((share) => Number((100 * share).toPrecision(2))),
});

const axesOf = (head: number) => head === 0 ? { x: "x", y: "y" } : { x: `x${head + 1}`, y: `y${head + 1}` };

/** The part of the paper that a head's film has, from the top left, with room for its name above. */
function placeOf(head: number, columns: number, rows: number): { x: [number, number]; y: [number, number] } {
  const [row, column] = [Math.floor(head / columns), head % columns];
  const [gap, name] = [0.01, 0.05];
  const top = 1 - row / rows;
  return {
    x: [column / columns + gap / 2, (column + 1) / columns - gap / 2],
    y: [Math.max(0, top - 1 / rows), top - (row === 0 ? 0 : name)],
  };
}

/** All maps as small pictures: a row a head and a column a layer, or the other way where that gives larger pictures. */
async function sheet(image: Image, layers: readonly Layer[], most: number, colors: ColorMapName): Promise<Picture> {
  const [gap, room] = [4, { height: 380, width: 560 }];
  const fit = (rows: number, columns: number) =>
    onScreen(image, { height: Math.floor(room.height / rows), width: Math.floor(room.width / columns) });
  const [across, down] = [fit(most, layers.length), fit(layers.length, most)];
  const layersAcross = across.height >= down.height;
  const small = layersAcross ? across : down;
  const layerNames = layers.map(({ number }) => `layer ${number}`);
  const headNames = Array.from({ length: most }, (_, head) => `head ${head}`);
  const [rows, columns] = layersAcross ? [headNames, layerNames] : [layerNames, headNames];

  const numbers = columns.map((name) => name.replace(/\D+/, ""));
  const inks: readonly Ink[] = await inkOf([...rows, ...columns, ...numbers].map((text) => ({ text, size: 11 })));
  const [rowInks, named] = [inks.slice(0, rows.length), inks.slice(rows.length, -columns.length)];
  const columnInks = named.some(({ width }) => width > small.width) ? inks.slice(-columns.length) : named;
  const step = { x: Math.max(small.width, ...columnInks.map(({ width }) => width)) + gap, y: small.height + gap };
  const left = Math.max(...rowInks.map(({ width }) => width)) + 8;
  const top = inks[0]!.height + 6;
  const out = blank(top + rows.length * step.y, left + columns.length * step.x, background);
  const centered = (room: number, size: number) => Math.max(0, Math.round((room - size) / 2));
  for (const [row, ink] of rowInks.entries()) {
    drawInk(out, ink, 0, top + row * step.y + centered(small.height, ink.height), quiet);
  }
  for (const [column, ink] of columnInks.entries()) {
    drawInk(out, ink, left + column * step.x + centered(small.width, ink.width), 0, quiet);
  }
  for (const [layer, { maps }] of layers.entries()) {
    for (const [head, map] of maps.entries()) {
      const [row, column] = layersAcross ? [head, layer] : [layer, head];
      const picture = overlayPicture(small, map, { colors, opacity, peak: false });
      paste(out, picture, left + column * step.x, top + row * step.y);
    }
  }
  return out;
}
