import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import { pointingGame, pointingHit } from "mammolab/evaluate";
import { contains, type Region } from "mammolab/image";

const circle: Region = { kind: "circle", x: 20, y: 30, radius: 8 };
const polygon: Region = {
  kind: "polygon",
  points: Array.from({ length: 360 }, (_, k) => {
    const angle = k * Math.PI / 180;
    return [20 + 8 * Math.cos(angle), 30 + 8 * Math.sin(angle)] as const;
  }),
};

describe("pointingHit()", () => {
  it("is 1 exactly where the region contains the point, for circles, polygons and masks", () => {
    const data = Uint8Array.from({ length: 12 * 9 }, (_, at) => (at * 7) % 3 === 0 ? 1 : 0);
    const mask: Region = { kind: "mask", x: 14, y: 26, width: 12, height: 9, data };
    const random = seededRandom(1, "points");
    for (let n = 0; n < 300; n++) {
      const [x, y] = [random.integer(50) + 0.5, random.integer(60) + 0.5];
      for (const lesion of [circle, polygon, mask]) {
        assertEquals(pointingHit({ points: [[x, y]], lesions: [lesion] }), contains(lesion, [x, y]) ? 1 : 0);
      }
    }
  });

  it("grows by the tolerance, a polygon as its circle up to a pixel", () => {
    for (let x = 0.5; x < 60; x++) {
      const beyond = Math.abs(x - 20) - 8;
      for (const tolerance of [0, 3, 6]) {
        const hit = (lesion: Region) => pointingHit({ points: [[x, 30.5]], lesions: [lesion], tolerance });
        assertEquals(hit(circle), Math.hypot(x - 20, 0.5) - 8 <= tolerance ? 1 : 0);
        if (Math.abs(beyond - tolerance) > 1) assertEquals(hit(polygon), hit(circle));
      }
    }
  });

  it("looks at the lesion alone, however far from the film's corner it lies", () => {
    const far: Region = { kind: "polygon", points: polygon.points.map(([x, y]) => [x + 1e6, y + 2e6]) };
    const near: Region = { kind: "polygon", points: polygon.points.map(([x, y]) => [x - 20, y - 30]) };
    for (const [lesion, x, y] of [[far, 1e6 + 20, 2e6 + 30], [near, -4.5, -3.5]] as const) {
      assertEquals(pointingHit({ points: [[x, y], [x + 20, y]], lesions: [lesion] }), 0.5);
    }
  });

  it("counts each of several equally high points alike, and any lesion", () => {
    const lesions = [circle, { kind: "circle", x: 50, y: 50, radius: 2 } as const];
    assertEquals(pointingHit({ points: [[50, 51], [20, 30], [0, 0], [70, 0]], lesions }), 0.5);
    assertThrows(() => pointingHit({ points: [], lesions }), MammolabError, "no highest point");
  });
});

describe("pointingGame()", () => {
  it("is the share of hits, with an interval that films of one patient make wider", () => {
    const films = Array.from({ length: 200 }, (_, n) => ({
      points: [[Math.floor(n / 4) % 2 === 0 ? 20 : 40, 30] as const],
      lesions: [circle],
    }));
    const single = pointingGame(films, { seed: 1 });
    const grouped = pointingGame(films.map((film, n) => ({ ...film, patient: `${Math.floor(n / 4)}` })), { seed: 1 });
    assertEquals([single.value, grouped.value], [0.5, 0.5]);
    assertAlmostEquals(single.high - single.low, 2 * 1.96 * Math.sqrt(0.25 / 200), 0.02);
    assertAlmostEquals(grouped.high - grouped.low, 2 * 1.96 * Math.sqrt(0.25 / 50), 0.04);
    assertLess(single.high, grouped.high);
    assertThrows(() => pointingGame([], { seed: 1 }), MammolabError, "there are no films");
  });
});
