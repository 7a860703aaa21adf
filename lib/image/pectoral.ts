import { blur, erode, type Grid } from "./_grid.ts";
import { type Breast, findBreast } from "./breast.ts";
import { crop } from "./crop.ts";
import { type Affine, applyMap, identity, type Image, type Point } from "./image.ts";
import { inverseOf } from "./inverse.ts";
import { mirror } from "./mirror.ts";
import { percentilesOf } from "./normalize.ts";
import { type Polygon, rasterize } from "./region.ts";
import { resizeTo } from "./resize.ts";

/** The pectoral muscle of a mediolateral oblique (MLO) film, an estimate; in pixels of the image that was searched. */
export type Pectoral = {
  /** Its front edge, from the top of the breast down to the chest wall. */
  readonly edge: readonly Point[];
  /** The muscle: all between the edge, the top and the chest wall. */
  readonly region: Polygon;
  /** Mean step across the edge, as a share of the film's range inside the breast; faint below 0.1. */
  readonly contrast: number;
};

/** Longest side of the small picture on which the edge is sought. */
const workingSize = 192;

/**
 * Estimates where the pectoral muscle lies on an MLO film: the straight line that parts bright from dark best, from the top
 * of the breast to the chest wall, bent to the strongest step nearby (dynamic programming). Do not ask it for CC films, where
 * a thin strip of muscle at most is seen: it would take the gland's edge.
 *
 * @param image the breast upright (axilla above); its first channel is searched
 * @param breast where the breast is, if known already
 * @returns nothing where there is no breast, or no step that could be the edge
 *
 * @example
 * ```ts
 * import { contains, findPectoral, imageOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const [height, width] = [300, 200];
 * const film = imageOf(new Float32Array(height * width), { height, width });
 * for (let k = 0; k < film.data.length; k++) {
 *   const [x, y] = [k % width, Math.floor(k / width)];
 *   if (Math.hypot(x / 150, (y - 130) / 160) > 1) continue; // air
 *   film.data[k] = (x / 70 + y / 140 < 1 ? 0.8 : 0.4) + 0.05 * Math.sin(x) * Math.sin(y);
 * }
 * const muscle = findPectoral(film)!.region;
 * assertEquals([contains(muscle, [20, 50]), contains(muscle, [80, 60])], [true, false]);
 * ```
 */
export function findPectoral(image: Image, breast: Breast | undefined = findBreast(image)): Pectoral | undefined {
  if (!breast) return undefined;
  const { box, side, outline, inverted } = breast;
  const scale = Math.max(1, Math.max(box.height, box.width) / workingSize);
  const size = { height: Math.round(box.height / scale), width: Math.round(box.width / scale) };
  if (size.height < 32 || size.width < 16) return undefined;
  const cut = crop({ ...image, toSource: identity }, box);
  const small = resizeTo(size)(side === "left" ? cut : mirror(cut)); // the chest wall is on its left
  const toImage = small.toSource as Affine;
  const inside = rasterize({ kind: "polygon", points: outline.points.map(inverseOf(toImage)) }, size);

  const values = Float32Array.from({ length: inside.length }, (_, at) => small.data[at * image.channels]!);
  const [dark, bright] = percentilesOf(values.filter((_, at) => inside[at] === 1), [1, 99]) as [number, number];
  if (!(bright > dark)) return undefined;
  const range = inverted ? dark - bright : bright - dark;
  const level = blur({ ...size, data: values.map((value) => (value - dark) / range) }, 1, 2);
  // Towards the skin the breast grows thin: that slope is not the muscle's edge.
  const deep = erode({ ...size, data: inside }, Math.round(0.08 * Math.max(size.height, size.width)));
  const line = bestLine(level, deep);
  if (!line || line.contrast < 0.06) return undefined;

  const edge = bend(level, line).map((point) => applyMap(toImage, point));
  return { edge, region: { kind: "polygon", points: [applyMap(toImage, [0, 0]), ...edge] }, contrast: line.contrast };
}

/**
 * Blackens the pectoral muscle of an MLO film; an image on which it is not found stays as it is.
 *
 * @example
 * ```ts
 * import { imageOf, withoutPectoral } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const film = imageOf(new Float32Array(300 * 200), { height: 300, width: 200 });
 * for (let k = 0; k < film.data.length; k++) {
 *   const [x, y] = [k % 200, Math.floor(k / 200)];
 *   if (Math.hypot(x / 150, (y - 130) / 160) > 1) continue; // air
 *   film.data[k] = (x / 70 + y / 140 < 1 ? 0.8 : 0.4) + 0.05 * Math.sin(x) * Math.sin(y);
 * }
 * const { data } = withoutPectoral(film);
 * assertEquals([data[50 * 200 + 20], data[60 * 200 + 80]], [0, film.data[60 * 200 + 80]]);
 * ```
 */
export function withoutPectoral(image: Image): Image {
  const muscle = findPectoral(image);
  if (!muscle) return image;
  const inside = rasterize(muscle.region, image);
  return { ...image, data: image.data.map((value, at) => inside[Math.floor(at / image.channels)] ? 0 : value) };
}

type Line = { readonly from: Point; readonly to: Point; readonly contrast: number };

/** Step across a line of this direction at a point: bright before it, dark behind it, over three distances. */
function stepAt({ data, height, width }: Grid, x: number, y: number, nx: number, ny: number): number {
  const read = (u: number, v: number) => {
    const [j, i] = [Math.min(Math.max(Math.floor(u), 0), width - 1), Math.min(Math.max(Math.floor(v), 0), height - 1)];
    return data[i * width + j]!;
  };
  let sum = 0;
  for (const distance of [2, 4, 6]) {
    sum += read(x - distance * nx, y - distance * ny) - read(x + distance * nx, y + distance * ny);
  }
  return sum / 3;
}

/** All lines from the top edge to the left edge: the one with the best mean step. */
function bestLine(grid: Grid, deep: Grid<Uint8Array>): Line | undefined {
  const { height, width } = grid;
  let best: (Line & { score: number }) | undefined;
  for (let top = Math.round(0.12 * width); top <= width; top += 2) {
    for (let wall = Math.round(0.2 * height); wall <= 1.1 * height; wall += 3) {
      const length = Math.hypot(top, wall);
      const [nx, ny] = [wall / length, top / length]; // away from the corner
      const steps = Math.floor(length / 2);
      let [sum, counted, seen] = [0, 0, 0];
      for (let k = 1; k < steps; k++) {
        const [x, y] = [top * (1 - k / steps), (wall * k) / steps];
        if (y >= height) break;
        seen++;
        if (!deep.data[Math.floor(y) * width + Math.min(Math.floor(x), width - 1)]) continue;
        sum += Math.min(Math.max(stepAt(grid, x, y, nx, ny), -0.1), 0.25);
        counted++;
      }
      if (counted < 12 || counted < 0.6 * seen) continue;
      const contrast = sum / counted;
      const score = contrast * Math.sqrt(counted);
      if (!best || score > best.score) best = { from: [top, 0], to: [0, wall], contrast, score };
    }
  }
  return best;
}

/** Moves the points of a line along its normal to where the step is strongest, neighbors not far from each other. */
function bend(grid: Grid, { from: [top], to: [, wall] }: Line): Point[] {
  const length = Math.hypot(top, wall);
  const [nx, ny] = [wall / length, top / length];
  const reach = Math.max(2, Math.round(0.04 * length));
  const offsets = 2 * reach + 1;
  const steps = Math.max(2, Math.floor(length / 3));
  const at = (k: number, offset: number): Point => [
    top * (1 - k / steps) + (offset - reach) * nx,
    (wall * k) / steps + (offset - reach) * ny,
  ];
  const cost = new Float64Array((steps + 1) * offsets);
  const from = new Int32Array((steps + 1) * offsets);
  for (let k = 0; k <= steps; k++) {
    for (let offset = 0; offset < offsets; offset++) {
      const [x, y] = at(k, offset);
      const within = x >= 0 && y >= 0 && x < grid.width && y < grid.height;
      const own = (within ? -Math.max(-0.05, Math.min(0.4, stepAt(grid, x, y, nx, ny))) : 0) +
        0.05 * ((offset - reach) / reach) ** 2;
      let [cheapest, before] = [0, offset];
      if (k > 0) {
        cheapest = Infinity;
        for (let other = Math.max(0, offset - 2); other <= Math.min(offsets - 1, offset + 2); other++) {
          const price = cost[(k - 1) * offsets + other]! + 0.02 * (offset - other) ** 2;
          if (price < cheapest) [cheapest, before] = [price, other];
        }
      }
      cost[k * offsets + offset] = cheapest + own;
      from[k * offsets + offset] = before;
    }
  }
  const last = cost.subarray(steps * offsets);
  let offset = last.indexOf(last.reduce((a, b) => Math.min(a, b)));
  const points: Point[] = [];
  for (let k = steps; k >= 0; k--) {
    points.push(at(k, offset));
    offset = from[k * offsets + offset]!;
  }
  return closed(points.reverse(), grid);
}

/** The edge from the top of the picture to its left or lower side. */
function closed(points: readonly Point[], { height }: Grid): Point[] {
  const clamped = points.map(([x, y]): Point => [Math.max(0, x), Math.min(Math.max(0, y), height)]);
  const [first, last] = [clamped[0]!, clamped.at(-1)!];
  return [[first[0], 0], ...clamped, ...(last[1] < height ? [[0, last[1]] as Point] : [[0, height] as Point])];
}
