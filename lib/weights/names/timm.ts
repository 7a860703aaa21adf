// The nets use the names of today's timm as they are; this file knows the names of yesterday's.

/** Older name → today's. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/^pre_logits\.fc\./, "pre_logits."], // timm before 0.6: the hidden layer of the pre-training head
  [/^register_tokens$/, "reg_token"], // Meta's DINOv2 (timm vision_transformer.py, _convert_dinov2)
];

/** Of no use outside pre-training (DINOv2). */
const unused = /^mask_token$/;

/**
 * Tensors of a timm checkpoint under the names of the nets: the wrapper that some files put before every name (`module.`,
 * `model.`) is taken off, older names are brought up to date, the mask token of pre-training is left out.
 *
 * @param tensors by the names in the file; what they hold is not touched
 *
 * @example
 * ```ts
 * import { fromTimm } from "mammolab/weights";
 * import { assertEquals } from "@std/assert";
 * const file = new Map([["module.pos_embed", 1], ["module.register_tokens", 2], ["module.mask_token", 3]]);
 * assertEquals([...fromTimm(file)], [["pos_embed", 1], ["reg_token", 2]]);
 * ```
 */
export function fromTimm<T>(tensors: ReadonlyMap<string, T>): Map<string, T> {
  const names = [...tensors.keys()];
  const wrapper = ["module.", "model."].find((prefix) => names.length > 0 && names.every((n) => n.startsWith(prefix)));
  const out = new Map<string, T>();
  for (const [name, tensor] of tensors) {
    const bare = name.slice(wrapper?.length ?? 0);
    if (unused.test(bare)) continue;
    const rule = renamed.find(([old]) => old.test(bare));
    out.set(rule ? bare.replace(...rule) : bare, tensor);
  }
  return out;
}
