import { seededRandom } from "../base/mod.ts";
import { type FilmRecord, labelOf, type Lesion, recordKey } from "../datasets/mod.ts";
import { crop, type CropBox, findBreast, type Image, moveRegionBack } from "../image/mod.ts";
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
 * gives one of breast tissue. A lesion of which it is not known where it is gives none. In each epoch a patch is cut
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
      ? [{ film, copy, record }]
      : deciding(film).map((lesion, index) => ({ film, copy, lesion, record: `${record} lesion ${index}` }));
  });
  const tissue = new Map<string, Promise<CropBox[]>>();
  const tissueOf = (record: string, image: Image) => {
    if (!tissue.has(record)) tissue.set(record, Promise.resolve(tissueBoxes(image, size)));
    return tissue.get(record)!;
  };
  return {
    ids: patches.map(({ record, copy }) => idOf(record, copy)),
    targets: patches.map(({ film }) => targetOf(film, classes)),
    image: async (item, epoch) => {
      const { film, copy, lesion, record } = patches[item]!;
      const image = await films(film);
      const random = seededRandom(seed, "patch", epoch, record, copy);
      const region = lesion?.region && moveRegionBack(lesion.region, image.toSource);
      const boxes = region
        ? epoch < 0
          ? [lesionBox(image, region, { size })]
          : sampleLesionBoxes({ size, count: 1 }, image, region, random)
        : await tissueOf(record, image);
      const box = boxes[epoch < 0 ? boxes.length >> 1 : random.integer(boxes.length)]!;
      return pixelsOf(crop(image, box), record, copy, epoch, augment);
    },
  };
}

type Patch = FilmItem & { readonly lesion?: Lesion; readonly record: string };

/** The lesions that the label of a film comes from, as far as it is known where they are. */
function deciding(film: FilmRecord): readonly Lesion[] {
  const label = labelOf(film);
  return film.lesions.filter(({ region, pathology }) => region && (pathology === undefined || pathology === label));
}

/** All places of a patch that are mostly breast; the whole film's middle where there is none. */
function tissueBoxes(image: Image, size: number): CropBox[] {
  const breast = findBreast(image)?.outline;
  const found = breast
    ? sampleBackgroundBoxes({ size, count: Infinity, least: 0.5 }, image, { breast, lesions: [] }, seededRandom(0))
    : [];
  const middle = { x: (image.width - size) >> 1, y: (image.height - size) >> 1, width: size, height: size };
  return found.length > 0 ? found : [middle];
}
