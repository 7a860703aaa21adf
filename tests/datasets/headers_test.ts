import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { datasetOf, type FilmFacts, readHeaders } from "mammolab/datasets";
import { film } from "./_records.ts";

describe("readHeaders()", () => {
  const facts: Readonly<Record<string, FilmFacts>> = {
    a: { patient: "1f", patientFrom: "PatientID", laterality: "L", view: "CC", age: 61 },
    b: { patient: "2f", patientFrom: "PatientID", laterality: "R", view: "MLO" },
    c: { patient: "3f", patientFrom: "file name" },
  };
  const dataset = datasetOf(
    "made up",
    [film("a"), film("b", { patient: "known", laterality: "L" }), film("c"), film("d")],
    [{ kind: "patients unknown", count: 3, why: "neither a column nor a pattern names it" }],
  );
  const read = () =>
    readHeaders(dataset, {
      readFacts: ({ id }) =>
        id === "d"
          ? Promise.reject(new MammolabError("Cannot read d: it is empty; copy it again"))
          : Promise.resolve(facts[id]!),
    });

  it("fills in what the source left open and keeps what it says", async () => {
    const { records } = await read();
    assertEquals(
      records.map(({ patient, patientFrom, laterality, view, age }) => [patient, patientFrom, laterality, view, age]),
      [
        ["1f", "PatientID", "L", "CC", 61],
        ["known", undefined, "L", "MLO", undefined],
        [undefined, undefined, undefined, undefined, undefined],
        [undefined, undefined, undefined, undefined, undefined],
      ],
    );
  });

  it("takes no patient from a file name, and tells of files that it could not read", async () => {
    const { records, oddities } = await read();
    assertEquals(oddities, [
      { kind: "file unreadable", record: "d", why: "Cannot read d: it is empty; copy it again" },
      { kind: "patients unknown", count: 2, why: "neither the source nor the files name it" },
    ]);
    assertEquals(records[3]!.oddities, ["Cannot read d: it is empty; copy it again"]);
  });
});
