// What `prepare` shows: which films, what is made of each, and how many there are of each group.
import { MammolabError, sentenceOf } from "../lib/base/mod.ts";
import { type FilmRecord, recordKey, type TrainingSide } from "../lib/datasets/mod.ts";
import type { Region } from "../lib/image/mod.ts";
import { loadMammogram } from "../lib/io/mod.ts";
import { chart, type Figure, type ReportFilm, type SheetRow } from "../lib/plot/mod.ts";
import { type BalancePlan, captionOf, type Flow, type LesionTokens, tokensPerLesion } from "../lib/prepare/mod.ts";
import type { OptionSpecs, TaskContext } from "./_task.ts";

/** Films of all groups in turn; within a group those with lesions first. */
export function chosenFilms(
  side: TrainingSide,
  plan: BalancePlan,
  count: number,
): readonly (FilmRecord & { readonly group: string })[] {
  const groupOf = new Map(plan.items.map(({ record, group }) => [record, group]));
  const films = side.records.flatMap((film) => {
    const group = groupOf.get(recordKey(film));
    return group === undefined ? [] : [{ ...film, group }];
  });
  const located = (film: FilmRecord) => film.lesions.some(({ region }) => region) ? 0 : 1;
  const groups = [...Map.groupBy(films, ({ group }) => group).values()]
    .map((group) => group.toSorted((a, b) => located(a) - located(b)));
  const longest = Math.max(...groups.map(({ length }) => length));
  const inTurn = Array.from({ length: longest }, (_, k) => groups.flatMap((group) => group[k] ?? []));
  return inTurn.flat().slice(0, count);
}

type Shown = Pick<TaskContext<OptionSpecs>, "signal" | "progress" | "failure"> & {
  /** Augmented copies of each film. */
  readonly copies: number;
  /** Pixels of a token. */
  readonly patch: number;
};

/** A film of the sheet, in figures. */
export type ShownFilm = {
  readonly id: string;
  readonly group: string;
  readonly warnings: readonly string[];
  readonly lesions: readonly ({ readonly kind: string } & LesionTokens)[];
};

/** The films that can be read, as rows of a contact sheet, and a sentence for each of the others. @throws MammolabError when there is none */
export async function sheetRows(
  chosen: ReturnType<typeof chosenFilms>,
  { flow, plain, context }: { readonly flow: Flow; readonly plain: Flow; readonly context: Shown },
): Promise<{ rows: SheetRow[]; films: ShownFilm[]; failed: string[] }> {
  const { copies, patch, signal, progress, failure } = context;
  const rows: SheetRow[] = [];
  const films: ShownFilm[] = [];
  const failed: string[] = [];
  for (const film of chosen) {
    if (signal.aborted) break;
    try {
      const { image } = await loadMammogram(film.file, {
        signal,
        ...(film.frame === undefined ? {} : { frame: film.frame }),
      });
      const { image: prepared, warnings } = await plain.prepare({ film }, { signal });
      const outlines = film.lesions.flatMap(({ region }): Region[] => region ? [region] : []);
      const lesions = film.lesions.flatMap(({ kind, region }) =>
        region ? [{ kind, ...tokensPerLesion(region, prepared, { patchSize: patch }) }] : []
      );
      const copy = async (k: number) => {
        const { image, drawn } = await flow.prepare({ film, copy: k }, { signal });
        return { image, outlines, caption: captionOf(drawn) };
      };
      const drawn = await Promise.all(Array.from({ length: copies }, (_, k) => copy(k + 1)));
      const tokens = lesions.map(({ after }) => `${round(after.tokens)} tokens`).join(", ");
      rows.push({
        title: `${film.id}, ${film.group}`,
        cells: [
          { image, outlines, caption: `film, ${image.height} × ${image.width}` },
          { image: prepared, outlines, caption: "prepared" },
          ...drawn,
          { image: prepared, outlines, grid: patch, caption: tokens || `patches of ${patch}` },
        ],
      });
      films.push({ id: film.id, group: film.group, warnings, lesions });
    } catch (error) {
      if (signal.aborted) break;
      failed.push(sentenceOf(error));
      failure(failed.at(-1));
    }
    progress({ done: films.length, total: chosen.length, unit: "films" });
  }
  if (rows.length === 0) {
    throw new MammolabError(
      `Cannot show what a network is given: none of ${chosen.length} films could be read; the first: ${failed[0]}`,
    );
  }
  return { rows, films, failed };
}

/** Bars of each group, before and after. */
export function countsChart({ before, after, strategy }: BalancePlan): Figure {
  const names = Object.keys(before);
  const bars = (name: string, counts: Readonly<Record<string, number>>) => ({
    type: "bar",
    name,
    x: names,
    y: names.map((group) => counts[group] ?? 0),
    text: names.map((group) => String(counts[group] ?? 0)),
  });
  return chart(
    {
      data: [bars("as they are", before), bars("in an epoch", after)],
      layout: {
        title: { text: `Films of the training side, ${strategy}` },
        yaxis: { title: { text: "films" } },
        barmode: "group",
      },
    },
    {
      text: `Films of each group before and after balancing: ${
        names.map((group) => `${group} ${before[group]} → ${after[group]}`).join(", ")
      }`,
    },
  );
}

/** A film as the report tells of it. */
export function reportFilm({ id, group, warnings, lesions }: ShownFilm): ReportFilm {
  const facts = lesions.map(({ kind, before, after }, k) => [
    `${k + 1}. ${kind}`,
    `${round(before.tokens)} tokens of the film, ${round(after.tokens)} of the input (${after.touched} touched)`,
  ]);
  return { id, facts: { group, ...Object.fromEntries(facts) }, warnings };
}

/** Two digits. */
export function round(value: number): number {
  return Number(value.toPrecision(2));
}
