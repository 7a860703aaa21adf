import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { imageOf, mirror } from "mammolab/image";
import { contactSheet, jupyterDisplay, report } from "mammolab/plot";

const grey = imageOf(Float32Array.from({ length: 60 * 40 }, (_, at) => (at % 40) / 40), { height: 60, width: 40 });
const red = imageOf(Float32Array.from({ length: 300 }, (_, at) => at % 3 === 0 ? 1 : 0), {
  height: 10,
  width: 10,
  channels: 3,
});
const cell = { height: 60, width: 40 };

describe("contactSheet()", () => {
  it("shows each picture in its shape: grey in grey, color in color", async () => {
    const sheet = contactSheet([{ title: "row", cells: [{ image: grey, caption: "grey" }, { image: red }] }], { cell });
    assertEquals(sheet.text, "Contact sheet: 2 pictures in 1 row");
    const bytes = await sheet.toPng();
    const view = new DataView(bytes.buffer);
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    assert(width >= 88 && height >= 60 + 20, `${width} × ${height}`);
    const palette = bytes.subarray(
      bytes.findIndex((_, k) => view.getUint32(Math.min(k, bytes.length - 4)) === 0x504c5445) + 4,
    );
    const colors = Array.from({ length: 100 }, (_, k) => [...palette.subarray(3 * k, 3 * k + 3)]);
    assert(colors.some(([r, g, b]) => r! > 240 && g! < 15 && b! < 15), "red is in the palette");
    const display = await sheet[jupyterDisplay]();
    assertEquals(Object.keys(display), ["image/png", "text/plain"]);
  });

  it("outlines lesions where they lie on the film, also on a mirrored copy, and draws the patches of a grid", async () => {
    const lesion = { kind: "circle", x: 8, y: 20, radius: 6 } as const;
    const cyan = async (image: typeof grey) => {
      const sheet = contactSheet([{ cells: [{ image, outlines: [lesion], grid: 20 }] }], {
        cell: { height: 60, width: 40 },
      });
      const { data, height, width } = await pixels(await sheet.toPng());
      const xs: number[] = [];
      for (let at = 0; at < height * width; at++) {
        if (data[3 * at + 2]! > 200 && data[3 * at]! < 60) xs.push(at % width);
      }
      return xs.reduce((sum, x) => sum + x, 0) / xs.length - 12; // the margin
    };
    assert(Math.abs(await cyan(grey) - 8) < 1.5);
    assert(Math.abs(await cyan(mirror(grey)) - 32) < 1.5);
  });

  it("has its place in a report, where no model is concerned", async () => {
    const page = await report({
      title: "Prepared",
      figures: [contactSheet([{ cells: [{ image: grey }] }], { title: "Sheet" })],
      films: [],
      settings: { "The <plan>": { seed: 1 } },
      interactive: true,
    });
    assert(page.includes('alt="Sheet: 1 picture in 1 row"'));
    assert(page.includes("The &lt;plan&gt;, as JSON:"));
    assert(!page.includes("UNTRAINED") && !page.includes("weights"));
  });

  it("refuses to show nothing", () => {
    assertThrows(() => contactSheet([]), MammolabError, "there is no picture");
    assertThrows(() => contactSheet([{ cells: [] }]), MammolabError, "there is no picture");
  });
});

/** The pixels of a PNG with a palette, through its indices. */
async function pixels(png: Uint8Array): Promise<{ data: Uint8Array; height: number; width: number }> {
  const view = new DataView(png.buffer, png.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  let palette = new Uint8Array();
  const grey: Uint8Array[] = [];
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    const kind = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    if (kind === "PLTE") palette = png.slice(at + 8, at + 8 + length);
    if (kind === "IDAT") grey.push(png.slice(at + 8, at + 8 + length));
    at += length + 12;
  }
  const stream = new Blob(grey as BlobPart[]).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const index = rows[i * (width + 1) + 1 + j]!;
      data.set(palette.subarray(3 * index, 3 * index + 3), 3 * (i * width + j));
    }
  }
  return { data, height, width };
}
