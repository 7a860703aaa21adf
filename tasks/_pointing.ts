// Who points at a lesion: the network's attention, by two methods, and what needs no network.
import { decidingLesions, type FilmRecord, patientKey } from "../lib/datasets/mod.ts";
import type { PointingCase } from "../lib/evaluate/mod.ts";
import { classAttention, type Relevance, rollout } from "../lib/explain/mod.ts";
import { applyMap, contains, findBreast, type Image, type Point } from "../lib/image/mod.ts";
import type { Mammogram } from "../lib/io/mod.ts";
import type { LayerAttention } from "../lib/model/mod.ts";

/** One film of the pointing game, and who points. */
export type Pointed = PointingCase & { readonly by: string };

/** What each method and baseline points at on a film; nothing where no lesion of its label has a place. */
export function pointedAt(
  film: FilmRecord,
  { image }: Mammogram,
  attention: readonly LayerAttention[],
): readonly Pointed[] {
  const sought = decidingLesions(film).map(({ region }) => region);
  if (sought.length === 0) return [];
  const [last, all] = [classAttention(attention), rollout(attention)];
  const [left, right] = [applyMap(last.toSource, [0, 0]), applyMap(last.toSource, [1, 0])];
  const halfToken = Math.hypot(right[0] - left[0], right[1] - left[1]) / 2;
  const tokens = tokensOnBreast(last, image);
  const of = (by: string, points: readonly Point[], tolerance = 0): Pointed => ({
    by,
    points,
    tolerance,
    lesions: sought,
    patient: patientKey(film) ?? film.id,
  });
  return [
    of("class token, last layer", highest(last)),
    of("class token, last layer, half a token beside", highest(last), halfToken),
    of("rollout", highest(all)),
    of("rollout, half a token beside", highest(all), halfToken),
    of("chance (any token on the breast)", tokens),
    of("chance, half a token beside", tokens, halfToken),
    of("middle of the breast", [middle(tokens)]),
    of("brightest token", brightest(last, image)),
  ];
}

function pointsOf({ data, width, toSource }: Relevance, chosen: (value: number, at: number) => boolean): Point[] {
  const points: Point[] = [];
  data.forEach((value, at) => {
    if (chosen(value, at)) points.push(applyMap(toSource, [at % width + 0.5, Math.floor(at / width) + 0.5]));
  });
  return points;
}

function highest(map: Relevance): Point[] {
  const most = map.data.reduce((a, b) => Math.max(a, b), -Infinity);
  return pointsOf(map, (value) => value === most);
}

/** The middles of the tokens that lie on the breast; of all tokens where none is found. */
function tokensOnBreast(map: Relevance, image: Image): Point[] {
  const mask = findBreast(image)?.mask;
  const found = mask ? pointsOf(map, () => true).filter((point) => contains(mask, point)) : [];
  return found.length > 0 ? found : pointsOf(map, () => true);
}

function middle(points: readonly Point[]): Point {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  return [mean(0), mean(1)];
}

/** The token with the brightest mean: a single bright pixel is noise or a calcification. */
function brightest(map: Relevance, { data, height, width }: Image): Point[] {
  const [sums, counts] = [new Float64Array(map.data.length), new Float64Array(map.data.length)];
  const [a, , c, , e, f] = map.toSource as readonly number[];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [i, j] = [Math.floor((row + 0.5 - f!) / e!), Math.floor((column + 0.5 - c!) / a!)];
      if (i < 0 || j < 0 || i >= map.height || j >= map.width) continue;
      sums[i * map.width + j]! += data[row * width + column]!;
      counts[i * map.width + j]!++;
    }
  }
  const means = Float32Array.from(sums, (sum, at) => counts[at]! > 0 ? sum / counts[at]! : 0);
  return highest({ ...map, data: means });
}
