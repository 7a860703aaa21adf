import type { Random } from "../../base/mod.ts";

/**
 * Thickness of the fat between skin and gland along the contour, by angle around a point deep in the breast.
 *
 * The front of the gland is drawn out to crests where Cooper's ligaments hold it to the skin; between two crests lies a fat
 * lobule that bulges into it (the crests of Duret). So: arcs of uneven length that meet in cusps.
 */
export type FatLayer = Float32Array;

const samples = 720;

/** @param mean millimetres; @param lobule mean length of an arc in radians */
export function drawFatLayer(random: Random, mean: number, lobule: number): FatLayer {
  const layer = new Float32Array(samples);
  const crest = () => mean * random.between(0.15, 0.75);
  let start = -random.between(0, lobule);
  let from = crest();
  while (start < samples) {
    const length = Math.max(8, (lobule * random.logBetween(0.55, 1.8) * samples) / (2 * Math.PI));
    const to = crest();
    const bulge = mean * random.between(0.5, 1.1);
    for (let i = Math.max(0, Math.ceil(start)); i < Math.min(samples, start + length); i++) {
      const t = (i - start) / length;
      layer[i] = from + (to - from) * t + bulge * Math.sqrt(Math.max(0, 4 * t * (1 - t)));
    }
    start += length;
    from = to;
  }
  return layer;
}

/** Thickness in millimetres at an angle in radians, -π to π. */
export function fatAt(layer: FatLayer, angle: number): number {
  const u = ((angle + Math.PI) / (2 * Math.PI)) * (samples - 1);
  const i = Math.min(Math.max(Math.floor(u), 0), samples - 2);
  return layer[i]! + (layer[i + 1]! - layer[i]!) * (u - i);
}
