import { describe, it } from "@std/testing/bdd";
import { assert } from "@std/assert";
import { planExam } from "../../lib/datasets/phantom/plan.ts";
import { renderBreast } from "../../lib/datasets/phantom/render.ts";
import {
  type Film,
  fineDetail,
  interior,
  quantilesOf,
  skinDistance,
  skinProfile,
  spectrum,
} from "../fixtures/phantom/measures.ts";

/** Both views of one breast of four women. The whole table: tests/fixtures/phantom/table.ts. */
function films(kind: "digital" | "film"): { film: Film; skin: Float32Array }[] {
  return Array.from({ length: 4 }, (_, seed) => planExam(500 + seed, { kind })).flatMap((plan) =>
    renderBreast(plan, plan.breasts[0], 0.4).map((view) => {
      const film = { ...view, values: Float32Array.from(view.pixels, (value) => value / 4095) };
      return { film, skin: skinDistance(film) };
    })
  );
}

function between(what: string, value: number, low: number, high: number): void {
  assert(value >= low && value <= high, `${what} is ${value.toFixed(3)}, not in ${low} to ${high}`);
}

const median = (values: readonly number[]) => quantilesOf(values)(0.5);

describe("a digital phantom", () => {
  const all = films("digital");

  it("has the spectrum of a mammogram: 1/f^beta, beta as in 299 films (2.70 to 3.36)", () => {
    between("the median exponent", median(all.map(({ film, skin }) => spectrum(film, skin).exponent)), 2.7, 3.36);
  });

  it("has the grey values of digital mammograms inside, between a processed and an unprocessed one", () => {
    const at = (q: number) => median(all.map(({ film, skin }) => interior(film, skin)(q)));
    between("the 5th percentile", at(0.05), 0.06, 0.12);
    between("the median", at(0.5), 0.25, 0.4);
    between("the 95th percentile", at(0.95), 0.52, 0.66);
  });

  it("has a bright skin line and dark fat under it", () => {
    const profiles = all.map(({ film, skin }) => skinProfile(film, [1, 10, 20], skin));
    const [rim, fat, deep] = [0, 1, 2].map((k) => median(profiles.map((profile) => profile[k]!))) as [
      number,
      number,
      number,
    ];
    between("the rim", rim, 1.1, 1.8);
    between("the fat", fat, 0.4, 0.7);
    between("the depth", deep, 0.65, 1.2);
  });

  it("has as much fine detail as mammograms have at 0.4 mm", () => {
    between("the fine detail", median(all.map(({ film, skin }) => fineDetail(film, skin))), 0.012, 0.026);
  });
});

describe("a phantom on film", () => {
  const all = films("film");

  it("has the spectrum and the quiet texture of a film", () => {
    const measured = all.map(({ film, skin }) => spectrum(film, skin));
    between("the median exponent", median(measured.map(({ exponent }) => exponent)), 2.7, 3.36);
    between("the deviation in 25 mm", median(measured.map(({ deviation }) => deviation)), 0.026, 0.055);
  });

  it("has a dark margin", () => {
    const profiles = all.map(({ film, skin }) => skinProfile(film, [0, 5, 20], skin));
    between("the skin", median(profiles.map(([skin]) => skin!)), 0, 0.2);
    between("5 mm deep", median(profiles.map(([, shallow]) => shallow!)), 0.25, 0.55);
    between("20 mm deep", median(profiles.map(([, , deep]) => deep!)), 0.75, 1.05);
  });
});
