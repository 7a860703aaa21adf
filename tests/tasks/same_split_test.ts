import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { sameSplit } from "../../tasks/_train_options.ts";

describe("sameSplit()", () => {
  it("names all that decides which films test a model, so that none it learned from does", () => {
    const classes = "a=normal,b=women's";
    const said = "--classes 'a=normal,b=women'\\''s'";
    const each = { "each-file-is-a-patient": true };
    const numbers = { "split-seed": undefined, test: undefined, validation: undefined };
    const typed = { classes, published: false, "drop-leaks": false, "each-file-is-a-patient": false, ...numbers };
    const cases: readonly [string, Parameters<typeof sameSplit>[0], number | undefined][] = [
      ["--split-seed 1 --test 0.2 --validation 0.1", typed, 1],
      [
        "--split-seed 3 --test 0.5 --validation 0 --each-file-is-a-patient",
        { ...typed, ...each, "split-seed": 3, test: 0.5, validation: 0 },
        3,
      ],
      ["--published --drop-leaks", { ...typed, published: true, "drop-leaks": true }, undefined], // its own validation side
      ["--published --validation 0", { ...typed, published: true, validation: 0 }, undefined],
      ["--published --split-seed 1 --validation 0.1", { ...typed, published: true }, 1],
    ];
    for (const [words, options, seed] of cases) {
      assertEquals(sameSplit(options, seed === undefined ? {} : { seed }), `${said} ${words}`);
    }
  });
});
