import { applyMap, isAffine, type Point, type SourceMap } from "./image.ts";
import { inverseOf } from "./inverse.ts";
import { boundingBox, contains, type Mask, rasterize, type Region } from "./region.ts";

/** Corners of the outline that takes the place of a circle that is no circle any more. */
const circleCorners = 72;

/**
 * Moves a region through a map: a lesion of the prepared image to the source film by `image.toSource`.
 *
 * A circle stays a circle under shifts, turns and equal scaling, a box stays a box under shifts and scaling; otherwise they
 * become polygons. A mask takes the nearest pixel.
 *
 * @example
 * ```ts
 * import { moveRegion } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const circle = { kind: "circle", x: 1, y: 2, radius: 3 } as const;
 * assertEquals(moveRegion(circle, [2, 0, 10, 0, 2, 0]), { kind: "circle", x: 12, y: 4, radius: 6 });
 * ```
 */
export function moveRegion(region: Region, map: SourceMap): Region {
  return move(region, (point) => applyMap(map, point), () => inverseOf(map), isAffine(map) ? map : undefined);
}

/**
 * The region as the pixels that it holds, in the smallest box of whole pixels round it.
 *
 * @example
 * ```ts
 * import { maskOf } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const { x, y, width, height, data } = maskOf({ kind: "circle", x: 1e6, y: 7, radius: 1 });
 * assertEquals([x, y, width, height, ...data], [1e6 - 1, 6, 2, 2, 1, 1, 1, 1]);
 * ```
 */
export function maskOf(region: Region): Mask {
  const box = boundingBox(region);
  const [x, y] = [Math.floor(box.x), Math.floor(box.y)];
  const size = { height: Math.ceil(box.y + box.height) - y, width: Math.ceil(box.x + box.width) - x };
  return { kind: "mask", x, y, ...size, data: rasterize(moveRegion(region, [1, 0, -x, 0, 1, -y]), size) };
}

/**
 * Moves a region of the source film onto an image that was made from it: the way back of {@linkcode moveRegion}.
 *
 * @example
 * ```ts
 * import { moveRegionBack } from "mammolab/image";
 * import { assertEquals } from "@std/assert";
 * const circle = { kind: "circle", x: 12, y: 4, radius: 6 } as const;
 * assertEquals(moveRegionBack(circle, [2, 0, 10, 0, 2, 0]), { kind: "circle", x: 1, y: 2, radius: 3 });
 * ```
 */
export function moveRegionBack(region: Region, map: SourceMap): Region {
  const back = inverseOf(map);
  if (!isAffine(map)) return move(region, back, () => (point) => applyMap(map, point), undefined);
  const [c, f] = back([0, 0]);
  const [[a, d], [b, e]] = [back([1, 0]), back([0, 1])];
  return moveRegion(region, [a - c, b - c, c, d - f, e - f, f]);
}

type Move = (point: Point) => Point;

function move(region: Region, there: Move, back: () => Move, affine: SourceMap | undefined): Region {
  const [a, b, c, d, e, f] = affine && isAffine(affine) ? affine : [NaN, NaN, NaN, NaN, NaN, NaN];
  switch (region.kind) {
    case "circle": {
      const { x, y, radius } = region;
      const scale = Math.hypot(a, d);
      const similar = Math.abs(a * b + d * e) <= 1e-9 * scale ** 2 &&
        Math.abs(Math.hypot(b, e) - scale) <= 1e-9 * scale;
      if (similar) {
        const [cx, cy] = there([x, y]);
        return { kind: "circle", x: cx, y: cy, radius: radius * scale };
      }
      const points = Array.from({ length: circleCorners }, (_, k): Point => {
        const angle = (2 * Math.PI * k) / circleCorners;
        return there([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
      });
      return { kind: "polygon", points };
    }
    case "box": {
      const { x, y, width, height } = region;
      if (b === 0 && d === 0) {
        const [[x1, y1], [x2, y2]] = [there([x, y]), there([x + width, y + height])];
        return {
          kind: "box",
          x: Math.min(x1, x2),
          y: Math.min(y1, y2),
          width: Math.abs(x2 - x1),
          height: Math.abs(y2 - y1),
        };
      }
      return movePolygon([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], there, affine);
    }
    case "polygon":
      return movePolygon(region.points, there, affine);
    case "mask": {
      const shifted = a === 1 && b === 0 && d === 0 && e === 1 && Number.isInteger(c) && Number.isInteger(f);
      return shifted ? { ...region, x: region.x + c, y: region.y + f } : moveMask(region, there, back());
    }
  }
}

/** Straight edges stay straight under an affine map; under a dense one each is cut into pieces of about two pixels. */
function movePolygon(points: readonly Point[], there: Move, affine: SourceMap | undefined): Region {
  if (affine) return { kind: "polygon", points: points.map(there) };
  const moved = points.flatMap(([x, y], k) => {
    const [x2, y2] = points[(k + 1) % points.length]!;
    const pieces = Math.max(1, Math.ceil(Math.hypot(x2 - x, y2 - y) / 2));
    return Array.from(
      { length: pieces },
      (_, piece) => there([x + ((x2 - x) * piece) / pieces, y + ((y2 - y) * piece) / pieces]),
    );
  });
  return { kind: "polygon", points: moved };
}

function moveMask(mask: Mask, there: Move, back: Move): Mask {
  const rim = movePolygon(
    [[mask.x, mask.y], [mask.x + mask.width, mask.y], [mask.x + mask.width, mask.y + mask.height], [
      mask.x,
      mask.y + mask.height,
    ]],
    there,
    undefined,
  );
  const box = boundingBox(rim);
  const [x, y] = [Math.floor(box.x), Math.floor(box.y)];
  const [width, height] = [Math.ceil(box.x + box.width) - x, Math.ceil(box.y + box.height) - y];
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (contains(mask, back([x + column + 0.5, y + row + 0.5]))) data[row * width + column] = 1;
    }
  }
  return { kind: "mask", x, y, width, height, data };
}
