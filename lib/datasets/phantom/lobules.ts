import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { type Canvas, canvasOf } from "./canvas.ts";
import { type EllipseShadow, type Ellipsoid, shadowOf } from "./ellipsoid.ts";
import type { Frame } from "./frame.ts";
import type { BreastPoint, ExamPlan } from "./plan.ts";
import { insideBreast } from "./shape.ts";

/** A compartment of fat and the wall around it. */
export type Lobule = {
  readonly body: Ellipsoid;
  /** Thickness of the wall in millimetres. */
  readonly wall: number;
  /** The wall is stronger on this side. */
  readonly side: BreastPoint;
};

/**
 * Compartments of fat in walls of Cooper's ligaments, all through the breast: ellipsoids drawn out towards the nipple
 * (after Bakic et al. 2002, Med Phys 29:2131). Being bodies, they are the same in both views.
 */
export function drawLobules({ seed, shape }: ExamPlan, laterality: Laterality): readonly Lobule[] {
  const random = drawsOf(seed, "lobules", laterality);
  const volume = shape.depth * shape.halfHeight ** 2;
  const count = Math.round(330 * (volume / 90 ** 3) ** 0.6);
  return Array.from({ length: count }, () => {
    const center = insideBreast(shape, [2, 1.2 * shape.depth], random);
    const radius = random.logBetween(3, 11);
    const towards: BreastPoint = [
      -center[0] - 15 + 14 * random.normal(),
      -center[1] + 14 * random.normal(),
      -center[2] + 14 * random.normal(),
    ];
    const turn: BreastPoint = [random.normal(), random.normal(), random.normal()];
    const long = random.between(1.1, 2);
    return {
      body: {
        center,
        towards,
        turn,
        axes: [radius * long, radius * random.between(0.75, 1.1), radius / Math.sqrt(long)],
      },
      wall: random.logBetween(0.25, 1.1),
      side: [random.normal(), random.normal(), random.normal()],
    };
  });
}

/** What lobules do to a view: millimetres of fat along each ray, and of wall. */
export type LobuleShadows = { readonly fat: Canvas; readonly walls: Canvas };

/** Casts all lobules into a view. `bent` are the places of the pixels, a little bent, in millimetres: no lobule is an ellipse. */
export function castLobules(
  lobules: readonly Lobule[],
  frame: Frame,
  bent: { readonly x: Float32Array; readonly y: Float32Array },
): LobuleShadows {
  const { width, height, mm, project } = frame;
  const [fat, walls] = [canvasOf(frame), canvasOf(frame)];
  for (const { body, wall, side } of lobules) {
    const shadow = shadowOf(body, project);
    const { x, y, xx, xy, yy, chord, reach } = shadow;
    const inner = 1 - wall / body.axes[2];
    const [ox, oy] = project([0, 0, 0]);
    const [sx, sy] = project(side);
    const length = Math.hypot(...side) * reach || 1;
    const [ex, ey] = [(0.9 * (sx - ox)) / length, (0.9 * (sy - oy)) / length];
    const [cx, cy, far] = drawnAt(shadow, frame, bent);
    const [left, right] = [Math.max(0, Math.floor((cx - far) / mm)), Math.min(width, Math.ceil((cx + far) / mm))];
    const [top, bottom] = [Math.max(0, Math.floor((cy - far) / mm)), Math.min(height, Math.ceil((cy + far) / mm))];
    for (let j = top; j < bottom; j++) {
      for (let i = left; i < right; i++) {
        const at = j * width + i;
        const dx = bent.x[at]! - x;
        const dy = bent.y[at]! - y;
        const q = xx * dx * dx + xy * dx * dy + yy * dy * dy;
        if (q >= 1) continue;
        const outer = chord * Math.sqrt(1 - q);
        const hollow = q < inner * inner ? chord * Math.sqrt(inner * inner - q) : 0;
        const strength = 0.35 + dx * ex + dy * ey;
        fat.data[at]! += hollow;
        if (strength > 0) walls.data[at]! += (outer - hollow) * strength;
      }
    }
  }
  return { fat, walls };
}

/** Around which place of the picture a bent shadow lies, and how far it can reach from there. */
function drawnAt(
  { x, y, reach }: EllipseShadow,
  { width, height, mm, inside }: Frame,
  bent: { readonly x: Float32Array; readonly y: Float32Array },
): readonly [x: number, y: number, far: number] {
  const [i, j] = [Math.floor(x / mm), Math.floor(y / mm)];
  const at = j * width + i;
  if (i < 0 || j < 0 || i >= width || j >= height || !inside[at]) return [x, y, reach + 4];
  return [2 * x - bent.x[at]!, 2 * y - bent.y[at]!, 1.15 * reach + 1.2]; // the bend changes little within a lobule
}
