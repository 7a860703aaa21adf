import { seededRandom } from "mammolab/base";
import { buildNet, vitDefaults } from "mammolab/nets";
import { initialize } from "mammolab/weights";
import type { FitOptions, Recipe, Samples } from "mammolab/train";

/** A small net that can learn, and images with and without a bright square. */
export function smallFit(recipe: Partial<Recipe> = {}, images = 24): FitOptions {
  const spec = {
    ...vitDefaults,
    imageSize: { height: 16, width: 16 },
    patchSize: 8,
    channels: 1,
    dim: 16,
    depth: 2,
    heads: 2,
    mlpRatio: 2,
    classes: 2,
  };
  const normalization = { mean: [0.5], std: [0.25] };
  const { parameters } = buildNet(spec, { normalization });
  return {
    spec,
    normalization,
    weights: Object.fromEntries(initialize(parameters, { seed: 1 })),
    training: squares("training", images),
    validation: squares("validation", 16),
    recipe: { seed: 3, epochs: 3, batchSize: 4, learningRate: 3e-3, ...recipe },
    threads: 1,
  };
}

export function squares(name: string, count: number): Samples {
  return {
    ids: Array.from({ length: count }, (_, i) => `${name} ${i}`),
    targets: Array.from({ length: count }, (_, i) => i % 2 ? [0, 1] : [1, 0]),
    image: (item, epoch) => {
      const { uniform, integer } = seededRandom(name, item, Math.max(epoch, 0));
      const pixels = new Float32Array(256).map(() => 0.4 * uniform());
      const [row, column] = [integer(12), integer(12)];
      if (item % 2) {
        for (let y = row; y < row + 4; y++) for (let x = column; x < column + 4; x++) pixels[y * 16 + x]! += 0.6;
      }
      return pixels;
    },
  };
}
