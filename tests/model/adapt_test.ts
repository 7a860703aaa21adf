import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { adaptModel } from "mammolab/model";
import { buildNet } from "mammolab/nets";
import { compareWeights } from "mammolab/weights";
import { small, weightsOf } from "./_small.ts";

const start = { definition: small, weights: weightsOf(small, 1) };

describe("adaptModel()", () => {
  it("lets the head read other tokens: the last norm keeps its numbers under its new name, there and back", () => {
    const mean = adaptModel(start, { pool: "average", seed: 1 });
    assertEquals(mean.changes, [{ kind: "norm", from: "norm", to: "fc_norm" }]);
    assertEquals(mean.weights.get("fc_norm.bias"), start.weights.get("norm.bias"));
    const { parameters } = buildNet(mean.definition.spec, { normalization: small.preparation });
    const fit = compareWeights(parameters, mean.weights);
    assertEquals(fit, { missing: [], unexpected: [], misfits: [] });

    const back = adaptModel(mean, { pool: "token", seed: 1 });
    assertEquals([back.definition, back.weights], [start.definition, start.weights]);
    assertEquals(adaptModel(start, { pool: "max", seed: 1 }).changes, []);
  });

  it("refuses two classes of one name: scores are told by it", () => {
    const twice = { classes: ["malignant", "malignant"], seed: 1 };
    assertThrows(
      () => adaptModel(start, twice),
      MammolabError,
      "two of the classes malignant, malignant have one name",
    );
  });

  it("refuses to fold the colors of a stem: its convolutions pad with zeros, so that grey would give other numbers", () => {
    const definition = { ...small, spec: { ...small.spec, stem: [4, 6] } };
    const colored = { definition, weights: weightsOf(definition, 1) };
    assertThrows(
      () => adaptModel(colored, { grey: true, seed: 1 }),
      MammolabError,
      "patch_embed.stem.0.weight is [4,3,3,3], the network needs [4,1,3,3]",
    );
  });
});
