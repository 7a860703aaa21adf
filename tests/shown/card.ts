// deno-lint-ignore-file no-console -- a script whose output is its purpose
// The tables of the model card of vit-phantom, from what evaluate found on phantoms that no training has seen.
//   deno task phantom --exams 200 --seed 200000 --out out/test
//   deno task evaluate out/test --side all --pointing --json > out/test.json
//   deno run --allow-read tests/shown/card.ts out/test.json out/test
import { type FilmRecord, loadPhantoms } from "../../lib/datasets/mod.ts";
import { aucWithInterval, type Estimate } from "../../lib/evaluate/mod.ts";

const [file, folder] = Deno.args;
const found: {
  readonly figures: Readonly<Record<string, Estimate>>;
  readonly scores: readonly { readonly id: string; readonly positive: boolean; readonly score: number }[];
} = JSON.parse(await Deno.readTextFile(file!));
const films = new Map((await loadPhantoms(folder!)).map((film) => [film.id, film]));

const text = ({ value, low, high }: Estimate) => `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
console.log("| figure | value (95 % interval) |\n| --- | --- |");
for (const [name, estimate] of Object.entries(found.figures)) console.log(`| ${name} | ${text(estimate)} |`);

/** AUC of the films whose malignant lesions lie in a third of what is stated of them, against all negative films. */
function byThirds(what: string, of: (film: FilmRecord) => number | undefined): void {
  const positives = found.scores.filter(({ positive }) => positive)
    .map((one) => ({ ...one, at: of(films.get(one.id)!) })).filter(({ at }) => at !== undefined)
    .sort((a, b) => a.at! - b.at!);
  const negatives = found.scores.filter(({ positive }) => !positive);
  console.log(`\n| ${what} | malignant films | AUC |\n| --- | --- | --- |`);
  for (let k = 0; k < 3; k++) {
    const part = positives.slice(Math.round(k * positives.length / 3), Math.round((k + 1) * positives.length / 3));
    const cases = [...part, ...negatives].map(({ id, positive, score }) => {
      return { positive, score, patient: films.get(id)!.patient! };
    });
    const range = `${part[0]!.at!.toFixed(1)} to ${part.at(-1)!.at!.toFixed(1)}`;
    console.log(`| ${range} | ${part.length} | ${text(aucWithInterval(cases))} |`);
  }
}
const largest = (film: FilmRecord, key: "contrast" | "radiusMm", kind: RegExp) => {
  const values = film.lesions.filter(({ pathology, kind: own }) => pathology === "malignant" && kind.test(own))
    .map(({ stated }) => Number(stated?.[key]));
  return values.length > 0 ? Math.max(...values) : undefined;
};
byThirds("contrast of the mass", (film) => largest(film, "contrast", /mass/));
byThirds("radius of the mass, mm", (film) => largest(film, "radiusMm", /mass/));
byThirds(
  "density (0 = a … 3 = d)",
  (film) => film.lesions.length > 0 ? "abcd".indexOf(film.density ?? "a") : undefined,
);
