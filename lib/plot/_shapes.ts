import { moveRegion, rasterize, type Region, type Size } from "../image/mod.ts";

const line = { color: "rgb(0,229,255)", width: 2 };

/** Regions as plotly shapes in source pixels. */
export function outlineShapes(regions: readonly Region[], film: Size): readonly Readonly<Record<string, unknown>>[] {
  return regions.map((region) => {
    switch (region.kind) {
      case "circle": {
        const { x, y, radius } = region;
        return { type: "circle", x0: x - radius, x1: x + radius, y0: y - radius, y1: y + radius, line };
      }
      case "box":
        return {
          type: "rect",
          x0: region.x,
          x1: region.x + region.width,
          y0: region.y,
          y1: region.y + region.height,
          line,
        };
      case "polygon":
        return { type: "path", path: `M${region.points.map(([x, y]) => `${round(x)},${round(y)}`).join("L")}Z`, line };
      case "mask":
        return { type: "path", path: maskPath(region, film), line };
    }
  });
}

const round = (x: number) => Number(x.toFixed(1));

/** The edges between inside and outside of a mask, on a grid of at most 200 cells a side: a path of short strokes. */
function maskPath(region: Region, film: Size): string {
  const cell = Math.max(1, Math.max(film.height, film.width) / 200);
  const [height, width] = [Math.ceil(film.height / cell), Math.ceil(film.width / cell)];
  const inside = rasterize(moveRegion(region, [1 / cell, 0, 0, 0, 1 / cell, 0]), { height, width });
  const holds = (i: number, j: number) => i >= 0 && j >= 0 && i < height && j < width ? inside[i * width + j]! : 0;
  const strokes: string[] = [];
  const stroke = (x: number, y: number, u: number, v: number) =>
    strokes.push(`M${round(x * cell)},${round(y * cell)}L${round(u * cell)},${round(v * cell)}`);
  for (let i = 0; i <= height; i++) {
    for (let j = 0; j <= width; j++) {
      if (holds(i, j) !== holds(i - 1, j)) stroke(j, i, j + 1, i);
      if (holds(i, j) !== holds(i, j - 1)) stroke(j, i, j, i + 1);
    }
  }
  return strokes.join("") || "M0,0";
}
