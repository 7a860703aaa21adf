// torchvision's ViT (torchvision/models/vision_transformer.py) under the nets' names; its query, key and value are one
// matrix, as timm's.

const block = String.raw`^encoder\.layers\.encoder_layer_(\d+)\.`;

const renamed: readonly (readonly [RegExp, string])[] = [
  [/^class_token$/, "cls_token"],
  [/^encoder\.pos_embedding$/, "pos_embed"],
  [/^conv_proj\./, "patch_embed.proj."],
  [new RegExp(`${block}ln_1\\.`), "blocks.$1.norm1."],
  [new RegExp(`${block}ln_2\\.`), "blocks.$1.norm2."],
  [new RegExp(`${block}self_attention\\.in_proj_`), "blocks.$1.attn.qkv."],
  [new RegExp(`${block}self_attention\\.out_proj\\.`), "blocks.$1.attn.proj."],
  [new RegExp(`${block}mlp\\.(?:0|linear_1)\\.`), "blocks.$1.mlp.fc1."], // linear_1: torchvision 0.12
  [new RegExp(`${block}mlp\\.(?:3|linear_2)\\.`), "blocks.$1.mlp.fc2."],
  [/^encoder\.ln\./, "norm."],
  [/^heads\.head\./, "head."],
  [/^heads\.pre_logits\./, "pre_logits."],
];

/** Whether a file has the names of torchvision's ViT. */
export function isTorchvision(names: readonly string[]): boolean {
  return names.includes("encoder.pos_embedding");
}

/** The names of torchvision's ViT → those of the nets: our name → the one in the file. */
export function fromTorchvision(names: readonly string[]): Map<string, readonly string[]> {
  return new Map(names.map((name) => {
    const rule = renamed.find(([old]) => old.test(name));
    return [rule ? name.replace(...rule) : name, [name]];
  }));
}
