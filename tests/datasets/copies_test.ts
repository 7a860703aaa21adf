import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { copyMarks } from "mammolab/datasets";

describe("copyMarks()", () => {
  const cases: readonly [file: string, original: string, marks: readonly string[]][] = [
    ["20587612 (37).png", "20587612", [" (37)"]],
    ["a/b/mdb001_rot90.png", "mdb001", ["_rot90"]],
    ["C:\\films\\mdb001-hflip.PNG", "mdb001", ["-hflip"]],
    ["mdb001_aug_12.png", "mdb001", ["_aug_12"]],
    ["mdb001_rot_90_flip_lr (2).png", "mdb001", ["_rot_90", "_flip_lr", " (2)"]],
    ["film 7 - Copy.dcm", "film 7", [" - Copy"]],
    ["film7_mirrored.tif", "film7", ["_mirrored"]],
  ];
  for (const [file, original, marks] of cases) {
    it(`finds ${marks.join(" and ")} in ${file}`, () => assertEquals(copyMarks(file), { original, marks }));
  }

  it("takes no number in a series, view or ordinary word for a mark", () => {
    for (
      const file of [
        "benign (37).png",
        "IMG_0012.png",
        "P1_L_MLO.png",
        "robot.png",
        "parrot_7.png",
        "P_00001_LEFT_CC.dcm",
        ".png",
      ]
    ) {
      assertEquals(copyMarks(file).marks, [], file);
    }
  });
});
