import { type Random, seededRandom } from "../base/mod.ts";

/**
 * First values of a Vision Transformer's parameters, as timm sets them (`vision_transformer.py`, `init_weights_vit_timm`,
 * after Dosovitskiy et al. 2021): matrices and position embeddings from a normal distribution of deviation 0.02 cut at ±2
 * (in units of 1, so hardly ever), DeiT's second token too, class and register tokens 1e-6, norms 1 and 0, biases 0, the patch projection as PyTorch's convolution
 * (uniform ± 1/√fan-in, kernel and bias), layer scales 1e-5. The convolutions of a stem as He et al. 2015, eq. 10; of the first
 * ones each kernel has a mean of 0, so that they see edges and not how bright a film is (it is then made three times as large,
 * as a film differs little from pixel to pixel): no norm is needed between them.
 *
 * Each parameter has its own stream: adding one never changes another.
 *
 * @returns by name, in the order given
 */
export function initialize(
  shapes: ReadonlyMap<string, readonly number[]>,
  { seed }: { readonly seed: number },
): Map<string, Float32Array<ArrayBuffer>> {
  return new Map([...shapes].map(([name, shape]) => {
    const kernel = /^patch_embed\.proj\./.test(name) ? shapes.get("patch_embed.proj.weight") : undefined;
    return [name, first(name, shape, { seed, ...(kernel ? { fanIn: sizeOf(kernel.slice(1)) } : {}) })];
  }));
}

function first(
  name: string,
  shape: readonly number[],
  { seed, fanIn }: { readonly seed: number; readonly fanIn?: number },
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(sizeOf(shape));
  const random = seededRandom(seed, "initialize", name);
  if (/(cls_token|reg_token)$/.test(name)) return out.map(() => 1e-6 * random.normal());
  if (/\.gamma$/.test(name)) return out.fill(1e-5);
  if (/norm[^.]*\.weight$/.test(name)) return out.fill(1);
  if (/^patch_embed\.stem\.\d+\.weight$/.test(name)) return stemKernels(out, name, shape, random);
  if (fanIn) return out.map(() => random.between(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)));
  if (shape.length > 1) return out.map(() => 0.02 * random.normal());
  return out;
}

function stemKernels(
  out: Float32Array<ArrayBuffer>,
  name: string,
  [, ...rest]: readonly number[],
  random: Random,
): Float32Array<ArrayBuffer> {
  const fanIn = sizeOf(rest);
  out.forEach((_, at) => out[at] = Math.sqrt(2 / fanIn) * random.normal());
  if (!name.startsWith("patch_embed.stem.0.")) return out;
  for (let from = 0; from < out.length; from += 9) {
    const kernel = out.subarray(from, from + 9);
    const mean = kernel.reduce((a, b) => a + b, 0) / 9;
    kernel.forEach((x, at) => kernel[at] = 3 * (x - mean));
  }
  return out;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
