import { MammolabError } from "../base/mod.ts";
import { type FilmRecord, labelOf, recordKey } from "../datasets/mod.ts";
import { type Image, imageOf, type Preparation, prepare } from "../image/mod.ts";
import { loadMammogram } from "../io/mod.ts";
import type { Pipeline } from "../prepare/mod.ts";
import type { Samples } from "./fit.ts";

/** Which labels make a class: `{ negative: ["normal", "benign"], malignant: ["malignant"] }`, in the order of the outputs. */
export type ClassRule = Readonly<Record<string, readonly string[]>>;

/** A film, and which copy of it is to be shown; copies above 0 differ by their augmentation. */
export type FilmItem = { readonly film: FilmRecord; readonly copy: number };

/** How films become samples. */
export type FilmSampleOptions = {
  readonly preparation: Preparation;
  readonly classes: ClassRule;
  /** Each epoch draws anew, by seed, epoch, film and copy; validation is never augmented. */
  readonly augment?: { readonly pipeline: Pipeline; readonly seed: number };
  /** Gives the pixels of a film in 0..1; default: the file that the record names. */
  readonly load?: (film: FilmRecord) => Promise<Image>;
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

/**
 * Films as samples: read and prepared when they are first asked for, then kept in 16 bits (147 kB for 384 × 192), and
 * augmented anew in each epoch.
 *
 * @throws MammolabError when a film has no class; reading errors come when a film is first asked for, naming it
 */
export function filmSamples(
  items: readonly FilmItem[],
  { preparation, classes, augment, load = fromFile }: FilmSampleOptions,
): Samples {
  const count = Object.keys(classes).length;
  const kept = new Map<string, Promise<Kept>>();
  const preparedOf = async (film: FilmRecord): Promise<Kept> => {
    const { data, height, width, channels } = prepare(await load(film), preparation);
    return {
      values: Uint16Array.from(data, (x) => Math.round(65535 * Math.min(1, Math.max(0, x)))),
      height,
      width,
      channels,
    };
  };
  return {
    ids: items.map(({ film, copy }) => copy === 0 ? recordKey(film) : `${recordKey(film)} copy ${copy}`),
    targets: items.map(({ film }) => {
      const own = classOf(film, classes);
      return Array.from({ length: count }, (_, c) => c === own ? 1 : 0);
    }),
    image: async (item, epoch) => {
      const { film, copy } = items[item]!;
      const key = recordKey(film);
      if (!kept.has(key)) kept.set(key, preparedOf(film));
      const { values, ...size } = await kept.get(key)!;
      const image = imageOf(Float32Array.from(values, (x) => x / 65535), size);
      if (!augment || epoch < 0) return image.data;
      return augment.pipeline.augment(image, { seed: augment.seed, epoch, record: key, copy }).image.data;
    },
  };
}

type Kept = {
  readonly values: Uint16Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
};

async function fromFile({ file, frame }: FilmRecord): Promise<Image> {
  return (await loadMammogram(file, frame === undefined ? {} : { frame })).image;
}
