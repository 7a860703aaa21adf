import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { MammolabError } from "mammolab/base";
import { countBy, labelOf, loadFolder } from "mammolab/datasets";
import { withFiles } from "./_files.ts";

describe("loadFolder()", () => {
  it("takes the folder's name as the label, at any depth, and passes over what is no picture", async () => {
    await withFiles({
      "benign/1/P1_L_CC.png": "",
      "benign/P2_R.dcm": "",
      "malignant/P3.PGM": "",
      "malignant/notes.txt": "",
      "malignant/.hidden.png": "",
      "readme.md": "",
    }, async (root) => {
      const { records, oddities } = await loadFolder(root, { patient: /(P\d+)/ });
      assertEquals(
        records.map(({ file, patient, labels }) => [file.slice(root.length + 1), patient, labels.image!.value]),
        [
          ["benign/1/P1_L_CC.png", "P1", "benign"],
          ["benign/P2_R.dcm", "P2", "benign"],
          ["malignant/P3.PGM", "P3", "malignant"],
        ],
      );
      assertEquals(oddities, [{ kind: "file passed over", files: 2, why: "no picture, or in no class folder" }]);
    });
  });

  it("refuses another folder beside those of sides, which would be classes with it", async () => {
    await withFiles({ "train/a/1.png": "", "test/b/3.png": "", "masks/1.png": "" }, async (root) => {
      await assertRejects(() => loadFolder(root), MammolabError, "beside the sides (test, train) lies masks");
    });
  });

  it("takes train, val and test above the classes as the publisher's sides", async () => {
    await withFiles({ "train/a/1.png": "", "val/a/2.png": "", "test/b/3.png": "" }, async (root) => {
      const { records } = await loadFolder(root);
      assertEquals(countBy(records, ({ split }) => split), { test: 1, training: 1, validation: 1 });
      assertEquals(countBy(records, labelOf), { a: 2, b: 1 });
    });
  });

  it("gives ids that hold nothing of the file name and do not change when files are added", async () => {
    const ids = (files: Record<string, string>) =>
      withFiles(files, async (root) => (await loadFolder(root)).records.map(({ id }) => id));
    const [one] = await ids({ "a/Anna_Muster.png": "" });
    assert(/^[0-9a-f]{12}$/.test(one!));
    assert((await ids({ "a/A.png": "", "a/Anna_Muster.png": "", "b/Z.png": "" })).includes(one!));
  });

  it("says that patients are unknown where no pattern tells them, or where it does not match", async () => {
    await withFiles({ "a/P1_x.png": "", "a/x.png": "" }, async (root) => {
      const kinds = async (patient?: RegExp) => (await loadFolder(root, patient ? { patient } : {})).oddities;
      assertEquals(await kinds(), [{
        kind: "patients unknown",
        count: 2,
        why: "neither a column nor a pattern names it",
      }]);
      assertEquals((await kinds(/(?<patient>P\d)_/g)).map((o) => "count" in o && o.count), [1]);
      await assertRejects(
        () => loadFolder(root, { patient: /^Q(\d+)/ }),
        MammolabError,
        "matches none of 2 file names",
      );
    });
  });

  it("follows a ring of links once", async () => {
    await withFiles({ "a/1.png": "" }, async (root) => {
      await Deno.symlink(join(root, "a"), join(root, "a", "again"));
      assertEquals((await loadFolder(root)).records.length, 1);
    });
  });

  it("refuses a folder without pictures in class folders, and one that is not there", async () => {
    await withFiles({ "1.png": "" }, async (root) => {
      await assertRejects(() => loadFolder(root), MammolabError, "put each class in a folder of its own");
      await assertRejects(() => loadFolder(join(root, "none")), MammolabError, "there is no such folder");
    });
  });
});
