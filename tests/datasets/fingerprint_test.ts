import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { type Image, imageOf, resizeTo } from "mammolab/image";
import {
  correlation,
  distance,
  type Fingerprint,
  fingerprint,
  orientations,
  turn,
} from "../../lib/datasets/_fingerprint.ts";
import { nearHashes } from "../../lib/datasets/_near_hashes.ts";
import { alikeWhen, pixelCopies } from "../../lib/datasets/duplicates.ts";
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

/** Hashes as of films: many copies within and about the limit, turned too, over bits of which most are seldom set. */
function madePrints(seed: number, count: number): Fingerprint[] {
  const random = seededRandom(seed, "prints");
  const shares = Array.from({ length: 256 }, () => random.uniform() ** 3);
  const fresh = () => {
    const bits = new Uint32Array(8);
    for (let bit = 0; bit < 256; bit++) if (random.uniform() < shares[bit]!) bits[bit >> 5]! |= 1 << (bit & 31);
    return bits;
  };
  const copied = (hash: Uint32Array) => {
    const bits = hash.slice();
    for (let flips = random.integer(24); flips > 0; flips--) {
      const bit = random.integer(256);
      bits[bit >> 5]! ^= 1 << (bit & 31);
    }
    return bits;
  };
  const flat = Uint8Array.from({ length: 48 * 48 }, (_, at) => at % 48 < 24 ? 200 : 0);
  const made: Fingerprint[] = [];
  const printOf = (of: "breast" | "whole", like: Fingerprint | undefined) => ({
    hashes: orientations.map(() => like && random.uniform() < 0.5 ? copied(like[of].hashes[0]!) : fresh()),
    thumbnail: random.uniform() < 0.3 ? flat.toReversed() : flat,
  });
  for (let k = 0; k < count; k++) {
    const like = random.uniform() < 0.6 ? made[random.integer(made.length || 1)] : undefined;
    made.push({ breast: printOf("breast", like), whole: printOf("whole", like) });
  }
  return made;
}

describe("nearHashes()", () => {
  it("finds the same as a comparison with every hash", () => {
    for (const most of [0, 1, 2, 12, 18, 40]) {
      const prints = madePrints(most, 150);
      const { near, add } = nearHashes(most);
      for (const [b, { breast }] of prints.entries()) {
        for (const hash of breast.hashes) {
          const all = prints.slice(0, b).flatMap(({ breast }, a) => distance(hash, breast.hashes[0]!) <= most ? a : []);
          assertEquals(near(hash).sort((a, b) => a - b), all);
        }
        add(breast.hashes[0]!);
      }
    }
  });
});

describe("pixelCopies()", () => {
  it("finds the copies among 40 films, and nothing else", () => {
    const films = pixelCopies();
    for (let seed = 0; seed < 40; seed++) films.add(film(`${seed}`), fingerprint(breastLike(seed, 160)));
    films.add(film("7 turned"), fingerprint(noisy(turned(breastLike(7, 160), 3))));
    films.add(film("7 small"), fingerprint(resizeTo({ height: 120, width: 120 })(breastLike(7, 160))));
    films.add(film("31 mirrored"), fingerprint(turned(breastLike(31, 160), 4)));
    const found = films.groups();
    assertEquals(found.map(({ records }) => records.map(({ id }) => id)), [["7", "7 turned", "7 small"], [
      "31",
      "31 mirrored",
    ]]);
    assertEquals(found[1]!.match!.orientation, "mirrored");
  });

  it("makes the groups that a comparison of every pair makes, with the same words about them", () => {
    for (const seed of [1, 2]) {
      const prints = madePrints(seed, 60);
      const films = pixelCopies();
      for (const [k, print] of prints.entries()) films.add(film(`${k}`), print);
      assertEquals(
        films.groups().map(({ records, match }) => ({ ids: records.map(({ id }) => Number(id)), match })),
        groupsByEveryPair(prints),
      );
    }
  });
});

/** What the search is held against: slow and plain. */
function groupsByEveryPair(prints: readonly Fingerprint[]) {
  const matchOf = (one: Fingerprint, other: Fingerprint) => {
    for (const part of ["breast", "whole"] as const) {
      for (const [turned, orientation] of orientations.entries()) {
        const bits = distance(one[part].hashes[0]!, other[part].hashes[turned]!);
        if (bits > alikeWhen[part].distance) continue;
        const match = correlation(one[part].thumbnail, other[part].thumbnail, turned);
        if (match >= alikeWhen[part].correlation) {
          return { distance: bits, correlation: match, orientation, of: part };
        }
      }
    }
    return undefined;
  };
  const group = prints.map((_, index) => index);
  const pairs = prints.flatMap((one, a) =>
    prints.flatMap((other, b) => {
      const match = a < b ? matchOf(one, other) : undefined;
      return match ? [{ a, b, match }] : [];
    })
  );
  for (const { a, b } of pairs) {
    const [low, high] = [Math.min(group[a]!, group[b]!), Math.max(group[a]!, group[b]!)];
    for (const k of group.keys()) if (group[k] === high) group[k] = low;
  }
  return [...Map.groupBy(pairs, ({ a }) => group[a]!)].map(([first, alike]) => ({
    ids: [...group.keys()].filter((k) => group[k] === first),
    match: alike.map(({ match }) => match).reduce((least, match) =>
      match.correlation < least.correlation ? match : least
    ),
  }));
}
