import { seededRandom } from "mammolab/base";
import { phantomExam, type PhantomView } from "mammolab/datasets";
import { crop, findBreast, type Image, imageOf, rasterize } from "mammolab/image";
import { painted } from "./_breast_film.ts";

/** What was done to a phantom's film, and how well its breast was found. */
export type OutlineResult = {
  readonly film: string;
  readonly planted: "nothing" | "label" | "frame" | "inversion" | "padding" | "all of these";
  /** Of the outline and the known breast: overlap over union. */
  readonly overlap: number;
  /** Whether the chest wall was found on its side. */
  readonly side: boolean;
};

/** Finds the breast on the four films of each phantom exam, as they are and with things planted, against the known outline. */
export function outlineResults(seeds: readonly number[], mm: number): OutlineResult[] {
  return seeds.flatMap((seed) =>
    phantomExam(seed, { mm }).views.flatMap((view) => {
      const film = `${seed} ${view.laterality}-${view.view}`;
      return planted(seed, view).map(({ name, image, truth }) => {
        const breast = findBreast(image);
        const found = breast ? rasterize(breast.outline, image) : new Uint8Array(truth.length);
        let [both, either] = [0, 0];
        for (let at = 0; at < truth.length; at++) {
          both += truth[at]! & found[at]!;
          either += truth[at]! | found[at]!;
        }
        const side = breast?.side === (view.laterality === "L" ? "left" : "right");
        return { film, planted: name, overlap: both / either, side };
      });
    })
  );
}

type Planted = { readonly name: OutlineResult["planted"]; readonly image: Image; readonly truth: Uint8Array };

function planted(seed: number, view: PhantomView): Planted[] {
  const random = seededRandom(seed, "planted", view.laterality, view.view);
  const { height, width } = view;
  const film = imageOf(Float32Array.from(view.pixels, (value) => value / 4095), { height, width });

  const [wide, tall] = [Math.round(width * random.between(0.06, 0.14)), Math.round(width * random.between(0.03, 0.2))];
  const left = view.laterality === "R" ? Math.round(0.02 * width) : width - wide - Math.round(0.02 * width);
  const top = Math.round(height * random.between(0.01, 0.06));
  const label = (image: Image) =>
    painted(image, (x, y, before) => {
      if (x < left || y < top || x >= left + wide || y >= top + tall) return before;
      return (x - left) % 9 < 3 && (y - top) % 13 < 9 ? 0.1 : 0.97; // dark letters on white
    });

  const thick = Math.max(1, Math.round(width * random.between(0.004, 0.012)));
  const onFrame = (x: number, y: number) => x < thick || y < thick || x >= width - thick || y >= height - thick;
  const frame = (image: Image) => painted(image, (x, y, before) => onFrame(x, y) ? 0.9 : before);
  const underFrame = view.breast.map((value, at) => onFrame(at % width, Math.floor(at / width)) ? 0 : value);

  const invert = (image: Image) => painted(image, (_x, _y, before) => 1 - before);

  const [x, y, right, below] = [80, 80, 200, 80].map((most) => random.integer(most)) as [
    number,
    number,
    number,
    number,
  ];
  const value = random.integer(2);
  const box = { x: -x, y: -y, width: width + x + right, height: height + y + below };
  const padding = (image: Image) =>
    painted(
      crop(image, box),
      (column, row, before) => column < x || row < y || column >= x + width || row >= y + height ? value : before,
    );
  const padded = (truth: Uint8Array) =>
    Uint8Array.from(crop(imageOf(Float32Array.from(truth), { height, width }), box).data);

  return [
    { name: "nothing", image: film, truth: view.breast },
    { name: "label", image: label(film), truth: view.breast },
    { name: "frame", image: frame(film), truth: underFrame },
    { name: "inversion", image: invert(film), truth: view.breast },
    { name: "padding", image: padding(film), truth: padded(view.breast) },
    { name: "all of these", image: padding(invert(frame(label(film)))), truth: padded(underFrame) },
  ];
}

if (import.meta.main) {
  // deno run -A --import-map=… tests/image/_planted.ts [exams] [mm]: the table of CONTRIBUTING
  const [exams = 50, mm = 0.6] = Deno.args.map(Number);
  const results = outlineResults(Array.from({ length: exams }, (_, k) => k + 1), mm);
  for (const [name, group] of Map.groupBy(results, ({ planted }) => planted)) {
    const overlaps = group.map(({ overlap }) => overlap).sort((a, b) => a - b);
    const text = `${name}: overlap over union at least ${overlaps[0]!.toFixed(4)}, median ${
      overlaps[overlaps.length >> 1]!.toFixed(4)
    }, chest wall wrong on ${group.filter(({ side }) => !side).length} of ${group.length}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  }
}
