import { seededRandom } from "../base/mod.ts";

/**
 * First values of a Vision Transformer's parameters, as timm sets them (`vision_transformer.py`, `init_weights_vit_timm`,
 * after Dosovitskiy et al. 2021): matrices and position embeddings from a normal distribution of deviation 0.02 cut at ±2
 * (in units of 1, so hardly ever), class tokens 1e-6, norms 1 and 0, biases 0, the patch projection as PyTorch's convolution
 * (uniform ± 1/√fan-in), layer scales 1e-5.
 *
 * Each parameter has its own stream: adding one never changes another.
 *
 * @returns by name, in the order given
 */
export function initialize(
  shapes: ReadonlyMap<string, readonly number[]>,
  { seed }: { readonly seed: number },
): Map<string, Float32Array<ArrayBuffer>> {
  return new Map([...shapes].map(([name, shape]) => [name, first(name, shape, seed)]));
}

function first(name: string, shape: readonly number[], seed: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const random = seededRandom(seed, "initialize", name);
  if (/(cls_token|dist_token|reg_token)$/.test(name)) return out.map(() => 1e-6 * random.normal());
  if (/\.gamma$/.test(name)) return out.fill(1e-5);
  if (/norm[^.]*\.weight$/.test(name)) return out.fill(1);
  if (/^patch_embed\.proj\./.test(name)) {
    const kernel = shapesOfKernel(shape);
    const reach = 1 / Math.sqrt(kernel);
    return name.endsWith("weight") ? out.map(() => random.between(-reach, reach)) : out;
  }
  if (shape.length > 1) return out.map(() => 0.02 * random.normal());
  return out;
}

const shapesOfKernel = ([, ...inner]: readonly number[]): number => inner.reduce((a, b) => a * b, 1);
