import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { sameSplit } from "../../tasks/_train_options.ts";

describe("sameSplit()", () => {
  it("names all that decides which films test a model, so that none it learned from does", () => {
    assertEquals(
      sameSplit({
        classes: "a=normal,b=women's",
        "split-seed": 3,
        test: 0.5,
        validation: 0,
        "each-file-is-a-patient": true,
      }),
      "--classes 'a=normal,b=women'\\''s' --split-seed 3 --test 0.5 --validation 0 --each-file-is-a-patient",
    );
  });
});
