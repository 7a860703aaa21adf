import { MammolabError } from "../base/mod.ts";
import { buildNet, gridOf, type NetSpec, prefixTokensOf } from "../nets/mod.ts";
import { type Adaptation, adaptWeights, compareWeights, type NamedTensors, requireFit } from "../weights/mod.ts";
import type { ModelDefinition } from "./definition.ts";
import type { ModelWeights } from "./save.ts";

/** What a model shall be made for. */
export type AdaptOptions = {
  /** Names of the outputs; where they are others than before, the head is drawn anew. Default: as before. */
  readonly classes?: readonly string[];
  /** Pixels, multiples of the patch size; default: as before. */
  readonly imageSize?: { readonly height: number; readonly width: number };
  /** Takes grey alone instead of grey copied to three channels: the same numbers, less work. Default false. */
  readonly grey?: boolean;
  /** What the head reads of the tokens; default: as before. */
  readonly pool?: NetSpec["pool"];
  /** Of the new head. */
  readonly seed: number;
};

/**
 * Makes a trained model ready for another task: other classes, another size, another pool, grey instead of color. The rest
 * of its numbers stays; what was changed is said.
 *
 * @throws MammolabError where the numbers cannot be made to fit: those of a stem of convolutions stay as they are
 *
 * @example A head for two classes
 * ```ts
 * import { adaptModel, readModel } from "mammolab/model";
 * import { assertEquals } from "@std/assert";
 * const model = await readModel("vit-phantom");
 * const { definition, changes } = adaptModel(model, { classes: ["benign", "malignant"], seed: 1 });
 * assertEquals(definition.classes, ["benign", "malignant"]);
 * assertEquals(changes.map(({ kind }) => kind), ["head"]);
 * ```
 */
export function adaptModel(
  { definition, weights }: { readonly definition: ModelDefinition; readonly weights: ModelWeights },
  {
    classes = definition.classes,
    imageSize = definition.spec.imageSize,
    grey = false,
    pool = definition.spec.pool,
    seed,
  }: AdaptOptions,
): {
  readonly definition: ModelDefinition;
  readonly weights: ModelWeights;
  readonly changes: readonly Adaptation[];
} {
  if (new Set(classes).size < classes.length) {
    throw new MammolabError(`Cannot adapt ${definition.name}: two of the classes ${classes.join(", ")} have one name`);
  }
  const { spec, preparation } = definition;
  const size = { height: imageSize.height, width: imageSize.width };
  const wanted = { ...spec, pool, imageSize: size, classes: classes.length, channels: grey ? 1 : spec.channels };
  const { parameters } = buildNet(wanted, { normalization: grey ? { mean: [0], std: [1] } : preparation });
  const adapted = adaptWeights(weights as NamedTensors, parameters, {
    grid: gridOf(wanted),
    trainedGrid: gridOf(spec),
    prefixTokens: spec.prefixPositions ? prefixTokensOf(spec) : 0,
    normalization: { mean: preparation.mean, std: preparation.std },
    seed,
    newHead: classes.join("\0") !== definition.classes.join("\0"),
  });
  requireFit(compareWeights(parameters, adapted.weights), definition.name);
  return {
    definition: {
      ...definition,
      spec: wanted,
      classes,
      preparation: {
        ...preparation,
        resize: { ...preparation.resize, ...size },
        ...adapted.normalization,
        channels: grey ? 1 : preparation.channels,
      },
    },
    weights: new Map([...parameters.keys()].map((name) => [name, adapted.weights.get(name)!])),
    changes: adapted.changes,
  };
}
