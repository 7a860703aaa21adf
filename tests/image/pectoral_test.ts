import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { phantomExam } from "mammolab/datasets";
import {
  contains,
  crop,
  findPectoral,
  imageOf,
  mirror,
  type Pectoral,
  type Point,
  withoutPectoral,
} from "mammolab/image";
import { frameOf } from "../../lib/datasets/phantom/frame.ts";
import { breastFilm, painted } from "./_breast_film.ts";
import { paint } from "./_pictures.ts";

/** Mean distance along rows between an edge and the true one, in pixels. */
function offAlongRows({ edge }: Pectoral, truth: (y: number) => number): number {
  const offs: number[] = [];
  for (let k = 0; k + 1 < edge.length; k++) {
    const [[x1, y1], [x2, y2]] = [edge[k]!, edge[k + 1]!];
    for (let y = Math.ceil(y1 - 0.5) + 0.5; y < y2; y++) {
      offs.push(Math.abs(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1) - truth(y)));
    }
  }
  return offs.reduce((sum, off) => sum + off, 0) / offs.length;
}

describe("findPectoral()", () => {
  // A film that starts within the breast, as MLO films do, with a muscle from (150, 0) to (0, 250).
  const cut = { x: 0, y: 120, width: 450, height: 480 };
  const bare = crop(breastFilm(600, 450).image, cut);
  const film = painted(bare, (x, y, before) => x / 150 + y / 250 < 1 ? before * 0.6 + 0.4 : before);

  it("finds the edge of the muscle, on the left and on the right, bright or dark side up", () => {
    const front = (y: number) => 150 * (1 - y / 250);
    const found = findPectoral(film)!;
    // The strands of this film pull the edge to and fro: 6 of 480 pixels.
    assert(offAlongRows(found, front) < 8, `${offAlongRows(found, front)}`);
    assert(found.contrast > 0.2);
    assertEquals(([[10, 10], [100, 50], [110, 130]] as Point[]).map((p) => contains(found.region, p)), [
      true,
      true,
      false,
    ]);
    const other = findPectoral(mirror(film))!;
    found.edge.forEach(([x, y], k) => {
      assertAlmostEquals(other.edge[k]![0], 450 - x, 2);
      assertAlmostEquals(other.edge[k]![1], y, 2);
    });
    assert(offAlongRows(findPectoral(painted(film, (_x, _y, before) => 1 - before))!, front) < 8);
  });

  it("lies within 5 mm of the muscle of phantoms", () => {
    // 50 films at 1 mm: 45 within 5 mm, median 1.9 mm.
    const { plan, views } = phantomExam(3, { mm: 1 });
    for (const { laterality, view, width, height, pixels } of views) {
      if (view !== "MLO") continue;
      const random = seededRandom(3, "phantom", "frame", laterality, view);
      const { front } = frameOf(plan.shape, "MLO", 1, random).pectoral!;
      const image = imageOf(Float32Array.from(pixels, (value) => value / 4095), { height, width });
      const off = offAlongRows(findPectoral(image)!, (y) => laterality === "L" ? front(y) : width - front(y));
      assert(off < 5, `${laterality}: ${off} mm`);
    }
  });

  it("finds nothing on a blank film and on a breast without a step", () => {
    assertEquals(findPectoral(paint(200, 100, () => 0.5)), undefined);
    const smooth = paint(300, 200, (x, y) => 0.8 * Math.sqrt(Math.max(0, 1 - (x / 150) ** 2 - ((y - 130) / 160) ** 2)));
    assertEquals(findPectoral(smooth), undefined);
  });
});

describe("withoutPectoral()", () => {
  it("blackens the muscle and nothing else", () => {
    const film = painted(
      crop(breastFilm(600, 450).image, { x: 0, y: 120, width: 450, height: 480 }),
      (x, y, before) => x / 150 + y / 250 < 1 ? before * 0.6 + 0.4 : before,
    );
    const { data } = withoutPectoral(film);
    assertEquals(data[20 * 450 + 20], 0);
    assertEquals(data[200 * 450 + 150], film.data[200 * 450 + 150]);
  });
});
