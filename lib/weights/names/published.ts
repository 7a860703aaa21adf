import { MammolabError } from "../../base/mod.ts";
import { readSafetensors } from "../safetensors.ts";
import { fromHuggingFace, isHuggingFace } from "./hugging_face.ts";
import { fromTimm } from "./timm.ts";
import { fromTorchvision, isTorchvision } from "./torchvision.ts";

/** Who named the tensors of a file, and where the parameters of a network lie in it. */
export type PublishedNames = {
  /** Whose names the file has. */
  readonly source: "timm" | "Hugging Face" | "torchvision";
  /** Of the layer norms of this source's networks, where their configuration does not say. */
  readonly epsilon: number;
  /** The nets' name → names in the file; the rows of several (query, key, value) follow each other. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  /** Names that are known and have no use here: poolers, mask tokens, decoders of pre-training. */
  readonly leftOut: readonly string[];
};

/**
 * Tells whose names the tensors of a file have (timm's old and new, Hugging Face's ViT and DeiT of both generations,
 * torchvision's ViT) and finds the nets' parameters among them. Unknown names stay as they are, so that `compareWeights`
 * reports them.
 *
 * @example
 * ```ts
 * import { publishedNames } from "mammolab/weights";
 * import { assertEquals } from "@std/assert";
 * const attention = "vit.encoder.layer.0.attention.attention";
 * const { source, epsilon, parts } = publishedNames([
 *   "vit.embeddings.position_embeddings", `${attention}.key.bias`, `${attention}.query.bias`, `${attention}.value.bias`,
 * ]);
 * assertEquals([source, epsilon], ["Hugging Face", 1e-12]);
 * assertEquals(parts.get("blocks.0.attn.qkv.bias"), ["query", "key", "value"].map((one) => `${attention}.${one}.bias`));
 * ```
 */
export function publishedNames(names: Iterable<string>): PublishedNames {
  const all = [...names];
  if (isHuggingFace(all)) return { source: "Hugging Face", epsilon: 1e-12, ...fromHuggingFace(all) };
  if (isTorchvision(all)) return { source: "torchvision", epsilon: 1e-6, parts: fromTorchvision(all), leftOut: [] };
  const parts = fromTimm(new Map(all.map((name) => [name, [name]])));
  const kept = new Set([...parts.values()].flat());
  return { source: "timm", epsilon: 1e-6, parts, leftOut: all.filter((name) => !kept.has(name)) };
}

/**
 * The shapes that the parameters of a network have in a file: what `compareWeights` compares.
 *
 * @throws MammolabError when tensors that make one parameter do not fit each other
 */
export function publishedShapes(
  { parts }: PublishedNames,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Map<string, { readonly shape: readonly number[] }> {
  return new Map([...parts].map(([name, own]) => [name, { shape: joinedShape(own, tensors) }]));
}

/**
 * Reads the parameters of a network from a file of published names, as Float32.
 *
 * @param names the nets' names that are wanted
 * @throws MammolabError when the file lacks one, or holds integers there
 */
export async function readPublished(
  path: string,
  { parts }: PublishedNames,
  names: Iterable<string>,
): Promise<Map<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>> {
  const wanted = [...names].map((name) => [name, parts.get(name) ?? [name]] as const);
  const tensors = await readSafetensors(path, wanted.flatMap(([, own]) => own));
  return new Map(wanted.map(([name, own]) => {
    const shape = joinedShape(own, tensors);
    if (own.length === 1) return [name, { shape, data: tensors.get(own[0]!)!.data }];
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    let at = 0;
    for (const part of own) {
      const rows = tensors.get(part)!.data;
      data.set(rows, at);
      at += rows.length;
    }
    return [name, { shape, data }];
  }));
}

function joinedShape(
  parts: readonly string[],
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): readonly number[] {
  const shapes = parts.map((part) => tensors.get(part)!.shape);
  const [first] = shapes;
  if (shapes.length === 1) return first!;
  const odd = shapes.findIndex((shape) => shape.length === 0 || shape.slice(1).join() !== first!.slice(1).join());
  if (odd >= 0) {
    throw new MammolabError(
      `Cannot use the weights: ${parts[0]} is [${first}] and ${parts[odd]} is [${
        shapes[odd]
      }], which do not make one matrix; download the file again`,
    );
  }
  return [shapes.reduce((rows, shape) => rows + shape[0]!, 0), ...first!.slice(1)];
}
