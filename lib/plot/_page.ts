// Pages that work without network and run nothing but plotly: everything else is refused by the page's own policy.
import type { PlotlyFigure } from "./plotly.ts";

/** Text → HTML that shows it, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign]!);
}

/** A figure's place in a page: the script of `pageOf` draws figure `number` there. */
export function figureSlot(number: number, alt: string): string {
  return `<div class="figure" id="figure-${number}" role="img" aria-label="${escapeHtml(alt)}"></div>`;
}

/** A figure alone on a page. */
export function figurePage({ data, layout, text }: PlotlyFigure & { readonly text: string }): Promise<string> {
  return pageOf({ title: text, body: figureSlot(0, text), figures: [{ data, layout }] });
}

/**
 * A whole page.
 *
 * @param title plain text
 * @param body HTML, already escaped
 * @param figures drawn into the slots of the same number; without any, the page holds no script and is ten times smaller
 */
export async function pageOf(
  { title, body, figures = [] }: {
    readonly title: string;
    readonly body: string;
    readonly figures?: readonly PlotlyFigure[];
  },
): Promise<string> {
  const scripts: string[] = [];
  if (figures.length > 0) {
    const { default: plotly } = await import("plotly.js/plotly-cartesian.min.js", { with: { type: "text" } });
    scripts.push(plotly.replaceAll("</script", "<\\/script"), starter);
  }
  const hashes = await Promise.all(scripts.map(hashOf));
  const policy = [
    "default-src 'none'",
    "img-src data:",
    // plotly writes its own styles; nothing can be fetched through them, as img-src and font-src are closed
    "style-src 'unsafe-inline'",
    `script-src ${hashes.length ? hashes.join(" ") : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  // JSON in a block that is not run; no "<" in it, so no text can end the block
  const json = JSON.stringify(figures).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
${figures.length ? `<script type="application/json" id="figures">${json}</script>\n` : ""}${
    scripts.map((script) => `<script>${script}</script>`).join("\n")
  }
</body>
</html>
`;
}

const starter = `
const figures = JSON.parse(document.getElementById("figures").textContent);
figures.forEach(({ data, layout }, number) => {
  const slot = document.getElementById("figure-" + number);
  Plotly.newPlot(slot, data, { autosize: true, ...layout },
    { displaylogo: false, responsive: layout.width === undefined, modeBarButtonsToRemove: ["toImage"] });
});
`;

const style = `
:root { color-scheme: light; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1b1b1f; background: #fff; }
body { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.warning { border-left: 6px solid #b3261e; background: #fceeee; padding: .6rem 1rem; margin: 1rem 0; font-weight: 600; }
.films { display: flex; flex-wrap: wrap; gap: 1.5rem; } .figure { overflow-x: auto; }
.film { margin: 0; } .film img { max-width: 100%; height: auto; } .film h3 { font-size: 1rem; margin: 0 0 .3rem; }
figcaption, .small { font-size: .85rem; color: #55555c; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .9rem .2rem 0; vertical-align: top; border-bottom: 1px solid #ddd; }
td { font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; background: #f5f5f7; padding: .6rem; }
`;

async function hashOf(script: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  return `'sha256-${new Uint8Array(digest).toBase64()}'`;
}
