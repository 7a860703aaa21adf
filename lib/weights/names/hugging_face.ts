// ViT and DeiT of Hugging Face's transformers (src/transformers/models/{vit,deit}), under the nets' names. The files of the
// hub have the names of transformers 4, a state that transformers 5 holds in memory has new ones: both are one table here.

const layer = String.raw`^(?:encoder\.)?layers?\.(\d+)\.`;

/** Name in the file, without the model's prefix → the nets' name. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\.cls_token$/, "cls_token"],
  [/^embeddings\.position_embeddings$/, "pos_embed"],
  [/^embeddings\.patch_embeddings\.projection\./, "patch_embed.proj."],
  [new RegExp(`${layer}layernorm_before\\.`), "blocks.$1.norm1."],
  [new RegExp(`${layer}layernorm_after\\.`), "blocks.$1.norm2."],
  [new RegExp(`${layer}attention\\.(?:output\\.dense|o_proj)\\.`), "blocks.$1.attn.proj."],
  [new RegExp(`${layer}(?:intermediate\\.dense|mlp\\.fc1)\\.`), "blocks.$1.mlp.fc1."],
  [new RegExp(`${layer}(?:output\\.dense|mlp\\.fc2)\\.`), "blocks.$1.mlp.fc2."],
  [/^layernorm\./, "norm."],
  [/^(?:cls_)?classifier\./, "head."],
  [/^distillation_classifier\./, "head_dist."],
];

/** The rows of timm's one matrix are those of these three, in this order. */
const joined = new RegExp(
  `${layer}attention\\.(?:attention\\.(?<old>query|key|value)|(?<new>[qkv])_proj)\\.(?<kind>weight|bias)$`,
);
const order = ["q", "k", "v"];

/** Made for pre-training, or for a head of another kind: the networks here have no place for it. */
const leftOut = /^(?:pooler\.|decoder\.|embeddings\.mask_token$)/;

/** Whether a file has the names of Hugging Face's ViT or DeiT. */
export function isHuggingFace(names: readonly string[]): boolean {
  return names.some((name) => /^(?:(?:vit|deit)\.)?embeddings\.(?:patch_embeddings\.|position_embeddings$)/.test(name));
}

/**
 * The names of a ViT or DeiT of Hugging Face → those of the nets.
 *
 * DeiT's second token is a `dist_token` where the file has a head for it; without one (`DeiTForImageClassification`) it is
 * a token like any other, which is what the nets call a register.
 *
 * @returns the nets' name → the names in the file whose rows, one after the other, make it; and the names left out
 */
export function fromHuggingFace(
  names: readonly string[],
): { readonly parts: Map<string, readonly string[]>; readonly leftOut: readonly string[] } {
  const distilled = names.some((name) => name.startsWith("distillation_classifier."));
  const parts = new Map<string, readonly string[]>();
  const dropped: string[] = [];
  const projections = new Map<string, (string | undefined)[]>();
  for (const name of names) {
    const bare = name.replace(/^(?:vit|deit)\./, "");
    const match = joined.exec(bare);
    if (leftOut.test(bare)) dropped.push(name);
    else if (bare === "embeddings.distillation_token") parts.set(distilled ? "dist_token" : "reg_token", [name]);
    else if (match) {
      const own = `blocks.${match[1]}.attn.qkv.${match.groups!.kind}`;
      const three = projections.get(own) ?? [];
      three[order.indexOf((match.groups!.old ?? match.groups!.new)![0]!)] = name;
      projections.set(own, three);
    } else {
      const rule = renamed.find(([old]) => old.test(bare));
      parts.set(rule ? bare.replace(...rule) : name, [name]);
    }
  }
  for (const [own, three] of projections) {
    const found = three.filter((name) => name !== undefined);
    if (found.length === 3) parts.set(own, found);
    else for (const name of found) parts.set(name, [name]); // reported: qkv is missing, these are unexpected
  }
  return { parts, leftOut: dropped };
}
