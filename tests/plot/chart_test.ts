import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Window } from "happy-dom";
import { decode } from "fast-png";
import { chart } from "mammolab/plot";
import { fontFile, textWidthOf } from "../../lib/plot/_font.ts";
import { openPlotly } from "../../lib/plot/_plotly_svg.ts";
import { svgBoxes, type SvgElement } from "../../lib/plot/_svg_box.ts";
import { charts, size } from "../fixtures/plot/charts.ts";
import oracle from "../fixtures/plot/chart_texts.json" with { type: "json" };

type Text = [text: string, x: number, y: number, width: number, height: number];
const expected = oracle as unknown as Record<string, Text[]>; // fixtures/plot/make_chart_texts.ts: Chromium

describe("charts without a browser", () => {
  it(`have every text where Chromium ${oracle.chromium} puts it`, async () => {
    await using plotly = await openPlotly();
    const { onPage } = svgBoxes(textWidthOf(await Deno.readFile(fontFile)));
    for (const [name, figure] of Object.entries(charts)) {
      const svg = await plotly.draw(figure, size);
      const window = new Window();
      window.document.body.innerHTML = svg;
      const texts = [...window.document.querySelectorAll("text")].map((element): Text => {
        const { x, y, width, height } = onPage(element as unknown as SvgElement);
        return [element.textContent, x, y, width, height];
      });
      await window.happyDOM.close();
      assertEquals(texts.map(([text]) => text), expected[name]!.map(([text]) => text));
      for (const [i, [text, ...box]] of texts.entries()) {
        const [, ...browser] = expected[name]![i]!;
        const off = Math.max(...box.map((value, k) => Math.abs(value - browser[k]!)));
        assert(off <= 3, `${name}, “${text}”: ${off} px away`); // a subscript's shift is not counted: 2.8 px
      }
    }
  });
});

describe("chart()", () => {
  it("takes titles as plain texts too, of the chart and of its axes", () => {
    const layout = {
      title: "ROC",
      xaxis: { title: "1 − specificity", range: [0, 1] },
      yaxis2: { title: { text: "y" } },
    };
    const roc = chart({ data: [], layout }, { text: "A ROC curve" });
    assertEquals(roc.layout.title, { text: "ROC" });
    assertEquals(roc.layout.xaxis, { title: { text: "1 − specificity" }, range: [0, 1] });
    assertEquals(roc.layout.yaxis2, { title: { text: "y" } });
  });

  it("gives a still of the stated size with ink in the box of every text", async () => {
    for (const [name, { data, layout }] of Object.entries(charts)) {
      const { data: pixels, width, height, palette } = decode(
        await chart({ data, layout }, { text: name, ...size }).toPng(),
      );
      assertEquals({ width, height }, size);
      const brightness = (x: number, y: number) => palette![pixels[Math.round(y) * width + Math.round(x)]!]![1]!;
      for (const [text, left, top, wide, high] of expected[name]!) {
        let darkest = 255;
        for (let y = Math.ceil(top); y < top + high - 1; y++) {
          for (let x = Math.ceil(left); x < left + wide - 1; x++) darkest = Math.min(darkest, brightness(x, y));
        }
        assert(darkest < 160, `${name}: no ink at “${text}”`);
      }
    }
  });

  it("draws the color bar of a heat map in its colors, not in black", async () => {
    const { data: pixels, width, palette } = decode(
      await chart(charts.heatMap!, { text: "heat map", ...size }).toPng(),
    );
    const [label] = expected.heatMap!.filter(([text]) => text === "−0.5");
    const x = Math.round(label![1]) - 20; // inside the bar, left of its numbers
    const column = Array.from({ length: 200 }, (_, i) => palette![pixels[(i + 140) * width + x]!]!);
    // viridis from its yellow end to its blue end: green falls all the way, 231 to 1
    const greens = column.map(([, green]) => green!);
    assert(greens[0]! > 180 && greens.at(-1)! < 90, `${greens[0]} … ${greens.at(-1)}`);
    assert(greens.every((green, i) => i === 0 || green <= greens[i - 1]! + 16)); // the palette has 128 colors
  });
});
