import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { generatePhantoms, loadExam } from "mammolab/datasets";
import { withFiles } from "./_files.ts";

describe("loadExam()", () => {
  it("takes DICOM files named by a UID or without an ending, and no table of contents beside them", () =>
    withFiles({}, async (folder) => {
      await generatePhantoms([3], { folder, mm: 1, workers: 1 });
      const [disk, names] = [join(folder, "disk"), ["1.2.840.113619.2.66.1", "IM0001", "4.dcm", "2.25.7"]];
      await Deno.mkdir(disk);
      for (const [k, film] of ["L-CC", "L-MLO", "R-CC", "R-MLO"].entries()) {
        await Deno.rename(join(folder, "0003", `0003_${film}.dcm`), join(disk, names[k]!));
      }
      for (const other of ["DICOMDIR", "read.me", ".hidden"]) await Deno.writeTextFile(join(disk, other), "no film");
      const { views, others } = await loadExam(disk, { trusted: true });
      assertEquals(Object.keys(views).sort(), ["leftCc", "leftMlo", "rightCc", "rightMlo"]);
      assertEquals(others, []);
    }));

  it("says that a folder holds no film, or films of two patients", () =>
    withFiles({}, async (folder) => {
      await Deno.writeTextFile(join(folder, "DICOMDIR"), "no film");
      await assertRejects(() => loadExam(folder), MammolabError, "no film lies in it");
      await generatePhantoms([3, 4], { folder, mm: 1, workers: 1 });
      await Deno.rename(join(folder, "0003", "0003_L-CC.dcm"), join(folder, "0004", "0003_L-CC.dcm"));
      await assertRejects(() => loadExam(join(folder, "0004"), { trusted: true }), MammolabError, "of 2 patients");
    }));
});
