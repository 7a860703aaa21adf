import { drawsOf } from "./draws.ts";
import type { Random } from "../../base/mod.ts";
import type { Laterality } from "../../io/mod.ts";
import { addStroke, type Canvas } from "./canvas.ts";
import type { Frame } from "./frame.ts";
import type { BreastPoint, ExamPlan } from "./plan.ts";
import { type BreastShape, halfHeightAt, insideBreast } from "./shape.ts";

/** A thin curve through the breast: a ligament, a duct, a vessel. Both views draw the same one. */
export type Strand = {
  /** `[points, 3]`: n, y, z in millimetres. */
  readonly path: Float64Array;
  readonly width: readonly [start: number, end: number];
  /** Millimetres of gland at the start and at the end. */
  readonly peak: readonly [start: number, end: number];
  readonly fade?: readonly [start: number, end: number];
};

type Walk = {
  readonly from: BreastPoint;
  readonly towards: BreastPoint;
  readonly length: number;
  readonly bend: number;
};

/** A path that starts somewhere, runs in a direction and bends evenly, with a little wandering. `bend` in radians every 4 mm. */
export function walk({ from, towards, length, bend }: Walk, random: Random): Float64Array {
  const pieces = Math.max(3, Math.ceil(length / 4));
  const stride = length / pieces;
  const path = new Float64Array(3 * (pieces + 1));
  const twist = [bend * random.normal(), bend * random.normal(), bend * random.normal()];
  let [n, y, z] = from;
  let [dn, dy, dz] = unit(towards);
  for (let i = 0; i <= pieces; i++) {
    path.set([n, y, z], 3 * i);
    for (let k = 0; k < 3; k++) twist[k]! += 0.35 * bend * random.normal();
    [dn, dy, dz] = unit([dn + twist[0]!, dy + twist[1]!, dz + twist[2]!]);
    n += dn * stride;
    y += dy * stride;
    z += dz * stride;
  }
  return path;
}

/** Draws a strand into a view. */
export function addStrand(
  canvas: Canvas,
  { project }: Frame,
  { path, width, peak, fade = [0.15, 0.15] }: Strand,
): void {
  const points = new Float64Array((path.length / 3) * 2);
  for (let i = 0; i < path.length / 3; i++) {
    points.set(project([path[3 * i]!, path[3 * i + 1]!, path[3 * i + 2]!]), 2 * i);
  }
  addStroke(canvas, { points, width, peak, fade });
}

/**
 * All strands of a breast. The power spectrum alone does not make a mammogram: the background is non-Gaussian, with oriented
 * lines in it (Bochud, Abbey, Eckstein 1999, Opt Express 4:33).
 */
export function drawStrands({ seed, shape, density }: ExamPlan, laterality: Laterality): readonly Strand[] {
  const random = (part: string) => drawsOf(seed, part, laterality);
  const bright = 1 + 0.25 * "abcd".indexOf(density);
  return [
    ...stroma(shape, bright, random("stroma")),
    ...ligaments(shape, bright, random("ligaments")),
    ...underSkin(shape, bright, random("under the skin")),
    ...ducts(shape, random("ducts")),
    ...vessels(shape, random("vessels")),
  ];
}

/** Fibres that run towards the nipple, with a heavy tail of brightness: few strong ones among many faint. */
function stroma(shape: BreastShape, bright: number, random: Random): Strand[] {
  return Array.from({ length: 850 }, () => {
    const from = insideBreast(shape, [3, 1.15 * shape.depth], random);
    const aim = unit([-from[0], -from[1], -from[2]]);
    const jitter = random.logBetween(0.12, 0.9);
    const towards: BreastPoint = [
      aim[0] + jitter * random.normal(),
      aim[1] + jitter * random.normal(),
      aim[2] + jitter * random.normal(),
    ];
    const width = random.logBetween(0.3, 1.1);
    const path = walk({ from, towards, length: random.logBetween(8, 55), bend: random.between(0.02, 0.1) }, random);
    const peak = bright * random.logBetween(0.3, 6) * Math.sqrt(width);
    return { path, width: [width, 0.6 * width], peak: [peak, 0.5 * peak], fade: [0.3, 0.3] };
  });
}

/** Cooper's ligaments: from the front of the gland through the subcutaneous fat to the skin. */
function ligaments(shape: BreastShape, bright: number, random: Random): Strand[] {
  return Array.from({ length: 110 }, () => {
    const angle = random.between(0, 2 * Math.PI);
    const depth = random.between(0.1, 1) * shape.depth;
    const radius = halfHeightAt(shape, depth);
    const skin: BreastPoint = [depth, radius * Math.cos(angle), radius * Math.sin(angle)];
    const inward = unit([0.55 * shape.depth - skin[0], -skin[1], -skin[2]]);
    const lean = 0.6;
    const towards: BreastPoint = [
      inward[0] + lean * (0.4 + random.normal()),
      inward[1] + lean * random.normal(),
      inward[2] + lean * random.normal(),
    ];
    const from: BreastPoint = [skin[0] + 1.5 * inward[0], skin[1] + 1.5 * inward[1], skin[2] + 1.5 * inward[2]];
    const width = random.between(0.45, 1.1);
    const path = walk({ from, towards, length: random.between(1.2, 3.2) * shape.fatLayer, bend: 0.06 }, random);
    const peak = bright * random.logBetween(1.5, 7);
    return { path, width: [0.7 * width, 1.3 * width], peak: [0.8 * peak, peak], fade: [0.1, 0.4] };
  });
}

/** Sheets of fascia and small veins that follow the skin at a few millimetres' depth. */
function underSkin(shape: BreastShape, bright: number, random: Random): Strand[] {
  return Array.from({ length: 90 }, () => {
    const length = random.logBetween(12, 60);
    const pieces = Math.max(4, Math.ceil(length / 4));
    const path = new Float64Array(3 * (pieces + 1));
    let n = random.between(0.02, 1) * shape.depth;
    let angle = random.between(0, 2 * Math.PI);
    let depth = random.between(2, 1.1 * shape.fatLayer);
    const turn = 0.4 * random.normal();
    const sink = 0.12 * random.normal();
    for (let i = 0; i <= pieces; i++) {
      const radius = Math.max(1, halfHeightAt(shape, n) - depth);
      path.set([n + 0.5 * depth, radius * Math.cos(angle), radius * Math.sin(angle)], 3 * i);
      n += (length / pieces) * Math.cos(turn) * 0.8;
      angle += ((length / pieces) * Math.sin(turn)) / Math.max(20, radius);
      depth = Math.max(1.5, depth + (length / pieces) * (sink + 0.05 * random.normal()));
    }
    const width = random.logBetween(0.4, 1.2);
    const peak = bright * random.logBetween(1, 6);
    return { path, width: [width, 0.8 * width], peak: [peak, 0.6 * peak], fade: [0.3, 0.3] };
  });
}

/** Ducts: from the nipple backwards, branching. */
function ducts(shape: BreastShape, random: Random): Strand[] {
  return Array.from({ length: 14 }, () => {
    const angle = random.between(0, 2 * Math.PI);
    const open = random.between(0.2, 0.75);
    const towards: BreastPoint = [1, open * Math.cos(angle), open * Math.sin(angle)];
    const length = random.between(0.25, 0.6) * shape.depth;
    const stem = walk({ from: [2, random.normal(), random.normal()], towards, length, bend: 0.05 }, random);
    const third = 3 * Math.floor(stem.length / 9);
    const fork: BreastPoint = [stem[third]!, stem[third + 1]!, stem[third + 2]!];
    const branches = [0, 1].map((): Strand => ({
      path: walk({
        from: fork,
        towards: [1, towards[1] + 0.5 * random.normal(), towards[2] + 0.5 * random.normal()],
        length: 0.6 * length,
        bend: 0.08,
      }, random),
      width: [1, 0.4],
      peak: [3, 0.6],
    }));
    return [{ path: stem, width: [1.6, 0.6] as const, peak: [5, 1] as const }, ...branches];
  }).flat();
}

/** Vessels: long, of even width, winding, each with a branch. */
function vessels(shape: BreastShape, random: Random): Strand[] {
  return Array.from({ length: 4 }, () => {
    const from = insideBreast(shape, [0.8 * shape.depth, 1.2 * shape.depth], random);
    const width = random.between(1.1, 2.3);
    const peak = width * random.between(2, 3.2);
    const length = random.between(0.5, 0.95) * shape.depth;
    const trunk = walk(
      { from, towards: [-1, 0.35 * random.normal(), 0.35 * random.normal()], length, bend: 0.09 },
      random,
    );
    const middle = 3 * Math.floor(trunk.length / 6);
    const branch = walk({
      from: [trunk[middle]!, trunk[middle + 1]!, trunk[middle + 2]!],
      towards: [-1, 0.6 * random.normal(), 0.6 * random.normal()],
      length: 0.4 * shape.depth,
      bend: 0.11,
    }, random);
    return [
      { path: trunk, width: [width, 0.75 * width] as const, peak: [peak, 0.7 * peak] as const },
      { path: branch, width: [0.7 * width, 0.4 * width] as const, peak: [0.7 * peak, 0.3 * peak] as const },
    ];
  }).flat();
}

function unit([n, y, z]: BreastPoint): [number, number, number] {
  const length = Math.sqrt(n * n + y * y + z * z) || 1;
  return [n / length, y / length, z / length];
}
