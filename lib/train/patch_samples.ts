import { MammolabError, seededRandom, sentenceOf } from "../base/mod.ts";
import { decidingLesions, labelOf, type Lesion, recordKey } from "../datasets/mod.ts";
import { crop, type CropBox, findBreast, type Image, moveRegionBack, type Region } from "../image/mod.ts";
import { lesionBox, sampleBackgroundBoxes, sampleLesionBoxes } from "../prepare/mod.ts";
import type { Samples } from "./fit.ts";
import { type FilmItem, type FilmSampleOptions, idOf, pixelsOf, targetOf } from "./samples.ts";

/** How patches become samples. */
export type PatchSampleOptions = FilmSampleOptions & {
  /** Pixels of the sides, in the prepared film. */
  readonly size: number;
  /** Of the places. */
  readonly seed: number;
};

/**
 * Patches of prepared films as samples: the first stage of training on whole films (Shen et al. 2019, Sci Rep 9:12495).
 *
 * A film with lesions gives a patch for each lesion that its label comes from, with the label of the film; a film without
 * gives one of breast tissue. A lesion of which it is not known where it is gives none, nor does a film that is benign or
 * malignant and of which no lesion is told: its tissue need not show what the label says. In each epoch a patch is cut
 * elsewhere, with at least 0.9 of the lesion in it; in validation the lesion is in its middle.
 *
 * @throws MammolabError when a film has no class; reading errors come when a film is first asked for, naming it, as does a
 * lesion that lies outside the prepared film
 */
export function patchSamples(
  items: readonly FilmItem[],
  { films, classes, size, seed, augment }: PatchSampleOptions,
): Samples {
  const patches = items.flatMap(({ film, copy }): readonly Patch[] => {
    const record = recordKey(film);
    return film.lesions.length === 0
      ? ["benign", "malignant"].includes(labelOf(film)!) ? [] : [{ film, copy, record }]
      : decidingLesions(film).map((lesion, index) => ({ film, copy, lesion, record: `${record} lesion ${index}` }));
  });
  const tissue = new Map<string, Int32Array>(); // places in turn, x and y: few bytes a film
  const moved = new Map<string, Region>(); // lesions in pixels of the prepared film
  const regionOf = (record: string, { region }: Lesion, image: Image): Region | undefined => {
    if (!region) return undefined;
    const known = moved.get(record) ?? moveRegionBack(region, image.toSource);
    moved.set(record, known);
    return known;
  };
  const tissueOf = (record: string, image: Image): CropBox[] => {
    const known = tissue.get(record) ?? tissuePlaces(image, size);
    tissue.set(record, known);
    return Array.from({ length: known.length / 2 }, (_, k) => squareAt(known[2 * k]!, known[2 * k + 1]!, size));
  };
  return {
    ids: patches.map(({ record, copy }) => idOf(record, copy)),
    targets: patches.map(({ film }) => targetOf(film, classes)),
    augmented: augment !== undefined,
    image: async (item, epoch) => {
      const { film, copy, lesion, record } = patches[item]!;
      const image = await films(film);
      const random = seededRandom(seed, "patch", epoch, record, copy);
      const region = lesion && regionOf(record, lesion, image);
      const boxes = region
        ? named(
          record,
          () =>
            epoch < 0
              ? [lesionBox(image, region, { size })]
              : sampleLesionBoxes({ size, count: 1 }, image, region, random),
        )
        : tissueOf(record, image);
      const box = boxes[epoch < 0 ? boxes.length >> 1 : random.integer(boxes.length)]!;
      return pixelsOf(crop(image, box), record, copy, epoch, augment);
    },
  };
}

type Patch = FilmItem & { readonly lesion?: Lesion; readonly record: string };

/** Corners of patches that are mostly breast, at most 256 drawn from all; of the whole film's middle where there is none. */
function tissuePlaces(image: Image, size: number): Int32Array {
  const breast = findBreast(image)?.outline;
  const found = breast
    ? sampleBackgroundBoxes({ size, count: 256, least: 0.5 }, image, { breast, lesions: [] }, seededRandom(0))
    : [];
  const middle = squareAt((image.width - size) >> 1, (image.height - size) >> 1, size);
  return Int32Array.from((found.length > 0 ? found : [middle]).flatMap(({ x, y }) => [x, y]));
}

function named<R>(record: string, work: () => R): R {
  try {
    return work();
  } catch (cause) {
    throw new MammolabError(`Cannot train on ${record}: ${sentenceOf(cause)}`, { cause });
  }
}

const squareAt = (x: number, y: number, size: number): CropBox => ({ x, y, width: size, height: size });
