import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { imageOf } from "mammolab/image";
import type { Mammogram } from "mammolab/io";
import type { LayerAttention } from "mammolab/model";
import { pointedAt } from "../../tasks/_pointing.ts";
import { film } from "../datasets/_records.ts";

/** Two tokens of 8 × 8 pixels beside each other, of which the class token looks at the right one. */
const attention: LayerAttention = {
  name: "attention.0",
  layer: 0,
  kind: "global",
  heads: 1,
  grid: { height: 1, width: 2 },
  prefixTokens: 1,
  data: Float32Array.of(0.1, 0.2, 0.7, 0.4, 0.3, 0.3, 0.4, 0.3, 0.3),
  shape: [1, 3, 3],
  toSource: [8, 0, 0, 0, 8, 0],
};
const mammogram = { image: imageOf(new Float32Array(8 * 16), { height: 8, width: 16 }) } as Mammogram;
const lesions = (["malignant", "benign"] as const).map((pathology, k) => ({
  kind: "mass",
  pathology,
  region: { kind: "circle", x: k === 0 ? 12 : 4, y: 4, radius: 3 } as const,
}));

describe("pointedAt()", () => {
  it("seeks the lesions of the film's label, where the breast alone has one too, and draws patients of pooled datasets apart", () => {
    const sick = film("1", { labels: { breast: { value: "malignant", rule: "made up" } }, patient: "7", lesions });
    const found = pointedAt(sick, mammogram, [attention]);
    assertEquals(found[0], {
      by: "class token, last layer",
      points: [[12, 4]],
      tolerance: 0,
      lesions: [lesions[0]!.region],
      patient: "made up 7",
    });
    assertEquals(pointedAt(film("2", { label: "normal", lesions }), mammogram, [attention]), []);
  });
});
