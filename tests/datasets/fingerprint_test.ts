import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { type Image, imageOf, resizeTo } from "mammolab/image";
import { correlation, distance, fingerprint, orientations, turn } from "../../lib/datasets/_fingerprint.ts";
import { alikeWhen, copiesByPixels, fingerprintOf } from "../../lib/datasets/duplicates.ts";
import { film } from "./_records.ts";

/** A half ellipse on black, filled with twenty soft blobs: as little of a breast as the hash needs. */
export function breastLike(seed: number, size = 320): Image {
  const random = seededRandom(seed, "breast");
  const blobs = Array.from({ length: 20 }, () => ({
    x: random.between(0, 0.6),
    y: random.between(0.1, 0.9),
    width: random.between(0.03, 0.12),
    height: random.between(0.2, 0.8),
  }));
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const [x, y] = [(j + 0.5) / size, (i + 0.5) / size];
      if ((x / 0.7) ** 2 + ((y - 0.5) / 0.42) ** 2 > 1) continue;
      const light = blobs.reduce(
        (sum, b) => sum + b.height * Math.exp(-((x - b.x) ** 2 + (y - b.y) ** 2) / (2 * b.width ** 2)),
        0.4,
      );
      data[i * size + j] = Math.min(1, light / 2);
    }
  }
  return imageOf(data, { height: size, width: size });
}

const turned = (image: Image, orientation: number): Image => ({
  ...image,
  data: turn(image.data, image.width, orientation),
});
const noisy = (image: Image): Image => {
  const random = seededRandom(1, "noise");
  return { ...image, data: image.data.map((value) => Math.max(0, Math.round(value * 255 + random.normal())) / 255) };
};

describe("turn()", () => {
  it("turns clockwise, after mirroring left to right", () => {
    const square = Float32Array.of(1, 2, 3, 4); // 1 2 / 3 4
    assertEquals(orientations.map((_, o) => [...turn(square, 2, o)]), [
      [1, 2, 3, 4],
      [3, 1, 4, 2],
      [4, 3, 2, 1],
      [2, 4, 1, 3],
      [2, 1, 4, 3],
      [4, 2, 3, 1],
      [3, 4, 1, 2],
      [1, 3, 2, 4],
    ]);
  });
});

describe("distance()", () => {
  it("counts the bits that differ", () => {
    const random = seededRandom(2);
    const words = () => Uint32Array.from({ length: 8 }, () => random.bits());
    for (let k = 0; k < 50; k++) {
      const [a, b] = [words(), words()];
      const bits = (hash: Uint32Array) => [...hash].map((word) => word.toString(2).padStart(32, "0")).join("");
      const [p, q] = [bits(a), bits(b)];
      assertEquals(distance(a, b), [...p].filter((bit, i) => bit !== q[i]).length);
    }
  });
});

describe("fingerprint()", () => {
  const original = fingerprint(breastLike(1));
  const { breast } = original;

  it("knows a film again at half its size, noisy, by its breast and as a whole", () => {
    const copy = fingerprint(noisy(resizeTo({ height: 160, width: 160 })(breastLike(1))));
    for (const part of ["breast", "whole"] as const) {
      assert(distance(original[part].hashes[0]!, copy[part].hashes[0]!) <= alikeWhen[part].distance);
      assert(correlation(original[part].thumbnail, copy[part].thumbnail, 0) >= alikeWhen[part].correlation);
    }
  });

  it("knows a film again in each of the eight orientations, and says how it is turned", () => {
    for (const [orientation] of orientations.entries()) {
      const copy = fingerprint(turned(breastLike(1), orientation));
      const nearest = orientations.map((_, o) => distance(breast.hashes[0]!, copy.breast.hashes[o]!));
      const back = orientations.findIndex((_, o) => {
        const there = turn(turn(Float32Array.of(1, 2, 3, 4), 2, orientation), 2, o);
        return `${there}` === "1,2,3,4";
      });
      assertEquals(nearest.indexOf(Math.min(...nearest)), back);
      assert(nearest[back]! <= 6, `${nearest}`);
      assertAlmostEquals(correlation(breast.thumbnail, copy.breast.thumbnail, back), 1, 0.01);
    }
  });

  it("holds a blank film for no copy of anything", () => {
    const blank = fingerprint(imageOf(new Float32Array(64 * 64), { height: 64, width: 64 }));
    assertEquals(correlation(blank.whole.thumbnail, blank.whole.thumbnail, 0), 0);
  });
});

describe("copiesByPixels()", () => {
  it("finds the copies among 40 films, and nothing else", () => {
    const films = Array.from({ length: 40 }, (_, seed) => fingerprintOf(film(`${seed}`), breastLike(seed, 160)));
    const copies = [
      fingerprintOf(film("7 turned"), noisy(turned(breastLike(7, 160), 3))),
      fingerprintOf(film("7 small"), resizeTo({ height: 120, width: 120 })(breastLike(7, 160))),
      fingerprintOf(film("31 mirrored"), turned(breastLike(31, 160), 4)),
    ];
    const found = copiesByPixels([...films, ...copies]);
    assertEquals(found.map(({ records }) => records.map(({ id }) => id)), [["7", "7 turned", "7 small"], [
      "31",
      "31 mirrored",
    ]]);
    assertEquals(found[1]!.match!.orientation, "mirrored");
  });
});
