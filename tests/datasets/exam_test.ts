import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { loadExam } from "mammolab/datasets";
import { encodePng } from "mammolab/io";
import { withFiles } from "./_files.ts";

const phantom = (name: string) => Deno.readFileSync(new URL(`../../data/phantom/${name}.dcm`, import.meta.url));

describe("loadExam()", () => {
  it("takes DICOM files named by a UID or without an ending, and no table of contents beside them", () =>
    withFiles({
      "1.2.840.113619.2.66.1": phantom("0007/0007_L-CC"),
      "IM0001": phantom("0007/0007_L-MLO"),
      "4.dcm": phantom("0007/0007_R-CC"),
      "2.25.7": phantom("0007/0007_R-MLO"),
      "DICOMDIR": "no film",
      "read.me": "no film",
      ".hidden": "no film",
    }, async (disk) => {
      const { views, others } = await loadExam(disk, { trusted: true });
      assertEquals(Object.keys(views).sort(), ["leftCc", "leftMlo", "rightCc", "rightMlo"]);
      assertEquals(others, []);
    }));

  it("says that a folder holds no film, or films of two patients, and by what it knows", () => {
    const png = encodePng(new Uint16Array(4), { height: 2, width: 2 });
    return withFiles({
      "empty/DICOMDIR": "no film",
      "two/a.dcm": phantom("0007/0007_L-CC"),
      "two/b.dcm": phantom("0004/0004_R-CC"),
      "numbered/1_L-CC.png": png,
      "numbered/2_R-CC.png": png,
    }, async (folder) => {
      const refused = (name: string, sentence: string) =>
        assertRejects(() => loadExam(join(folder, name), { trusted: true }), MammolabError, sentence);
      await refused("empty", "no film lies in it");
      await refused("two", "its films are of 2 patients; keep each patient in a folder");
      await refused(
        "numbered",
        "2 patients, by the numbers that their names begin with; keep each patient in a folder, and number the films elsewhere",
      );
    });
  });
});
