import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { evaluate, input } from "mammolab/graph";
import { judge, lossOf } from "mammolab/train";

describe("judge()", () => {
  const logits = Float32Array.of(2, -1, 0.5, 0.25, -3, 60, 1, 1.5);
  const targets = [[1, 0], [0.25, 0.75], [0, 1], [1, 1]];

  it("gives the loss that is trained, of classes together and of each by itself", () => {
    for (const kind of ["crossEntropy", "binary"] as const) {
      const loss = lossOf(input("z", [4, 2]), input("y", [4, 2]), { kind });
      const feeds = {
        z: { shape: [4, 2], data: Float64Array.from(logits) },
        y: { shape: [4, 2], data: Float64Array.from(targets.flat()) },
      };
      assertAlmostEquals(judge(logits, targets, { kind }).loss, evaluate({ loss }, feeds).loss!.data[0]!, 1e-9);
    }
  });

  it("ranks by the last class alone where each is by itself", () => {
    // With a softmax the first is the more likely positive (1 over −1), by itself the second (3 over 1).
    const two = Float32Array.of(-1, 1, 5, 3);
    assertEquals(judge(two, [[0, 1], [1, 0]]).auc, 1);
    assertEquals(judge(two, [[0, 1], [1, 0]], { kind: "binary" }).auc, 0);
  });
});
