import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { nodesOf } from "mammolab/graph";
import { buildNet } from "mammolab/nets";
import { decays, layerScale, trainedNames } from "mammolab/train";
import { stepTensors } from "../../lib/train/step_graph.ts";
import { smallFit } from "./_fit_case.ts";

const { normalization, ...rest } = smallFit();
const spec = { ...rest.spec, stem: [4, 6] };
const names = [...buildNet(spec, { normalization }).parameters.keys()];
const stem = names.filter((name) => name.startsWith("patch_embed.stem."));

/** Operations of a step that trains these parameters. */
function operations(trained: readonly string[]): readonly string[] {
  const loss = { kind: "crossEntropy" } as const;
  const tensors = stepTensors({ spec, normalization, inputChannels: 1, batchSize: 2, loss, trained });
  return nodesOf(Object.values(tensors)).map(({ op }) => op);
}

describe("a stem of convolutions in training", () => {
  it("is frozen with the embedding, and its gradients are then not computed", () => {
    assertEquals(stem.length, 4);
    for (const mode of ["head", { lastBlocks: 1 }, { lastBlocks: 2 }] as const) {
      const trained = trainedNames(names, mode, spec);
      assertEquals(trained.filter((name) => name.startsWith("patch_embed.")), []);
      const done = operations(trained);
      assertEquals(done.filter((op) => op === "conv2d").length, 2);
      assertEquals(done.includes("equal"), false); // of the way back through the pool
    }
    const all = operations(trainedNames(names, "all", spec));
    assertEquals(all.filter((op) => op === "conv2d").length, 3); // the way back to the pixels is not asked for
    assert(all.includes("equal"));
  });

  it("learns as slowly as the embedding with a decay from layer to layer; its kernels decay, its biases do not", () => {
    for (const name of stem) {
      assertEquals(layerScale(name, { depth: 2, decay: 0.5 }), layerScale("pos_embed", { depth: 2, decay: 0.5 }));
      assertEquals(decays(name, name.endsWith("weight") ? [6, 4, 3, 3] : [6]), name.endsWith("weight"));
    }
  });
});
