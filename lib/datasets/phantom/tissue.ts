import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { addAxilla } from "./axilla.ts";
import { addDot, type Canvas, canvasOf } from "./canvas.ts";
import { type CoarseMap, readCoarse } from "./coarse_map.ts";
import { clamp, smoothstep } from "./curves.ts";
import { type Field, sample } from "./fields.ts";
import { forEachInside, type Frame, type PectoralEdge } from "./frame.ts";
import { fanAt, glandClasses, glandShare } from "./gland.ts";
import { drawLobes, type Lobe } from "./lobes.ts";
import { castLobules, drawLobules, type Lobule } from "./lobules.ts";
import type { ExamPlan } from "./plan.ts";
import type { BreastShape } from "./shape.ts";
import { addStrand, drawStrands, type Strand } from "./strands.ts";
import { drawTexture, type Texture } from "./texture.ts";

/** What both views of a breast show. */
export type Anatomy = {
  readonly lobes: readonly Lobe[];
  readonly lobules: readonly Lobule[];
  readonly strands: readonly Strand[];
};

/** Draws what both views of a breast show. */
export function drawAnatomy(plan: ExamPlan, laterality: Laterality): Anatomy {
  return {
    lobes: drawLobes(plan, laterality),
    lobules: drawLobules(plan, laterality),
    strands: drawStrands(plan, laterality),
  };
}

/** The tissue that X-rays meet in one view, in millimetres of gland above fat, before lesions. */
export function tissueOf(plan: ExamPlan, laterality: Laterality, frame: Frame, anatomy: Anatomy): Canvas {
  const texture = drawTexture(plan.seed, laterality, frame);
  const share = glandShare(plan, laterality, frame, anatomy.lobes, texture);
  const canvas = canvasOf(frame);
  const veil = canvasOf(frame); // strands, before they fade at the skin
  for (const strand of anatomy.strands) addStrand(veil, frame, strand);
  if (frame.view === "MLO") addAxilla(canvas, veil, plan, laterality, frame);
  addGlandAndFat(canvas, plan, frame, share, anatomy.lobules, texture);
  addVeil(canvas, veil, plan, frame, share);
  addSkin(canvas, plan.shape, frame, texture.slow);
  if (frame.pectoral) coverWithMuscle(canvas, plan.shape, frame, frame.pectoral, texture);
  addNipple(canvas, plan.seed, laterality, frame);
  return canvas;
}

/** Gland with fat lobules in it, the walls of the lobules, and the stroma of the fat. */
function addGlandAndFat(
  { data }: Canvas,
  { shape, density, pattern }: ExamPlan,
  frame: Frame,
  share: CoarseMap,
  lobules: readonly Lobule[],
  { cloud, grain, places }: Texture,
): void {
  const { nippleX, nippleY, skin, width, mm } = frame;
  const { thickness } = shape;
  const { share: largest, holes } = glandClasses[density];
  const { fat, walls } = castLobules(lobules, frame, places);
  const fan = Float64Array.from({ length: width }, (_, i) => fanAt(nippleX - (i + 0.5) * mm));
  forEachInside(frame, (at, x, y) => {
    const n = nippleX - x;
    const d = skin[at]!;
    const flat = sample(cloud, places.x[at]!, places.y[at]!);
    const streak = sample(cloud, 0.5 * n + 0.1 * places.x[at]! + 140, 1.1 * (y - nippleY) * fan[at % width]! + 60);
    const small = sample(grain, x, y);
    const here = readCoarse(share, x, y);
    const deep = smoothstep(d, 1, 7);
    const T = thicknessAt(thickness, d);
    const filled = Math.max(0.12, 1 - holes * pattern.lobules * (fat.data[at]! / thickness));
    const gland = largest * here * clamp(filled * (1 + 0.07 * streak + 0.14 * flat) + 0.035 * small, 0.05, 1.4);
    const stroma = 0.03 * deep * (1.5 + 0.15 * small + 0.7 * flat + 0.4 * streak);
    const wall = walls.data[at]! * (0.22 + 0.2 * here) * (0.35 + 0.65 * deep);
    data[at]! += T * (gland + stroma + wall / thickness);
  });
}

/** Strands show in fat, hardly in gland, and fade where the breast thins out. */
function addVeil(
  { data }: Canvas,
  veil: Canvas,
  { shape, pattern }: ExamPlan,
  frame: Frame,
  share: CoarseMap,
): void {
  const rim = shape.thickness / 2;
  forEachInside(frame, (at, x, y) => {
    if (veil.data[at] === 0) return;
    const d = frame.skin[at]!;
    const fade = (0.4 + 0.6 * smoothstep(d, 0.5, 4)) * Math.min(1, 0.5 + (0.5 * d) / rim);
    data[at]! += pattern.strands * veil.data[at]! * (0.55 - 0.3 * readCoarse(share, x, y)) * fade;
  });
}

/** The chord of the rays through the shell of the skin, less its flat part, and the dermis under it. */
function addSkin({ data }: Canvas, { thickness, skin }: BreastShape, frame: Frame, slow: Field): void {
  const rim = thickness / 2;
  forEachInside(frame, (at, x, y) => {
    const d = frame.skin[at]!;
    if (d > Math.max(rim, 20)) return;
    const h = rim - Math.min(d, rim);
    const inner = h < rim - skin ? 2 * Math.sqrt((rim - skin) ** 2 - h * h) : 0;
    data[at]! += 1.4 * (2 * Math.sqrt(rim * rim - h * h) - inner - 2 * skin);
    if (d > 20) return;
    const dermis = sample(slow, 0.5 * x, 0.5 * y); // thicker and thinner along the contour
    data[at]! += Math.max(1, 7.5 + 4.5 * dermis) * Math.exp(-d / clamp(3.8 + 1.3 * dermis, 2, 6.5));
  });
}

/** The pectoral muscle: thicker away from its edge, with fibres along it; what lies over it is pressed thinner. */
function coverWithMuscle(
  { data }: Canvas,
  { thickness }: BreastShape,
  { width, height, mm, ends }: Frame,
  { front, across }: PectoralEdge,
  { cloud, slow, places }: Texture,
): void {
  for (let j = 0; j < height; j++) {
    const y = (j + 0.5) * mm;
    const edge = front(y);
    const reached = Math.min(ends[j]!, Math.ceil((edge + 12) / mm)); // the edge wavers by some millimetres
    for (let i = 0; i < reached; i++) {
      const at = j * width + i;
      const x = (i + 0.5) * mm;
      const waver = sample(slow, x, y) + 0.4 * sample(cloud, places.x[at]!, places.y[at]!);
      const behind = (edge - x - waver) * across;
      if (behind < -4) continue;
      const muscle = smoothstep(behind, -1.8, 2.6);
      const fibres = sample(cloud, 0.4 * (y - 0.4 * x), 1.2 * (x + 0.4 * y));
      const bulk = 0.2 + 0.16 * (1 - Math.exp(-Math.max(0, behind) / 22)) + 0.025 * fibres;
      data[at] = data[at]! * (1 - 0.3 * muscle) + muscle * thickness * bulk;
    }
  }
}

function addNipple(canvas: Canvas, seed: number, laterality: Laterality, { nippleX, nippleY }: Frame): void {
  const random = drawsOf(seed, "nipple", laterality);
  const [back, up] = [random.between(0, 3), random.between(-3, 3)];
  addDot(canvas, nippleX - back, nippleY + up, random.between(2.2, 3.6), random.between(5, 12));
}

/** Compressed thickness at a distance from the skin: half a circle at the rim. */
export function thicknessAt(thickness: number, d: number): number {
  const rim = thickness / 2;
  return d < rim ? 2 * Math.sqrt(rim * rim - (rim - d) ** 2) : thickness;
}
