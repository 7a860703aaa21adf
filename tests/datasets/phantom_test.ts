import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError, seededRandom } from "mammolab/base";
import {
  phantomAsExam,
  type PhantomExam,
  phantomExam,
  phantomRecords,
  type PhantomView,
  planExam,
} from "mammolab/datasets";
import { area, contains } from "mammolab/image";
import { frameOf } from "../../lib/datasets/phantom/frame.ts";
import { drawAnatomy, tissueOf } from "../../lib/datasets/phantom/tissue.ts";

const coarse = { mm: 1 } as const; // a phantom is the same at any pixel size, and large pixels are quick
const sick = [101, 102, 103].map((seed) => phantomExam(seed, { ...coarse, label: "malignant" }));
const views = (exams: readonly PhantomExam[]) => exams.flatMap((exam) => exam.views);
const find = ({ views }: PhantomExam, laterality: string, view: string) =>
  views.find((one) => one.laterality === laterality && one.view === view)!;

describe("planExam()", () => {
  it("draws labels and densities in the shares that are documented", () => {
    const plans = Array.from({ length: 3000 }, (_, seed) => planExam(seed));
    const share = (test: (plan: ReturnType<typeof planExam>) => boolean) => plans.filter(test).length / plans.length;
    const near = (found: number, expected: number) =>
      assert(Math.abs(found - expected) < 0.03, `${found}, not ${expected}`);
    near(share(({ label }) => label === "malignant"), 0.35);
    near(share(({ label }) => label === "benign"), 0.33);
    near(share(({ density }) => density === "b"), 0.4);
    near(share(({ technique }) => technique.kind === "film"), 0.2);
    const masses = (label: string) =>
      plans.filter((plan) => plan.label === label).flatMap(({ breasts }) => breasts)
        .flatMap(({ lesions }) => lesions).filter(({ kind }) => kind.endsWith("mass"));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    // benign and malignant masses differ in form only: size and contrast would be a giveaway
    near(mean(masses("benign").map(({ radius }) => radius)) / mean(masses("malignant").map(({ radius }) => radius)), 1);
    near(
      mean(masses("benign").map(({ contrast }) => contrast)) /
        mean(masses("malignant").map(({ contrast }) => contrast)),
      1,
    );
  });

  it("first draws of neighboring seeds are uniform and unrelated", () => {
    const draws = Array.from({ length: 20_000 }, (_, seed) => seededRandom(seed, "phantom", "exam").uniform());
    const tenths = Object.values(Object.groupBy(draws, (u) => String(Math.floor(10 * u)))).map((all) => all!.length);
    const chiSquared = tenths.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    assert(chiSquared < 27.9, `chi squared ${chiSquared}`); // 9 degrees of freedom, p = 0.001
    const serial = draws.slice(1).reduce((sum, u, i) => sum + (u - 0.5) * (draws[i]! - 0.5), 0) / (draws.length / 12);
    assert(Math.abs(serial) < 0.03, `serial correlation ${serial}`);
  });

  it("fixing one thing changes nothing else that is drawn", () => {
    const [free, fixed] = [planExam(5), planExam(5, { kind: "film" })];
    assertEquals({ ...fixed, technique: free.technique }, free);
    assertEquals(fixed.technique.kind, "film");
    assertEquals(planExam(5, { radius: [6, 16] }), free); // the default, written out
  });

  it("is plain JSON", () => {
    const plan = planExam(9, { label: "malignant" });
    assertEquals(JSON.parse(JSON.stringify(plan)), plan);
  });
});

describe("phantomExam()", () => {
  it("gives the same pixels for the same seed, and others for another", () => {
    const again = phantomExam(101, { ...coarse, label: "malignant" });
    assertEquals(again.views.map(({ pixels }) => pixels), sick[0]!.views.map(({ pixels }) => pixels));
    assert(find(sick[0]!, "L", "CC").pixels.some((value, i) => value !== find(sick[1]!, "L", "CC").pixels[i]));
  });

  it("shows a lesion equally far behind the nipple in both of its views", () => {
    for (const exam of sick) {
      for (const side of ["L", "R"] as const) {
        const [cc, mlo] = [find(exam, side, "CC"), find(exam, side, "MLO")];
        const depth = ({ nipple }: PhantomView, x: number) => Math.abs(nipple.x - x);
        cc.lesions.forEach(({ x }, k) => {
          assert(Math.abs(depth(cc, x) - depth(mlo, mlo.lesions[k]!.x)) < 0.5);
        });
      }
    }
  });

  it("keeps masks inside the breast; a mass covers about the disc of its radius", () => {
    for (const { lesions, breast, mm } of views(sick)) {
      for (const { mask, plan, x, y } of lesions) {
        assert(mask.every((value, i) => value <= breast[i]!), "a mask leaves the breast");
        if (!plan.kind.endsWith("mass")) continue;
        const size = mask.reduce((sum, value) => sum + value, 0) * mm ** 2 / (Math.PI * plan.radius ** 2);
        assert(size > 0.7 && size < 1.3, `${plan.kind} of ${plan.radius} mm covers ${size} of its disc`);
        assertEquals(mask[Math.floor(y) * 180 + Math.floor(x)], 1);
      }
    }
  });

  it("puts the chest wall of a left breast on the left, of a right breast on the right", () => {
    for (const { laterality, breast, width, height, nipple } of views(sick)) {
      const column = (x: number) =>
        Array.from({ length: height }, (_, y) => breast[y * width + x]!).reduce((a, b) => a + b);
      const [wall, free] = laterality === "L" ? [0, width - 1] : [width - 1, 0];
      assert(column(wall) > 50 && column(free) === 0);
      assert(laterality === "L" ? nipple.x > width / 4 : nipple.x < (3 * width) / 4);
    }
  });

  it("raises the ring CNR of a mass with its contrast", () => {
    const cnr = (contrast: number) => {
      const exams = [5, 6].map((seed) =>
        phantomExam(seed, { ...coarse, label: "malignant", contrast: [contrast, contrast] })
      );
      const all = views(exams).flatMap(({ lesions }) => lesions).filter(({ plan }) => plan.kind === "spiculated mass");
      return all.reduce((sum, { ringCnr }) => sum + ringCnr, 0) / all.length;
    };
    const [faint, middle, plain] = [cnr(0.8), cnr(1.8), cnr(3.6)];
    assert(faint + 0.3 < middle && middle + 0.3 < plain, `${faint}, ${middle}, ${plain}`);
  });

  it("is the same breast at another pixel size", () => {
    const [fine, large] = [0.5, 1].map((mm) => find(phantomExam(12, { mm, kind: "digital" }), "L", "MLO"));
    const averaged = Float64Array.from({ length: 180 * 240 }, (_, i) => {
      const [x, y] = [2 * (i % 180), 2 * Math.floor(i / 180)];
      return (fine!.pixels[y * 360 + x]! + fine!.pixels[y * 360 + x + 1]! + fine!.pixels[(y + 1) * 360 + x]! +
        fine!.pixels[(y + 1) * 360 + x + 1]!) / 4;
    });
    const inside = [...large!.breast.keys()].filter((i) => large!.breast[i]);
    assert(correlation(inside.map((i) => averaged[i]!), inside.map((i) => large!.pixels[i]!)) > 0.95);
  });

  it("holds 12 bits, white is dense, black outside of a digital breast", () => {
    for (const { pixels, breast } of phantomExam(12, { ...coarse, kind: "digital" }).views) {
      assert(pixels.every((value, i) => value <= 4095 && (breast[i] || value === 0)));
    }
  });

  it("refuses seeds and options that make no sense, in a sentence", () => {
    for (
      const [make, what] of [
        [() => phantomExam(-1), "seed -1"],
        [() => phantomExam(1.5), "seed 1.5"],
        [() => phantomExam(1, { mm: 0.05 }), "0.05 mm"],
        [() => phantomExam(1, { contrast: [3, 1] }), "contrasts from 3 to 1"],
        [() => phantomExam(1, { radius: [0, 5] }), "radii in mm from 0 to 5"],
        [() => phantomExam(1, { density: "e" as "d" }), 'density "e"'],
      ] as const
    ) assertThrows(make, MammolabError, what);
  });
});

describe("tissueOf()", () => {
  it("holds more gland from density to density", () => {
    const gland = (density: "a" | "b" | "c" | "d") => {
      const sums = [1, 2].map((seed) => {
        const plan = planExam(seed, { density });
        const fixed = { ...plan, shape: planExam(seed, { density: "b" }).shape }; // dense breasts are thinner, too
        const frame = frameOf(fixed.shape, "CC", 1, seededRandom(seed));
        return tissueOf(fixed, "L", frame, drawAnatomy(fixed, "L")).data.reduce((sum, value) => sum + value, 0);
      });
      return sums.reduce((a, b) => a + b);
    };
    const shares = (["a", "b", "c", "d"] as const).map(gland);
    shares.slice(1).forEach((share, i) => assert(share > 1.1 * shares[i]!, shares.join(" ")));
  });
});

describe("phantomRecords()", () => {
  it("says of each film what it shows and by which rule", () => {
    for (const exam of sick) {
      const records = phantomRecords(exam);
      assertEquals(records.map(({ laterality, view }) => `${laterality}-${view}`), ["L-CC", "L-MLO", "R-CC", "R-MLO"]);
      assertEquals(new Set(records.map(({ patient }) => patient)).size, 1);
      records.forEach(({ labels, lesions }, k) => {
        assertEquals(labels.patient!.value, "malignant");
        assertEquals(labels.image!.value, labels.breast!.value); // both views show all lesions of a breast
        assertEquals(labels.image!.value === "malignant", lesions.some(({ pathology }) => pathology === "malignant"));
        lesions.forEach(({ region, stated }, i) => {
          const { mask, x, y, plan } = exam.views[k]!.lesions[i]!;
          assertEquals(area(region!), mask.reduce((sum, value) => sum + value, 0));
          if (plan.kind.endsWith("mass")) assert(contains(region!, [x, y]));
          assertEquals(stated!.radiusMm, plan.radius.toFixed(2));
        });
      });
    }
  });

  it("a mask as a region covers the very pixels of the lesion", () => {
    fc.assert(fc.property(fc.nat(179), fc.nat(239), (x, y) => {
      const film = views(sick).find(({ lesions }) => lesions.length > 0)!;
      const exam = sick.find((one) => one.views.includes(film))!;
      const record = phantomRecords(exam)[exam.views.indexOf(film)]!;
      return contains(record.lesions[0]!.region!, [x + 0.5, y + 0.5]) === (film.lesions[0]!.mask[y * 180 + x] === 1);
    }));
  });
});

describe("phantomAsExam()", () => {
  it("has the four views, in 0..1, with their spacing", () => {
    const exam = phantomAsExam(sick[0]!);
    const { image, spacing, age } = exam.view("R", "MLO");
    assertEquals([image.width, image.height, spacing?.row, age], [180, 240, 1, sick[0]!.plan.age]);
    assertEquals(image.data[20_000], Math.fround(find(sick[0]!, "R", "MLO").pixels[20_000]! / 4095));
    assertThrows(() => exam.view("L", "ML"), MammolabError, "it has L-CC, L-MLO, R-CC, R-MLO");
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0);
  return sum((i) => (a[i]! - ma) * (b[i]! - mb)) /
    Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2));
}
