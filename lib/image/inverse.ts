import { applyMap, type DenseMap, invert, isAffine, type Point, type SourceMap } from "./image.ts";

/**
 * The way back: from source pixels to those of the image. Of a dense map the inverse is sought by Newton's method, to a
 * thousandth of a pixel where the map does not fold.
 *
 * @throws MammolabError when the map squeezes the plane to a line
 *
 * @example
 * ```ts
 * import { imageOf, inverseOf, resizeTo } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const small = resizeTo({ height: 2, width: 2 })(imageOf(new Float32Array(16), { height: 4, width: 4 }));
 * assertEquals(inverseOf(small.toSource)([3, 1]), [1.5, 0.5]);
 * ```
 */
export function inverseOf(map: SourceMap): (point: Point) => Point {
  if (isAffine(map)) {
    const back = invert(map);
    return (point) => applyMap(back, point);
  }
  // The affine map through three far corners is the first guess.
  const { height, width } = map;
  const [o, r, d] = [applyMap(map, [0, 0]), applyMap(map, [width, 0]), applyMap(map, [0, height])];
  const rough = invert([
    (r[0] - o[0]) / width,
    (d[0] - o[0]) / height,
    o[0],
    (r[1] - o[1]) / width,
    (d[1] - o[1]) / height,
    o[1],
  ]);
  return (target) => newton(map, target, applyMap(rough, target));
}

function newton(map: DenseMap, target: Point, guess: Point): Point {
  const distance = ([x, y]: Point) => Math.hypot(x - target[0], y - target[1]);
  let [at, error] = [guess, distance(applyMap(map, guess))];
  for (let round = 0; round < 20 && error > 1e-4; round++) {
    const [x, y] = at;
    const here = applyMap(map, at);
    const [px, py] = applyMap(map, [x + 0.5, y]);
    const [mx, my] = applyMap(map, [x - 0.5, y]);
    const [qx, qy] = applyMap(map, [x, y + 0.5]);
    const [nx, ny] = applyMap(map, [x, y - 0.5]);
    const [a, b, c, d] = [px - mx, qx - nx, py - my, qy - ny];
    const determinant = a * d - b * c;
    if (determinant === 0) break;
    const [ex, ey] = [target[0] - here[0], target[1] - here[1]];
    const step: Point = [(d * ex - b * ey) / determinant, (a * ey - c * ex) / determinant];
    // A full step may overshoot where the map bends: halve it until it helps.
    let share = 1;
    let next = at;
    let nextError = error;
    for (; share > 0.05; share /= 2) {
      next = [x + share * step[0], y + share * step[1]];
      nextError = distance(applyMap(map, next));
      if (nextError < error) break;
    }
    if (nextError >= error) break;
    [at, error] = [next, nextError];
  }
  return at;
}
