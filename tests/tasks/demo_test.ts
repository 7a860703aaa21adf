import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { decode } from "fast-png";
import { openBrowser } from "../plot/_browser.ts";

describe("deno task demo", () => {
  it("makes four overlays in the films' own pixels and a report that a browser shows without a word", async () => {
    const { code, stdout, stderr } = await new Deno.Command("deno", {
      args: ["task", "-q", "demo", "--json", "--quiet"],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    const { report, picture, views, model, trained, provider, seconds } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals([model, typeof trained, typeof provider], ["vit-phantom", "boolean", "string"]);
    assertEquals(views.map(({ view }: { view: string }) => view), ["R-CC", "L-CC", "R-MLO", "L-MLO"]);
    assert(seconds < 60, `${seconds} s`);
    for (const { scores, peak, overlay } of views) {
      const { width, height } = decode(await Deno.readFile(overlay));
      assert(peak.x >= 0 && peak.x < width && peak.y >= 0 && peak.y < height);
      const sum = Object.values(scores as Record<string, number>).reduce((a, b) => a + b);
      assert(Math.abs(sum - 1) < 1e-5);
    }
    assert(decode(await Deno.readFile(picture)).width > 400);

    const browser = await openBrowser();
    if (!browser) return;
    await using _ = browser;
    assertEquals(await browser.open(`file://${report}`), { console: [], requests: [], dialogs: [] });
    assertEquals(await browser.evaluate("document.querySelectorAll('.heatmaplayer image').length"), 4);
    assertEquals(await browser.evaluate("document.body.textContent.includes('UNTRAINED')"), !trained);
  });
});
