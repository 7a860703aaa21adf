import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromTimm } from "mammolab/weights";

const renamed = (...names: string[]) => [...fromTimm(new Map(names.map((name) => [name, name]))).keys()];

describe("fromTimm()", () => {
  it("leaves today's names as they are", () => {
    assertEquals(renamed("cls_token", "blocks.0.attn.qkv.weight", "fc_norm.bias", "head_dist.weight"), [
      "cls_token",
      "blocks.0.attn.qkv.weight",
      "fc_norm.bias",
      "head_dist.weight",
    ]);
  });
  it("takes a wrapper off only where every name has it", () => {
    assertEquals(renamed("module.head.weight", "module.norm.bias"), ["head.weight", "norm.bias"]);
    assertEquals(renamed("model.norm.bias", "head.weight"), ["model.norm.bias", "head.weight"]);
    assertEquals(renamed(), []);
  });
  it("brings the pre-training head of older files and DINOv2's registers up to date", () => {
    assertEquals(renamed("pre_logits.fc.weight", "pre_logits.fc.bias"), ["pre_logits.weight", "pre_logits.bias"]);
    assertEquals(renamed("register_tokens", "mask_token", "norm.weight"), ["reg_token", "norm.weight"]);
  });
});
