import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import { imageOf } from "mammolab/image";
import type { LayerAttention } from "mammolab/model";
import { MammolabError } from "mammolab/base";
import * as plot from "mammolab/plot";

const film = {
  image: imageOf(Float32Array.from({ length: 60 * 40 }, (_, at) => (at % 40) / 40), { height: 60, width: 40 }),
};
const map = {
  data: Float32Array.of(1, 5, 3, 2, 2, 2),
  height: 3,
  width: 2,
  toSource: [20, 0, 0, 0, 20, 0],
  method: "rollout",
} as const;

describe("attention()", () => {
  it("shows plotly JSON, a picture and a sentence together", async () => {
    const figure = plot.attention(film, map, { title: "malignant 0.51", note: "untrained" });
    const bundle = await figure[plot.jupyterDisplay]();
    assertEquals(Object.keys(bundle), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
    const sentence = "malignant 0.51: rollout · peak 5 at x 30, y 10 · untrained, on 60 × 40 pixels";
    assertEquals(bundle["text/plain"], sentence);
    const { width, height } = decode(Uint8Array.fromBase64(bundle["image/png"] as string));
    assert(width > 300 && height > 500, `${width} × ${height}`);
    const json = bundle["application/vnd.plotly.v1+json"] as { data: unknown[]; layout: object };
    assertEquals(JSON.parse(JSON.stringify(json.data)), json.data as unknown[]); // nothing that JSON would lose
  });

  it("has the key that Jupyter looks for", () => {
    assertEquals(plot.jupyterDisplay, Symbol.for("Jupyter.display"));
  });

  it("gives plotly the tokens at their places on the film, left to right where the film was mirrored", () => {
    const [straight] = plot.attention(film, map).data as Record<string, unknown>[];
    assertEquals([straight!.z, straight!.x0, straight!.dx, straight!.y0], [[[1, 5], [3, 2], [2, 2]], 10, 20, 10]);
    const mirrored = { ...map, toSource: [-20, 0, 40, 0, 20, 0] } as const;
    const [turned] = plot.attention(film, mirrored).data as Record<string, unknown>[];
    assertEquals([turned!.z, turned!.x0, turned!.dx], [[[5, 1], [2, 3], [2, 2]], 10, 20]);
  });

  it("says of a map that is equal everywhere just that: no peak, no ring", () => {
    const image = imageOf(new Float32Array(64), { height: 8, width: 8 });
    const flat = {
      data: new Float32Array(4),
      height: 2,
      width: 2,
      toSource: [4, 0, 0, 0, 4, 0],
      method: "rollout",
    } as const;
    const figure = plot.attention({ image }, flat);
    assertEquals(figure.text, "Relevance: rollout · 0 everywhere, on 8 × 8 pixels");
    assertEquals(figure.data.length, 1);
  });

  it("says the peak in source pixels also on the prepared image", () => {
    const prepared = { image: { ...film.image, toSource: [2, 0, 100, 0, 2, 50] as const } };
    const figure = plot.attention(prepared, { ...map, toSource: [40, 0, 100, 0, 40, 50] });
    assert(figure.text.includes("peak 5 at x 160, y 70"), figure.text);
  });

  it("draws titles of any script, also those without a visible sign", async () => {
    for (const title of ["Ångström λ Ж", "中文 🩻", "\u200b", "", "\u0301", "a\u0000b\nc", "x".repeat(500)]) {
      assert((await plot.attention(film, map, { title }).toPng()).length > 1000);
    }
  });
});

describe("heads()", () => {
  const layer = (number: number, heads: number): LayerAttention => ({
    name: `attention.${number}`,
    layer: number,
    kind: "global",
    heads,
    grid: { height: 3, width: 2 },
    prefixTokens: 1,
    shape: [heads, 7, 7],
    toSource: [20, 0, 0, 0, 20, 0],
    data: Float32Array.from({ length: heads * 49 }, (_, at) => (1 + at % 7 + 10 * number + Math.floor(at / 49)) / 100),
  });
  const figure = plot.heads(film, [0, 1, 2].map((number) => layer(number, 2)), { title: "heads" });

  it("shows the class token's attention in percent, head by head", () => {
    // Head 1 of layer 2, query 0: keys 1 to 6 are 1 + key + 20 + 1 hundredths
    assertEquals((figure.data[5] as { z: number[][] }).z, [[23, 24], [25, 26], [27, 28]]);
  });

  it("has a slider whose step shows the traces of one layer", () => {
    const [slider] = figure.layout.sliders as { steps: { label: string; args: [{ visible: boolean[] }] }[] }[];
    assertEquals(slider!.steps.map(({ label }) => label), ["0", "1", "2"]);
    assertEquals(slider!.steps[1]!.args[0].visible, [false, false, true, true, false, false]);
    assertEquals(figure.data.map(({ visible }) => visible), [true, true, false, false, false, false]);
  });

  it("draws a sheet of all layers and heads", async () => {
    assert(decode(await figure.toPng()).width > 100);
  });

  it("refuses attention that was not asked for", () => {
    assertThrows(() => plot.heads(film, []), MammolabError, "attention: true");
  });
});

describe("exam()", () => {
  it("hangs the right breast at the left and leaves a missing view's place empty", async () => {
    const light = { image: imageOf(new Float32Array(30 * 20).fill(1), { height: 30, width: 20 }) };
    const dark = { image: imageOf(new Float32Array(30 * 20), { height: 30, width: 20 }) };
    const { data, palette, width } = decode(await plot.exam({ views: { rightCc: light, leftCc: dark } }).toPng());
    const bright = (x: number) => palette![data[200 * width + x]!]![0]! > 200;
    assert(bright(Math.round(width * 0.25)) && !bright(Math.round(width * 0.75)));
  });

  it("refuses an exam without a standard view", () => {
    assertThrows(() => plot.exam({ views: {} }), MammolabError, "none of the views");
  });
});

describe("film()", () => {
  it("draws patch lines where patches meet", async () => {
    const image = imageOf(new Float32Array(32 * 32), { height: 32, width: 32 });
    const { data, palette, width } = decode(await plot.film({ image }, { grid: 16 }).toPng());
    const row = Array.from({ length: width }, (_, x) => palette![data[100 * width + x]!]![1]! > 100);
    assertEquals(row.filter(Boolean).length, 1);
  });
});
