import type { Random } from "../../base/mod.ts";
import { type Canvas, canvasOf } from "./canvas.ts";
import { smoothstep } from "./curves.ts";
import type { Frame } from "./frame.ts";
import type { LesionShadow } from "./lesions.ts";
import type { BreastPoint, LesionPlan } from "./plan.ts";
import { addStrand, walk } from "./strands.ts";

/** A mass: one body in 3-D, so that both views see the same one. */
export function drawMass(lesion: LesionPlan, frame: Frame, random: Random): LesionShadow {
  return lesion.kind === "spiculated mass" ? spiculatedMass(lesion, frame, random) : ovalMass(lesion, frame, random);
}

/** An ellipsoid, gently lobulated, with a circumscribed margin. */
function ovalMass({ radius, center }: LesionPlan, frame: Frame, random: Random): LesionShadow {
  const [a, b] = [random.between(0.6, 1), random.between(0.6, 1)];
  const mean = Math.cbrt(a * b); // so that the volume is that of a ball
  const axes = [radius / mean, (radius * a) / mean, (radius * b) / mean];
  const rotation = randomRotation(random);
  const waves = lobulation(random, { count: 4, size: 0.13, fall: 1.3 });
  const soft = random.between(0.08, 0.22);

  // the shadow of an ellipsoid is an ellipse: directions of the picture in the body's own axes, scaled
  const [cx, cy] = frame.project(center);
  const along = (point: BreastPoint) => {
    const [x, y] = frame.project([center[0] + point[0], center[1] + point[1], center[2] + point[2]]);
    return [x - cx, y - cy] as const;
  };
  let [xx, xy, yy] = [0, 0, 0];
  rotation.forEach((axis, k) => {
    const [dx, dy] = along(axis);
    const scale = axes[k]! ** 2;
    xx += scale * dx * dx;
    xy += scale * dx * dy;
    yy += scale * dy * dy;
  });
  const determinant = xx * yy - xy * xy;
  return castBody(frame, { x: cx, y: cy, reach: 1.6 * radius }, (dx, dy) => {
    const q = Math.sqrt((yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / determinant) / waves(Math.atan2(dy, dx));
    const full = 1 - smoothstep(q, 1 - soft, 1 + soft);
    return { body: full, profile: full * (0.4 + 0.6 * Math.sqrt(Math.max(0, 1 - q * q))), inside: q < 1 };
  });
}

/**
 * An irregular core without a margin, from which spicules run out in bundles: curved, of uneven length, strong and faint ones.
 * Stars with even rays look drawn (after de Sisternes et al. 2015, Med Phys 42:1098: random contour, branching spicules in 3-D).
 */
function spiculatedMass({ radius, center }: LesionPlan, frame: Frame, random: Random): LesionShadow {
  const blobs = Array.from({ length: 5 + random.integer(4) }, () => ({
    center: offset(center, 0.42 * radius, random),
    sigma: radius * random.between(0.3, 0.5),
    weight: random.between(0.5, 1),
  }));
  const waves = lobulation(random, { count: 9, size: 0.16, fall: 0.8 });
  const [x, y] = frame.project(center);
  const shadows = blobs.map((blob) => ({ ...blob, at: frame.project(blob.center) }));
  const cast = castBody(frame, { x, y, reach: 1.9 * radius }, (dx, dy) => {
    const rough = waves(Math.atan2(dy, dx));
    let sum = 0;
    for (const { at, sigma, weight } of shadows) {
      const u = dx / rough - (at[0] - x);
      const v = dy / rough - (at[1] - y);
      sum += weight * Math.exp(-(u * u + v * v) / (2 * sigma * sigma));
    }
    const depth = 1 - Math.exp(-0.9 * sum);
    const far = Math.hypot(dx, dy) / (radius * rough);
    const edge = 1 - smoothstep(far, 0.75, 1.45);
    return { body: Math.min(1, 1.3 * depth) * edge, profile: depth * edge, inside: true };
  });
  const mask = brightest(cast.profile.data, (Math.PI * radius ** 2) / frame.mm ** 2);
  drawSpicules(cast.profile, { radius, center }, frame, random);
  return { ...cast, mask };
}

/** Where the core ends is a matter of taste, since it has no margin: its mask is as large as the disc of its radius. */
function brightest(values: Float32Array, count: number): Uint8Array {
  const inCore: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i]! > 0) inCore.push(values[i]!);
  const sorted = Float32Array.from(inCore).sort();
  const least = sorted[Math.max(0, sorted.length - Math.round(count))] ?? Infinity;
  const mask = new Uint8Array(values.length);
  for (let i = 0; i < mask.length; i++) if (values[i]! > 0 && values[i]! >= least) mask[i] = 1;
  return mask;
}

function drawSpicules(
  canvas: Canvas,
  { radius, center }: Pick<LesionPlan, "radius" | "center">,
  frame: Frame,
  random: Random,
): void {
  const bundles = Array.from({ length: 5 + random.integer(4) }, () => direction(random));
  const count = 26 + random.integer(22);
  for (let i = 0; i < count; i++) {
    const bundle = random.uniform() < 0.65 ? bundles[random.integer(bundles.length)] : undefined;
    const spread = 0.28;
    const towards = bundle
      ? [0, 1, 2].map((k) => bundle[k]! + spread * random.normal()) as unknown as BreastPoint
      : direction(random);
    const length = radius * random.logBetween(0.9, 2.8);
    const width = random.between(0.55, 1) + 0.02 * radius;
    const start = random.between(0.4, 0.9) * radius;
    const from = [0, 1, 2].map((k) =>
      center[k]! + towards[k]! * start + 0.12 * radius * random.normal()
    ) as unknown as BreastPoint;
    const path = walk({ from, towards, length, bend: random.between(0.02, 0.09) }, random);
    const peak = random.logBetween(0.18, 0.6);
    addStrand(canvas, frame, { path, width: [1.4 * width, 0.5 * width], peak: [peak, 0.25 * peak], fade: [0.3, 0.5] });
  }
}

type BodyAt = (dx: number, dy: number) => { readonly body: number; readonly profile: number; readonly inside: boolean };

/** Fills profile, body and mask around a centre; all lengths in millimetres. */
function castBody(
  frame: Frame,
  { x, y, reach }: { readonly x: number; readonly y: number; readonly reach: number },
  bodyAt: BodyAt,
): LesionShadow {
  const { width, height, mm } = frame;
  const profile = canvasOf(frame);
  const body = new Float32Array(width * height);
  const mask = new Uint8Array(width * height);
  for (let j = Math.max(0, Math.floor((y - reach) / mm)); j < Math.min(height, (y + reach) / mm); j++) {
    for (let i = Math.max(0, Math.floor((x - reach) / mm)); i < Math.min(width, (x + reach) / mm); i++) {
      const here = bodyAt((i + 0.5) * mm - x, (j + 0.5) * mm - y);
      const at = j * width + i;
      profile.data[at] = here.profile;
      body[at] = here.body;
      mask[at] = here.inside ? 1 : 0;
    }
  }
  return { profile, body, mask, x, y };
}

/** The radius of a contour by angle, 1 on average: harmonics from 2 on whose size falls with k^fall. */
function lobulation(random: Random, { count, size, fall }: { count: number; size: number; fall: number }) {
  const harmonics = Array.from({ length: count }, (_, i) => ({
    k: i + 2,
    size: (size * random.normal()) / (i + 2) ** fall,
    phase: random.between(0, 2 * Math.PI),
  }));
  return (angle: number): number => {
    let radius = 1;
    for (const { k, size, phase } of harmonics) radius += size * Math.cos(k * angle + phase);
    return Math.max(0.3, radius);
  };
}

function direction(random: Random): BreastPoint {
  const [n, y, z] = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(n, y, z) || 1;
  return [n / length, y / length, z / length];
}

function offset([n, y, z]: BreastPoint, size: number, random: Random): BreastPoint {
  return [n + size * random.normal(), y + size * random.normal(), z + size * random.normal()];
}

/** Three axes at right angles, evenly over all turns (a unit quaternion of normal draws). */
function randomRotation(random: Random): readonly BreastPoint[] {
  const draws = [random.normal(), random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(...draws);
  const [w, x, y, z] = draws.map((value) => value / length) as [number, number, number, number];
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
    [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
    [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
  ];
}
