// What `alikeWhen` in lib/datasets/duplicates.ts rests on: how near different films of mini-MIAS come, and how far a film is
// from a copy of itself at half its size, with and without noise of 1 % of the range.
//
//   deno run -A tests/datasets/measure_alike.ts FOLDER_OF_MINI_MIAS [EVERY_NTH_FILM]
//
// `-A`: it is run by hand. About two minutes on two cores for all 322 films.
import { seededRandom } from "../../lib/base/mod.ts";
import { correlation, distance, fingerprint, orientations } from "../../lib/datasets/_fingerprint.ts";
import { loadMiniMias } from "../../lib/datasets/mod.ts";
import { type Image, resizeTo } from "../../lib/image/mod.ts";
import { loadMammogram } from "../../lib/io/mod.ts";

const [folder = ".", nth = "1"] = Deno.args;
const { records } = await loadMiniMias(folder);
const { normal } = seededRandom(1, "noise");
const noisy = (image: Image): Image => ({
  ...image,
  data: image.data.map((value) => Math.max(0, Math.round(255 * (value + 0.01 * normal())) / 255)),
});

const films = [];
for (const { file } of records.filter((_, index) => index % Number(nth) === 0)) {
  const { image } = await loadMammogram(file);
  const half = resizeTo({ height: image.height / 2, width: image.width / 2 })(image);
  films.push({ original: fingerprint(image), half: fingerprint(half), noisy: fingerprint(noisy(half)) });
}

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.round(q * (values.length - 1))]!;
for (const part of ["breast", "whole"] as const) {
  const pairs: { bits: number; match: number }[] = [];
  for (const [a, { original }] of films.entries()) {
    for (const { original: other } of films.slice(a + 1)) {
      for (const turned of orientations.keys()) {
        const bits = distance(original[part].hashes[0]!, other[part].hashes[turned]!, 40);
        if (bits > 40) continue;
        pairs.push({ bits, match: correlation(original[part].thumbnail, other[part].thumbnail, turned) });
      }
    }
  }
  const near = (most: number) => pairs.filter(({ bits }) => bits <= most).map(({ match }) => match);
  say(`${part}: ${films.length} films`);
  say(`  different films: least ${Math.min(...pairs.map(({ bits }) => bits))} bits of 256`);
  say(`    pairs within 12, 18, 24, 40 bits: ${[12, 18, 24, 40].map((most) => near(most).length).join(", ")}`);
  say(
    `    highest correlation of these:     ${
      [12, 18, 24, 40].map((most) => Math.max(...near(most)).toFixed(4)).join(", ")
    }`,
  );
  for (const copy of ["half", "noisy"] as const) {
    const bits = films.map((film) => distance(film.original[part].hashes[0]!, film[copy][part].hashes[0]!));
    const match = films.map((film) => correlation(film.original[part].thumbnail, film[copy][part].thumbnail, 0));
    say(
      `  same film, ${copy}: bits median ${quantile(bits, 0.5)}, 99 % ${quantile(bits, 0.99)}, most ${
        Math.max(...bits)
      }; ` +
        `correlation 1 % ${quantile(match, 0.01).toFixed(4)}, least ${Math.min(...match).toFixed(4)}`,
    );
  }
}
Deno.exit(0);
