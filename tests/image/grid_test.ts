import { describe, it } from "@std/testing/bdd";
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { seededRandom } from "mammolab/base";
import { blur, dilate, erode, fillHoles, type Grid, labelComponents } from "../../lib/image/_grid.ts";
import { largestContour, signedArea } from "../../lib/image/_outline.ts";
import { assertClose } from "./_pictures.ts";

/** A mask from lines of text: `#` is inside. */
const maskOf = (...lines: readonly string[]): Grid<Uint8Array> => ({
  data: Uint8Array.from(lines.join(""), (letter) => letter === "#" ? 1 : 0),
  height: lines.length,
  width: lines[0]!.length,
});
const linesOf = ({ data, height, width }: Grid<Uint8Array>) =>
  Array.from(
    { length: height },
    (_, i) => [...data.subarray(i * width, (i + 1) * width)].map((v) => v ? "#" : ".").join(""),
  );

function drawnMask(height: number, width: number, share: number, seed: number): Grid<Uint8Array> {
  const { uniform } = seededRandom(seed, "mask");
  return { data: Uint8Array.from({ length: height * width }, () => uniform() < share ? 1 : 0), height, width };
}

describe("dilate() and erode()", () => {
  it("are what a search over all pixels finds", () => {
    for (
      const [height, width, share, radius] of [
        [17, 23, 0.03, 3],
        [12, 30, 0.4, 1],
        [30, 12, 0.004, 10],
        [1, 9, 0.2, 2],
        [9, 1, 0.2, 2],
        [20, 20, 0, 4],
        [20, 20, 0.5, 0],
      ] as const
    ) {
      const mask = drawnMask(height, width, share, height);
      const slow = mask.data.map((_, at) =>
        mask.data.some((value, other) => {
            const [dy, dx] = [Math.floor(at / width) - Math.floor(other / width), at % width - other % width];
            return value === 1 && dx * dx + dy * dy <= radius * radius;
          })
          ? 1
          : 0
      );
      assertEquals(dilate(mask, radius).data, slow);
      const outside = { ...mask, data: mask.data.map((value) => 1 - value) };
      assertEquals(erode(outside, radius).data, slow.map((value) => 1 - value));
    }
  });

  it("grow and shrink by a disc; beyond the picture counts as inside when shrinking", () => {
    const dot = maskOf(".....", ".....", "..#..", ".....", ".....");
    assertEquals(linesOf(dilate(dot, 2)), ["..#..", ".###.", "#####", ".###.", "..#.."]);
    assertEquals(linesOf(erode(maskOf("####", "####", "..##"), 1)), ["####", "..##", "...#"]);
  });
});

describe("labelComponents()", () => {
  it("numbers parts that touch along a side, not across a corner", () => {
    const { labels, components } = labelComponents(maskOf("##..", "..#.", "#.##"));
    assertEquals([...labels], [1, 1, 0, 0, 0, 0, 2, 0, 3, 0, 2, 2]);
    assertEquals(components.map(({ size }) => size), [2, 3, 1]);
  });
});

describe("labelComponents()", () => {
  it("gives one number to all that a flood from one of its pixels reaches", () => {
    for (const share of [0.3, 0.55, 0.62, 0.9]) {
      const { data, height, width } = drawnMask(23, 31, share, 5);
      const expected = new Int32Array(data.length);
      const sizes: number[] = [];
      for (let seed = 0; seed < data.length; seed++) {
        if (!data[seed] || expected[seed]) continue;
        sizes.push(0);
        for (const stack = [seed]; stack.length > 0;) {
          const at = stack.pop()!;
          if (!data[at] || expected[at]) continue;
          expected[at] = sizes.length;
          sizes[sizes.length - 1]!++;
          if (at % width > 0) stack.push(at - 1);
          if (at % width < width - 1) stack.push(at + 1);
          if (at >= width) stack.push(at - width);
          if (at < width * (height - 1)) stack.push(at + width);
        }
      }
      const { labels, components } = labelComponents({ data, height, width });
      assertEquals(labels, expected);
      assertEquals(components.map(({ size }) => size), sizes);
    }
  });
});

describe("fillHoles()", () => {
  it("fills what is enclosed and nothing that is open to the edge", () => {
    assertEquals(linesOf(fillHoles(maskOf("####.", "#..#.", "##.##", "#.#.#", "###.."))), [
      "####.",
      "####.",
      "#####",
      "###.#",
      "###..",
    ]);
  });
});

describe("blur()", () => {
  it("is the mean over squares with the edge repeated", () => {
    const grid: Grid = { data: Float32Array.of(9, 0, 0, 0, 0, 0), height: 2, width: 3 };
    assertClose(blur(grid, 1, 1).data, [4, 2, 0, 2, 1, 0], 1e-6);
    assertEquals(blur(grid, 0).data, grid.data);
  });
});

describe("largestContour()", () => {
  it("runs half-way between inside and outside and closes along the edge of the picture", () => {
    const field = { data: Float32Array.from([0, 0, 0, 0, 1, 0, 0, 0, 0]), height: 3, width: 3 };
    const diamond = largestContour(field, 0.5);
    assertEquals(diamond.length, 4);
    assertAlmostEquals(Math.abs(signedArea(diamond)), 0.5, 1e-9);
    assertAlmostEquals(
      Math.abs(signedArea(largestContour({ data: new Float32Array(12).fill(1), height: 3, width: 4 }, 0.5))),
      12,
      1e-9,
    );
  });

  it("takes the largest of several parts and is empty where there is none", () => {
    const field = (...lines: readonly string[]) => {
      const { data, height, width } = maskOf(...lines);
      return { data: Float32Array.from(data), height, width };
    };
    const two = largestContour(field("##...", "##...", "....#"), 0.5);
    assertAlmostEquals(Math.max(...two.map(([x]) => x)), 2, 1e-9);
    assertEquals(largestContour(field("...", "..."), 0.5), []);
    // the two corners of a saddle stay apart
    assertAlmostEquals(Math.abs(signedArea(largestContour(field("##..", "##..", "..##", "..##"), 0.5))), 3.875, 1e-9);
  });
});
