import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { imageOf } from "mammolab/image";
import * as plot from "mammolab/plot";
import { openBrowser } from "./_browser.ts";

/** A name that runs a script wherever it is not escaped. */
const hostile =
  `<img src=x onerror=alert(1)>.dcm</script><script>alert(2)</script>"' onload=alert(3) &amp; \${alert(4)}`;

const image = imageOf(Float32Array.from({ length: 60 * 40 }, (_, at) => (at % 40) / 40), { height: 60, width: 40 });
const map = {
  data: Float32Array.of(1, 5, 3, 2, 2, 2),
  height: 3,
  width: 2,
  toSource: [20, 0, 0, 0, 20, 0],
  method: hostile,
} as const;
const film = plot.attention({ image }, map, { title: hostile, note: hostile });
const bars = plot.chart(
  { data: [{ type: "bar", x: [hostile, "b"], y: [1, 2], name: hostile }], layout: { title: { text: "AUC" } } },
  { text: hostile },
);
const parts = {
  title: hostile,
  model: {
    name: hostile,
    trained: false,
    provider: "cpu",
    preparation: {
      crop: "breast",
      face: "left",
      resize: { height: 384, width: 192, filter: "area", fit: "pad" },
      range: "display",
      mean: [0.5],
      std: [0.25],
      channels: 1,
    },
  },
  figures: [bars],
  films: [{
    id: hostile,
    scores: { [hostile]: 0.51234 },
    facts: { [hostile]: hostile },
    figure: film,
    warnings: [hostile],
  }],
  notes: [hostile],
} satisfies plot.ReportParts;

describe("report()", () => {
  it("prints what matters: untrained, not for clinical use, provider, preparation, scores", async () => {
    const page = await plot.report({ ...parts, model: { ...parts.model, name: "vit-phantom" } });
    for (
      const words of [
        "UNTRAINED: the weights of vit-phantom are random",
        "Not for clinical use",
        "cpu",
        "0.512",
        "&quot;breast&quot;",
      ]
    ) {
      assert(page.includes(words), words);
    }
    const trained = await plot.report({ ...parts, model: { ...parts.model, trained: true } });
    assert(!trained.includes("UNTRAINED"));
  });

  it("holds no script at all without interactive figures, and its policy allows none", async () => {
    const page = await plot.report(parts);
    assert(!page.includes("<script"));
    assertMatch(page, /default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'none'/);
    assert(page.length < 300_000);
  });

  it("has two scripts with their hashes in the policy where figures are interactive", async () => {
    const page = await plot.report({ ...parts, interactive: true });
    const scripts = [...page.matchAll(/<script>([^]*?)<\/script>/g)].map(([, code]) => code!);
    assertEquals(scripts.length, 2);
    for (const code of scripts) {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
      assert(page.includes(`'sha256-${new Uint8Array(digest).toBase64()}'`));
    }
  });

  it("draws its figures in Chromium with an empty console, no request and no dialog, whatever the names are", async () => {
    const browser = await openBrowser();
    if (!browser) return;
    await using _ = browser;
    for (const interactive of [true, false]) {
      const file = await Deno.makeTempFile({ prefix: "mammolab-", suffix: ".html" });
      await Deno.writeTextFile(file, await plot.report({ ...parts, interactive }));
      assertEquals(await browser.open(`file://${file}`), { console: [], requests: [], dialogs: [] });
      await Deno.remove(file);

      assertEquals(await browser.evaluate("document.querySelector('h1').textContent"), hostile);
      assertEquals(await browser.evaluate("document.querySelectorAll('body [onerror], body [onload]').length"), 0);
      const pictures = "[...document.images].filter((image) => image.complete && image.naturalWidth > 100).length";
      assertEquals(await browser.evaluate(pictures), interactive ? 0 : 2);
      if (!interactive) continue;
      assertEquals(await browser.evaluate("document.querySelectorAll('.barlayer path').length"), 2);
      const heatMap = "document.querySelector('.heatmaplayer image').getBoundingClientRect().height > 100";
      assertEquals(await browser.evaluate(heatMap), true);
      // The ring stands on the peak: x 30 of 40, y 10 of 60 pixels of the film
      const place = `(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const film = box('.imagelayer image'), ring = box('.scatterlayer .points path');
        return [(ring.x + ring.width / 2 - film.x) / film.width, (ring.y + ring.height / 2 - film.y) / film.height];
      })()`;
      const [x, y] = await browser.evaluate(place) as [number, number];
      assert(Math.abs(x - 30 / 40) < 0.02 && Math.abs(y - 10 / 60) < 0.02, `${x}, ${y}`);
    }
  });
});
