import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { identityFromName } from "mammolab/io";

const names = {
  "0_L-CC.png": { laterality: "L", view: "CC", patient: "0" },
  "scans/exam 7/P12_R_MLO.jpg": { laterality: "R", view: "MLO", patient: "P12" },
  "C:\\scans\\3_RIGHT_XCCL.dcm": { laterality: "R", view: "XCCL", patient: "3" },
  "LCC.png": { laterality: "L", view: "CC" },
  "rmlo.PNG": { laterality: "R", view: "MLO" },
  "left breast.png": { laterality: "L" },
  "12_MLO.dcm": { view: "MLO" },
  // public datasets
  "mdb027.pgm": { laterality: "L", view: "MLO", patient: "mini-MIAS 14" },
  "mdb028.png": { laterality: "R", view: "MLO", patient: "mini-MIAS 14" },
  "Calc-Training_P_00005_RIGHT_CC_1.png": { laterality: "R", view: "CC", patient: "P_00005" },
  "A_0001_1.LEFT_MLO.png": { laterality: "L", view: "MLO", patient: "A_0001" },
  "20588072_024ee3569b2605dc_MG_L_ML_ANON.dcm": { laterality: "L", view: "MLO", patient: "024ee3569b2605dc" },
  "P1_L_CM_MLO.jpg": { laterality: "L", view: "MLO", patient: "P1" },
  // what parts one patient's films (a date, a number of the film) or may be a name is not taken for a patient
  "00045_20990909_L_CC_1.dcm": { laterality: "L", view: "CC" },
  "Mueller_Anna_L-CC.png": { laterality: "L", view: "CC" },
  // what says nothing, or two things
  "GH133.dcm": {},
  "case_R.png": {},
  "ml-data.png": {},
  "869F263B-430B-4DB9-8CC8-A55020E196CA.png": {},
  "973680CC-BDB3-4E8A-847C-83B68ECCDFE9.png": {},
  "RCC and LCC.png": {},
  "": {},
} as const;

describe("identityFromName()", () => {
  for (const [name, identity] of Object.entries(names)) {
    it(`finds ${Object.values(identity).join(", ") || "nothing"} in "${name}"`, () => {
      assertEquals(identityFromName(name), identity);
    });
  }
});
