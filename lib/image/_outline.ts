import type { Grid } from "./_grid.ts";
import type { Point } from "./image.ts";

/**
 * The closed line round the largest part of a field of values that lies above `level` (marching squares, linear between
 * pixel centers), in pixels of the grid. A part that touches the edge of the picture is closed along that edge.
 */
export function largestContour({ data, height, width }: Grid, level: number): Point[] {
  // Nodes are the pixel centers, then once more the edge pixels on the edge itself, then a ring of outside in the same place.
  const [rows, columns] = [height + 4, width + 4];
  const values = new Float32Array(rows * columns).fill(-1e9);
  const above = new Uint8Array(rows * columns);
  for (let r = 1; r < rows - 1; r++) {
    const line = Math.min(Math.max(r - 2, 0), height - 1) * width;
    for (let c = 1; c < columns - 1; c++) {
      const node = r * columns + c;
      const value = data[line + (c < 3 ? 0 : c - 2 < width ? c - 2 : width - 1)]! - level;
      values[node] = value;
      above[node] = value > 0 ? 1 : 0;
    }
  }
  const place = (k: number, size: number) => Math.min(Math.max(k - 1.5, 0), size);

  /** Where the line crosses the edge that runs from a node to its right (even number) or lower (odd number) neighbor. */
  const crossing = (edge: number): Point => {
    const [r, c] = [Math.floor((edge >> 1) / columns), (edge >> 1) % columns];
    const [r2, c2] = edge % 2 ? [r + 1, c] : [r, c + 1];
    const [a, b] = [values[r * columns + c]!, values[r2 * columns + c2]!];
    const t = a / (a - b);
    return [
      place(c, width) + t * (place(c2, width) - place(c, width)),
      place(r, height) + t * (place(r2, height) - place(r, height)),
    ];
  };

  const next = new Map<number, number>();
  for (let r = 0; r < rows - 1; r++) {
    for (let c = 0; c < columns - 1; c++) {
      const node = r * columns + c;
      const below = node + columns;
      const count = above[node]! + above[node + 1]! + above[below]! + above[below + 1]!;
      if (count === 0 || count === 4) continue;
      const inside = [above[node], above[node + 1], above[below + 1], above[below]]; // clockwise
      const sides = [2 * node, 2 * (node + 1) + 1, 2 * (node + columns), 2 * node + 1]; // side k follows corner k
      for (let k = 0; k < 4; k++) {
        if (!inside[k] || inside[(k + 1) % 4]) continue;
        // The inside ends after corner k: walk back to the side where it began. A saddle's two corners stay apart.
        let first = k;
        while (inside[(first + 3) % 4]) first = (first + 3) % 4;
        next.set(sides[k]!, sides[(first + 3) % 4]!);
      }
    }
  }

  let largest: Point[] = [];
  let largestArea = 0;
  while (next.size > 0) {
    const line: Point[] = [];
    let edge = next.keys().next().value!;
    for (let following = next.get(edge); following !== undefined; following = next.get(edge)) {
      line.push(crossing(edge));
      next.delete(edge);
      edge = following;
    }
    const area = Math.abs(signedArea(line));
    if (area > largestArea) [largest, largestArea] = [line, area];
  }
  return largest;
}

/** The shoelace formula; above zero where the points run clockwise on the screen. */
export function signedArea(points: readonly Point[]): number {
  let twice = 0;
  let [x, y] = points.at(-1) ?? [0, 0];
  for (const [x2, y2] of points) {
    twice += x * y2 - x2 * y;
    [x, y] = [x2, y2];
  }
  return twice / 2;
}
