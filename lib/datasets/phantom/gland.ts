import { drawsOf } from "./draws.ts";
import type { Laterality } from "../../io/mod.ts";
import { type CoarseMap, coarseMapOf, readCoarse } from "./coarse_map.ts";
import { smoothstep } from "./curves.ts";
import { drawFatLayer, fatAt } from "./fat_layer.ts";
import { sample } from "./fields.ts";
import type { Frame } from "./frame.ts";
import { type Lobe, projectLobes } from "./lobes.ts";
import type { Density, ExamPlan } from "./plan.ts";
import type { Texture } from "./texture.ts";

/** How the gland of a density class is made. */
export type GlandClass = {
  /** The field above which there is gland. */
  readonly threshold: number;
  readonly gain: number;
  /** Largest share of the thickness. */
  readonly share: number;
  /** How strongly gland keeps to a disc behind the nipple. */
  readonly envelope: number;
  /** How deeply fat lobules are cut into it. */
  readonly holes: number;
};

/** Set by eye and by the percentiles of the interior (tests/fixtures/phantom/table.ts). */
export const glandClasses: Readonly<Record<Density, GlandClass>> = {
  a: { threshold: 1.4, gain: 2.2, share: 0.3, envelope: 0.6, holes: 0.9 },
  b: { threshold: 0.7, gain: 2.2, share: 0.42, envelope: 1.1, holes: 0.8 },
  c: { threshold: 0.1, gain: 2.2, share: 0.52, envelope: 1.7, holes: 0.65 },
  d: { threshold: -0.75, gain: 2, share: 0.62, envelope: 2.3, holes: 0.45 },
};

/** A projection adds what lies at different depths: three sheets of gland, each with its own border. */
const sheets = [
  { weight: 0.42, dx: 0, dy: 0, flip: 1 },
  { weight: 0.33, dx: 97, dy: 131, flip: -1 },
  { weight: 0.25, dx: 171, dy: 43, flip: 1 },
] as const;

/** Finer than the softest edge of a sheet, so that a film of any pixel size has the same gland. Millimetres. */
const glandStep = 0.8;

/**
 * Where the gland is: the share of the sheets that are gland, 0..1.
 *
 * A sheet is gland where a smooth random field, the lobes and the envelope together pass a threshold, and deeper than the fat
 * under the skin. The field holds no waves under some 8 mm: the edge of a gland is scalloped, not crumbly.
 */
export function glandShare(
  plan: ExamPlan,
  laterality: Laterality,
  frame: Frame,
  lobes: readonly Lobe[],
  { border, cloud, places }: Texture,
): CoarseMap {
  const { seed, shape, density, pattern: { patches } } = plan;
  const { nippleX, nippleY, skin, width, height, mm, inside, view } = frame;
  const { threshold, gain, envelope } = glandClasses[density];
  const coarse = projectLobes(lobes, frame, { ...shape, envelope });
  const fat = sheets.map((_, k) => drawFatLayer(drawsOf(seed, "fat layer", laterality, view, k), shape.fatLayer, 0.22));
  const deepest = Math.max(...fat.map((layer) => Math.max(...layer))) + 8;
  const turn = nippleX - 0.8 * shape.depth; // the layer is told by its angle around this point of the chest wall's side

  const share = coarseMapOf(frame, glandStep);
  for (let j = 0; j < share.rows; j++) {
    for (let i = 0; i < share.width; i++) {
      const [x, y] = [i * glandStep, j * glandStep];
      const [column, row] = [Math.min(Math.floor(x / mm), width - 1), Math.min(Math.floor(y / mm), height - 1)];
      const at = row * width + column; // the pixel that the point lies in
      if (!inside[at]) continue;
      const wx = places.x[at]! + x - (column + 0.5) * mm;
      const wy = places.y[at]! + y - (row + 0.5) * mm;
      const n = nippleX - x;
      const fan = (y - nippleY) * fanAt(n);
      const flat = sample(cloud, wx, wy);
      const here = 1.1 * readCoarse(coarse, x, y) + 0.08 * flat - threshold;
      const d = skin[at]! + 1.2 * flat;
      const angle = d < deepest ? Math.atan2(y - nippleY, x - turn) : 0;
      let sum = 0;
      for (let k = 0; k < sheets.length; k++) {
        const { weight, dx, dy, flip } = sheets[k]!;
        const field = patches * sample(border, flip * wx + dx, wy + dy) + 0.3 * sample(border, 0.6 * n + dy, fan + dx);
        const gland = weight / (1 + Math.exp(-2 * gain * (field + here)));
        const layer = d < deepest ? fatAt(fat[k]!, angle) : 0;
        sum += gland * smoothstep(d, layer - 1.5, layer + 2.5);
      }
      share.data[j * share.width + i] = sum;
    }
  }
  return share;
}

/** How heights above the nipple are stretched at depth n to look into a field, so that it is drawn out towards the nipple. */
export function fanAt(n: number): number {
  return (60 / (Math.max(n, -5) + 35)) ** 0.6;
}
