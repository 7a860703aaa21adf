import { MammolabError } from "../base/mod.ts";
import { type FilmRecord, labelOf, recordKey } from "../datasets/mod.ts";
import type { Image } from "../image/mod.ts";
import { type Pipeline, stackImages } from "../prepare/mod.ts";
import type { Samples } from "./fit.ts";
import type { PreparedFilms } from "./prepared_films.ts";

/** Which labels make a class: `{ negative: ["normal", "benign"], malignant: ["malignant"] }`, in the order of the outputs. */
export type ClassRule = Readonly<Record<string, readonly string[]>>;

/** A film, and which copy of it is to be shown; copies above 0 differ by their augmentation. */
export type FilmItem = { readonly film: FilmRecord; readonly copy: number };

/** What is drawn anew for each sample in each epoch, by seed, epoch, film and copy; validation is never augmented. */
export type SampleAugmentation = { readonly pipeline: Pipeline; readonly seed: number };

/** How films become samples. */
export type FilmSampleOptions = {
  readonly films: PreparedFilms;
  readonly classes: ClassRule;
  readonly augment?: SampleAugmentation;
};

/**
 * The index of the class of a film.
 *
 * @throws MammolabError when the film has no label, or one that no class takes
 *
 * @example
 * ```ts
 * import { classOf } from "mammolab/train";
 * import { assertEquals } from "@std/assert";
 * const film = { id: "1", labels: { image: { value: "benign", rule: "" } }, lesions: [], file: "", dataset: "", oddities: [] };
 * assertEquals(classOf(film, { negative: ["normal", "benign"], malignant: ["malignant"] }), 0);
 * ```
 */
export function classOf(film: FilmRecord, classes: ClassRule): number {
  const label = labelOf(film);
  const found = Object.values(classes).findIndex((labels) => label !== undefined && labels.includes(label));
  if (found < 0) {
    const rule = Object.entries(classes).map(([name, labels]) => `${name} (${labels.join(", ")})`).join(" and ");
    throw new MammolabError(
      `Cannot place film ${film.id}: its label is ${
        label ?? "missing"
      }, the classes are ${rule}; leave it out or add its label to a class`,
    );
  }
  return found;
}

/** The label of a film as shares of the classes: 1 for its own. @throws MammolabError as {@linkcode classOf} */
export function targetOf(film: FilmRecord, classes: ClassRule): readonly number[] {
  const own = classOf(film, classes);
  return Object.keys(classes).map((_, index) => index === own ? 1 : 0);
}

/**
 * Whole films as samples, augmented anew in each epoch.
 *
 * @throws MammolabError when a film has no class; reading errors come when a film is first asked for, naming it
 */
export function filmSamples(
  items: readonly FilmItem[],
  { films, classes, augment }: FilmSampleOptions,
): Samples {
  return {
    ids: items.map(({ film, copy }) => idOf(recordKey(film), copy)),
    targets: items.map(({ film }) => targetOf(film, classes)),
    augmented: augment !== undefined,
    image: async (item, epoch) => {
      const { film, copy } = items[item]!;
      return pixelsOf(await films(film), recordKey(film), copy, epoch, augment);
    },
  };
}

/** The name of a sample: that of its record, and which copy. */
export const idOf = (record: string, copy: number): string => copy === 0 ? record : `${record} copy ${copy}`;

/** The pixels of a sample, channels first. */
export function pixelsOf(
  image: Image,
  record: string,
  copy: number,
  epoch: number,
  augment: SampleAugmentation | undefined,
): Float32Array {
  const shown = augment && epoch >= 0
    ? augment.pipeline.augment(image, { seed: augment.seed, epoch, record, copy }).image
    : image;
  return shown.channels === 1 ? shown.data : stackImages([shown]).data;
}
