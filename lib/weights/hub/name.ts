import { MammolabError } from "../../base/mod.ts";

/** A model of the Hugging Face hub at one revision. */
export type HubName = {
  readonly owner: string;
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
};

/** Whether a word names a model of the hub (`hf:…`). */
export function isHubName(text: string): boolean {
  return text.startsWith("hf:");
}

/**
 * Reads `hf:owner/name[@revision]`; without a revision it is `main`.
 *
 * @throws MammolabError when it is written otherwise
 *
 * @example
 * ```ts
 * import { parseHubName } from "mammolab/weights";
 * import { assertEquals } from "@std/assert";
 * assertEquals(parseHubName("hf:timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k"), {
 *   owner: "timm", name: "vit_tiny_patch16_224.augreg_in21k_ft_in1k", revision: "main",
 * });
 * ```
 */
export function parseHubName(text: string): HubName {
  const [, owner, name, revision = "main"] = /^hf:([^/@]+)\/([^/@]+)(?:@(.+))?$/.exec(text) ?? [];
  // They become folders: the hub's own rules, which allow no way out of them.
  const word = (part: string | undefined) =>
    part !== undefined && /^\w[\w.-]{0,95}$/.test(part) && !/--|\.\.|\.git$|[.-]$/.test(part);
  const ref = revision.split("/").every((part) => /^\w[\w.-]{0,127}$/.test(part) && !part.includes(".."));
  if (!word(owner) || !word(name) || !ref) {
    throw new MammolabError(
      `Cannot find ${text}: it is no model of the hub, which is written hf:owner/name or hf:owner/name@revision; check the name`,
    );
  }
  return { owner: owner!, name: name!, revision };
}

/** The name as a person writes it; `main` is left out. */
export function hubNameText({ owner, name, revision }: HubName): string {
  return `hf:${owner}/${name}${revision === "main" ? "" : `@${revision}`}`;
}
