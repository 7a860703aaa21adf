import type { Random } from "../../base/mod.ts";
import { distanceToOutside } from "./distance.ts";
import type { BreastPoint } from "./plan.ts";
import { type BreastShape, profile } from "./shape.ts";

/** The views of a phantom. */
export type PhantomViewName = "CC" | "MLO";

/** Where a breast lies in the picture of one view, drawn as a left breast: chest wall at x = 0, nipple to the right. */
export type Frame = {
  readonly view: PhantomViewName;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Millimetres a pixel. */
  readonly mm: number;
  /** Millimetres. */
  readonly nippleX: number;
  /** Millimetres. */
  readonly nippleY: number;
  /** `[height, width]`, 1 inside the breast. */
  readonly inside: Uint8Array;
  /** How many pixels of each row are inside, from the chest wall on. */
  readonly ends: Int32Array;
  /** `[height, width]`, distance to the skin in millimetres. */
  readonly skin: Float32Array;
  /** Where a point of the breast is seen, in millimetres. */
  readonly project: (point: BreastPoint) => readonly [x: number, y: number];
  /** The front edge of the pectoral muscle; MLO only. */
  readonly pectoral?: PectoralEdge;
};

/** A nearly straight line from the top of the picture down to the chest wall. */
export type PectoralEdge = {
  /** How far the muscle reaches from the chest wall at height y, in millimetres; below its end it goes on below zero. */
  readonly front: (y: number) => number;
  /** Millimetres across the edge for one along a row. */
  readonly across: number;
};

/** Width and height of the detector in millimetres. */
export const detector = { width: 180, height: 240 } as const;

/**
 * The outline of a view, filled. A view keeps the depth n and projects (y, z): CC on y, MLO at angle t on z sin t + y cos t,
 * so that a lesion is equally far behind the nipple in both, as radiologists expect.
 */
export function frameOf(shape: BreastShape, view: PhantomViewName, mm: number, random: Random): Frame {
  const width = Math.round(detector.width / mm);
  const height = Math.round(detector.height / mm);
  const outline = outlineOf(shape, view, random);
  const { edge, nippleX, nippleY } = outline;

  const ends = Int32Array.from(
    { length: height },
    (_, j) => Math.min(Math.max(Math.ceil(edge((j + 0.5) * mm) / mm - 0.5), 0), width),
  );
  const inside = new Uint8Array(width * height);
  ends.forEach((end, j) => inside.fill(1, j * width, j * width + end));
  const angle = (shape.obliqueDegrees * Math.PI) / 180;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  return {
    view,
    width,
    height,
    mm,
    nippleX,
    nippleY,
    inside,
    ends,
    skin: distanceToSkin({ width, height, mm, ends, edge }),
    project: view === "CC"
      ? ([n, y]) => [nippleX - n, nippleY - y]
      : ([n, y, z]) => [nippleX - n, nippleY - (z * sine + y * cosine)],
    ...(view === "MLO" ? { pectoral: pectoralEdge(shape, nippleX, nippleY, random) } : {}),
  };
}

type Outline = {
  /** Distance of the skin from the chest wall at height y, in millimetres. */
  readonly edge: (y: number) => number;
  readonly nippleX: number;
  readonly nippleY: number;
};

function outlineOf(shape: BreastShape, view: PhantomViewName, random: Random): Outline {
  const more = view === "MLO" ? random.between(1, 7) : 0; // an oblique view takes more of the chest wall
  const nippleX = Math.min(shape.depth + more, detector.width - 8);
  const below = shape.halfHeight * (view === "MLO" ? random.between(0.8, 0.95) : random.between(0.92, 1.05));
  const nippleY = view === "CC"
    ? detector.height / 2 + random.between(-6, 6)
    : Math.min(Math.max(1.5 * shape.halfHeight, 105), detector.height - 3 - below);
  const above = view === "CC" ? Math.min(shape.halfHeight * random.between(0.95, 1.08), nippleY - 2) : nippleY;
  const phases = [31, 19, 9].map((period) => ({ period, phase: random.between(0, 6) }));
  const inProfile = random.uniform() < 0.6; // else the nipple points at the detector
  const nipple = { height: random.between(1, 3.5) * (inProfile ? 1 : 0), at: nippleY + random.between(-5, 5) };
  const dip = random.between(0, 0.1);

  /** The axilla: nearly as wide as the breast, with a slight waist. */
  const axilla = (u: number) =>
    Math.min(
      1,
      shape.top + (1 - shape.top) * (0.35 * u + 0.65 * u * u * (3 - 2 * u)) -
        dip * Math.exp(-(((u - 0.3) / 0.18) ** 2)),
    );
  const edge = (y: number): number => {
    const t = y > nippleY ? (y - nippleY) / below : (nippleY - y) / above;
    const share = view === "CC" || y > nippleY ? profile(shape, t) : axilla(Math.max(0, 1 - t));
    const wave = phases.reduce(
      (sum, { period, phase }) => sum + (period / 31) ** 0.4 * Math.sin(y / period + phase),
      0,
    );
    const d = y - nipple.at;
    const bump = nipple.height * Math.exp(-((d / 4.6) ** 2 + 0.3 * (d / 5.5) ** 6));
    return share <= 0 ? 0 : nippleX * share * (1 + 0.008 * wave) + bump;
  };
  return { edge, nippleX, nippleY };
}

type Raster = Pick<Frame, "width" | "height" | "mm" | "ends"> & Pick<Outline, "edge">;

/** Distance to the skin: exact everywhere, and finer than a pixel near it, where the bright rim would else show steps. */
function distanceToSkin({ width, height, mm, ends, edge }: Raster): Float32Array {
  // the part of the frame that holds the breast and one pixel around it
  const top = Math.max(0, ends.findIndex((end) => end > 0) - 1);
  const bottom = Math.min(height, ends.findLastIndex((end) => end > 0) + 2);
  const columns = Math.min(width, Math.max(...ends) + 1);
  const part = new Uint8Array(columns * (bottom - top));
  for (let j = top; j < bottom; j++) part.fill(1, (j - top) * columns, (j - top) * columns + ends[j]!);
  const pixels = distanceToOutside(part, columns, bottom - top);

  const skin = new Float32Array(width * height);
  for (let j = top; j < bottom; j++) {
    const y = (j + 0.5) * mm;
    const reach = edge(y);
    const slope = (edge(y + 0.4) - edge(y - 0.4)) / 0.8;
    const across = 1 / Math.sqrt(1 + slope * slope);
    for (let i = 0; i < ends[j]!; i++) {
      const d = Math.max(0, pixels[(j - top) * columns + i]! - 0.5) * mm;
      const analytic = (reach - (i + 0.5) * mm) * across;
      skin[j * width + i] = d < 5 && Math.abs(analytic - d) < 1.2 ? Math.max(0, analytic) : d;
    }
  }
  return skin;
}

/** Visits every pixel of the breast: its index and its place in millimetres. */
export function forEachInside(
  { width, height, mm, ends }: Frame,
  visit: (at: number, x: number, y: number) => void,
): void {
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < ends[j]!; i++) visit(j * width + i, (i + 0.5) * mm, (j + 0.5) * mm);
  }
}

function pectoralEdge(shape: BreastShape, nippleX: number, nippleY: number, random: Random): PectoralEdge {
  const top = shape.pectoralTop * nippleX * Math.min(1, shape.top + 0.25);
  const length = Math.min(shape.pectoralLength * nippleY, 0.93 * detector.height);
  const bend = random.between(0.85, 1.2);
  return {
    front: (y) => y < length ? top * (1 - y / length) ** bend : (-(y - length) * top) / length,
    across: Math.cos(Math.atan2(top, length)),
  };
}
