import type { Preparation } from "../image/mod.ts";
import { escapeHtml, figureSlot, pageOf } from "./_page.ts";
import { short } from "./attention.ts";
import type { Figure, Still } from "./figure.ts";

/** One film in a report. */
export type ReportFilm = {
  /** The record's id or the view: what is passed on names no file. */
  readonly id: string;
  /** Facts beside the picture, in the order given: `{ "view": "L CC", "peak": "x 512, y 1023" }`. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Class name → probability. */
  readonly scores?: Readonly<Record<string, number>>;
  readonly figure?: Figure | Still;
  /** One sentence each. */
  readonly warnings?: readonly string[];
};

/** What a report says. */
export type ReportParts = {
  readonly title: string;
  /** Left out where no model is concerned. */
  readonly model?: {
    readonly name: string;
    /** False where the weights are random: the report then says so above everything else. */
    readonly trained: boolean;
    /** Where the graph ran. */
    readonly provider: string;
    readonly preparation: Preparation;
  };
  readonly films: readonly ReportFilm[];
  /** Figures of the whole, above the films. */
  readonly figures?: readonly (Figure | Still)[];
  /** What else was used, as JSON under a heading each: plans, options. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Paragraphs at the end. */
  readonly notes?: readonly string[];
  /** With figures to zoom and hover: 1.5 MB more. Default false: still pictures. */
  readonly interactive?: boolean;
};

/**
 * A report as one HTML page that needs nothing else: no network, no script but plotly's (and none at all without
 * `interactive`), every text escaped, a policy in the page that refuses the rest.
 *
 * @returns the page; write it with `writeFileAtomic`
 *
 * @example
 * ```ts
 * import { report } from "mammolab/plot";
 * import { untrainedDefinition } from "mammolab/model";
 * import { assert } from "@std/assert";
 * const { name, trained, preparation } = untrainedDefinition("vit-phantom", { seed: 1 });
 * const page = await report({
 *   title: "An exam",
 *   model: { name, trained, preparation, provider: "cpu" },
 *   films: [{ id: "L CC", scores: { malignant: 0.49 } }],
 * });
 * assert(page.includes("UNTRAINED") && page.includes("0.490"));
 * ```
 */
export async function report(
  { title, model, films, figures = [], settings = {}, notes = [], interactive = false }: ReportParts,
): Promise<string> {
  const drawn: Figure[] = [];
  const shown = async (figure: Figure | Still): Promise<string> => {
    if (interactive && "data" in figure) return figureSlot(drawn.push(figure) - 1, figure.text);
    const source = `data:image/png;base64,${(await figure.toPng()).toBase64()}`;
    return `<img src="${source}" alt="${escapeHtml(figure.text)}">`;
  };
  const whole: string[] = [];
  for (const figure of figures) whole.push(await shown(figure));
  const parts: string[] = [];
  for (const film of films) parts.push(await filmSection(film, shown));
  const body = `<h1>${escapeHtml(title)}</h1>
<p class="warning">Not for clinical use: this is a research picture, not a finding.</p>
${model && !model.trained ? untrained(model.name) : ""}
${whole.join("\n")}
<div class="films">
${parts.join("\n")}
</div>
<h2>How this was made</h2>
${model ? modelFacts(model) : ""}
${
    Object.entries(settings).map(([name, value]) =>
      `<p class="small">${escapeHtml(name)}, as JSON:</p>
<pre>${escapeHtml(JSON.stringify(value, null, 1))}</pre>`
    ).join("\n")
  }
${notes.map((note) => `<p class="small">${escapeHtml(note)}</p>`).join("\n")}`;
  return await pageOf({ title, body, figures: drawn.map(({ data, layout }) => ({ data, layout })) });
}

function modelFacts({ name, trained, provider, preparation }: NonNullable<ReportParts["model"]>): string {
  return `${facts([["model", name], ["weights", trained ? "trained" : "untrained: random"], ["ran on", provider]])}
<p class="small">Preparation of the films, as JSON:</p>
<pre>${escapeHtml(JSON.stringify(preparation))}</pre>`;
}

const untrained = (name: string) =>
  `<p class="warning">UNTRAINED: the weights of ${
    escapeHtml(name)
  } are random. Scores and maps show that the line works, and nothing about the films.</p>`;

async function filmSection(
  { id, facts: given = {}, scores = {}, figure, warnings = [] }: ReportFilm,
  shown: (figure: Figure | Still) => Promise<string>,
): Promise<string> {
  const numbers = Object.entries(scores).map(([name, score]): [string, string] => [name, score.toFixed(3)]);
  return `<figure class="film">
<h3>${escapeHtml(id)}</h3>
${figure ? await shown(figure) : ""}
<figcaption>
${facts([...numbers, ...Object.entries(given)])}
${warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>`).join("\n")}
</figcaption>
</figure>`;
}

function facts(pairs: readonly (readonly [string, string | number])[]): string {
  const rows = pairs.map(([name, value]) =>
    `<tr><th scope="row">${escapeHtml(name)}</th><td>${
      escapeHtml(typeof value === "number" ? short(value) : value)
    }</td></tr>`
  );
  return rows.length ? `<table>${rows.join("")}</table>` : "";
}
