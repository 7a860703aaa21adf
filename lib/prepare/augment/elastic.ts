import { MammolabError, type Random, seededRandom } from "../../base/mod.ts";
import { type DenseMap, type Image, warp } from "../../image/mod.ts";

/** How far and how finely the picture is bent; lengths are shares of its shorter side. */
export type ElasticOptions = {
  /** Standard deviation of the displacements, drawn from [low, high]. */
  readonly low: number;
  readonly high: number;
  /** Width of the bends: the deviation of the Gaussian that smooths the field; at least four times `high`. Default 0.1. */
  readonly grain?: number;
};

/** Drawn by {@linkcode sampleElastic}; the field is made from `seed` and is the same at any size of the image. */
export type ElasticParameters = { readonly strength: number; readonly grain: number; readonly seed: number };

/**
 * Draws a strength and a field.
 *
 * @throws MammolabError when nothing would be bent, or so strongly that the picture could fold over itself
 */
export function sampleElastic({ low, high, grain = 0.1 }: ElasticOptions, random: Random): ElasticParameters {
  // The slopes of the field have the deviation strength / (grain √2): at a quarter of the grain a fold is 5.6 deviations away.
  if (!(low >= 0 && high >= low && high > 0 && grain <= 1 && high <= grain / 4)) {
    throw new MammolabError(
      `Cannot draw an elastic deformation of ${low} to ${high} with grain ${grain}: give two shares of the shorter side, the second above 0 and at most a quarter of the grain, and a grain of at most 1`,
    );
  }
  return { strength: random.between(low, high), grain, seed: random.bits() };
}

/**
 * Bends the picture by a smooth random field (Simard, Steinkraus & Platt 2003: random displacements, smoothed by a Gaussian),
 * bilinear, 0 beyond the image. `toSource` becomes a dense map, so that masks, outlines and points follow.
 *
 * @throws MammolabError when a side is under 2 pixels: there is nothing to bend
 */
export function elastic(image: Image, parameters: ElasticParameters, into?: Float32Array): Image {
  if (image.height < 2 || image.width < 2) {
    throw new MammolabError(
      `Cannot bend an image of ${image.height} × ${image.width}: at least 2 × 2 pixels are needed; leave this step out`,
    );
  }
  return warp(image, elasticMap(parameters, image), into ? { into } : {});
}

/** Where each pixel of the bent picture is taken from. */
export function elasticMap(
  { strength, grain, seed }: ElasticParameters,
  { height, width }: Pick<Image, "height" | "width">,
): DenseMap {
  const [x, y] = [new Float32Array(height * width), new Float32Array(height * width)];
  const side = Math.min(height, width);
  const lattice = { down: weightsAlong(height, side * grain), right: weightsAlong(width, side * grain) };
  for (const [axis, out] of [["x", x], ["y", y]] as const) {
    const field = smoothed(lattice, (row) => seededRandom(seed, "elastic", axis, row));
    for (let at = 0; at < out.length; at++) {
      const center = (axis === "x" ? at % width : Math.floor(at / width)) + 0.5;
      out[at] = center + strength * side * field[at]!;
    }
  }
  return { height, width, x, y };
}

/** What each node of a lattice along one side weighs at each pixel center. */
type Weights = {
  readonly size: number;
  readonly nodes: number;
  readonly first: Int32Array;
  readonly values: Float64Array;
};

/** Nodes to each side that count: they lie half a deviation apart, so these are 4.5 deviations. */
const reach = 9;

function weightsAlong(size: number, deviation: number): Weights {
  const step = deviation / 2;
  const span = 2 * reach;
  const [first, values] = [new Int32Array(size), new Float64Array(size * span)];
  for (let k = 0; k < size; k++) {
    const place = (k + 0.5) / step; // in nodes; node n of the list lies at n − reach + 1
    first[k] = Math.floor(place);
    let squares = 0;
    for (let n = 0; n < span; n++) {
      const distance = place - (first[k]! + n - reach + 1);
      const weight = Math.exp(-(distance ** 2) / 8);
      values[k * span + n] = weight;
      squares += weight ** 2;
    }
    const root = Math.sqrt(squares); // the sum of normal numbers then has deviation 1
    for (let n = 0; n < span; n++) values[k * span + n] = values[k * span + n]! / root;
  }
  return { size, nodes: first.at(-1)! + span, first, values };
}

/**
 * `[height, width]` of deviation 1: normal numbers on the lattice, spread by both weights. Each row of the lattice has draws of
 * its own, so that neither side of the image changes them.
 */
function smoothed(
  { down, right }: { readonly down: Weights; readonly right: Weights },
  draws: (row: number) => Random,
): Float32Array {
  const span = 2 * reach;
  const across = new Float64Array(down.nodes * right.size);
  const row = new Float64Array(right.nodes);
  for (let node = 0; node < down.nodes; node++) {
    const { normal } = draws(node);
    for (let n = 0; n < right.nodes; n++) row[n] = normal();
    for (let j = 0; j < right.size; j++) {
      let sum = 0;
      for (let n = 0; n < span; n++) sum += right.values[j * span + n]! * row[right.first[j]! + n]!;
      across[node * right.size + j] = sum;
    }
  }
  const out = new Float32Array(down.size * right.size);
  const sums = new Float64Array(right.size);
  for (let i = 0; i < down.size; i++) {
    sums.fill(0);
    for (let n = 0; n < span; n++) {
      const [weight, from] = [down.values[i * span + n]!, (down.first[i]! + n) * right.size];
      for (let j = 0; j < right.size; j++) sums[j]! += weight * across[from + j]!;
    }
    out.set(sums, i * right.size);
  }
  return out;
}
