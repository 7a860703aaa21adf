import { MammolabError } from "../base/mod.ts";
import { maskOf, type Point, type Region } from "../image/mod.ts";
import type { Estimate } from "./auc.ts";
import { bootstrap } from "./intervals.ts";

/** One film of a pointing game. All in pixels of the film. */
export type PointingCase = {
  /** Where the map is highest: one point, or all of them where several are equally high. */
  readonly points: readonly Point[];
  /** What ought to be pointed at. */
  readonly lesions: readonly Region[];
  /** How far beside a lesion still counts; default 0. */
  readonly tolerance?: number;
  /** Films of one patient are drawn together. */
  readonly patient?: string;
};

/**
 * The pointing game (Zhang et al. 2016, arXiv 1608.00507): 1 when the highest point lies in a lesion. Of several highest
 * points each counts alike, so that a flat map is worth what chance is.
 *
 * @returns in [0, 1]
 * @throws MammolabError when there is no point
 *
 * @example
 * ```ts
 * import { pointingHit } from "mammolab/evaluate";
 * import { assertEquals } from "@std/assert";
 * const lesions = [{ kind: "circle", x: 10, y: 10, radius: 4 }] as const;
 * assertEquals(pointingHit({ points: [[12, 10]], lesions }), 1);
 * assertEquals(pointingHit({ points: [[12, 10], [15, 10]], lesions }), 0.5);
 * assertEquals(pointingHit({ points: [[15, 10]], lesions, tolerance: 2 }), 1);
 * ```
 */
export function pointingHit({ points, lesions, tolerance = 0 }: PointingCase): number {
  if (points.length === 0) {
    throw new MammolabError(
      "Cannot play the pointing game: a film has no highest point; check that its map is not empty",
    );
  }
  const distances = lesions.map(distanceTo);
  const near = (point: Point) => distances.some((distance) => distance(point) <= tolerance);
  return points.filter(near).length / points.length;
}

/**
 * The share of films whose highest point lies in a lesion, with an interval over patients.
 *
 * @throws MammolabError when there is no film
 */
export function pointingGame(
  cases: readonly PointingCase[],
  options: { readonly seed: number; readonly resamples?: number },
): Estimate {
  if (cases.length === 0) throw new MammolabError("Cannot play the pointing game: there are no films; add some");
  const hits = cases.map((film) => ({
    positive: true,
    score: pointingHit(film),
    ...(film.patient === undefined ? {} : { patient: film.patient }),
  }));
  return bootstrap(hits, (drawn) => drawn.reduce((sum, { score }) => sum + score, 0) / drawn.length, options);
}

/** Pixels from a point to a region, 0 inside; to the middles of its pixels where it is no circle. */
function distanceTo(region: Region): (point: Point) => number {
  if (region.kind === "circle") {
    return ([x, y]) => Math.max(0, Math.hypot(x - region.x, y - region.y) - region.radius);
  }
  const { x: left, y: top, width, data: inside } = maskOf(region);
  return ([x, y]) => {
    let least = Infinity;
    for (let at = 0; at < inside.length; at++) {
      if (!inside[at]) continue;
      const [dx, dy] = [Math.abs(x - left - at % width - 0.5), Math.abs(y - top - Math.floor(at / width) - 0.5)];
      // Anywhere on a pixel of the region is inside it.
      least = Math.min(least, Math.max(dx, dy) <= 0.5 ? 0 : Math.hypot(dx, dy));
    }
    return least;
  };
}
