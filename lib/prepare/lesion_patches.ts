import { MammolabError, type Random, shuffled } from "../base/mod.ts";
import { area, boundingBox, type CropBox, maskOf, type Region, type Size } from "../image/mod.ts";
import { breastWindows } from "./windows.ts";

/**
 * The square round a lesion, for `crop`; it may reach beyond the image, where a crop is 0.
 *
 * @param image whose pixels the region is in; regions of a film come onto an image made from it by `moveRegionBack`
 * @param options.size pixels of the sides
 * @throws MammolabError when the region is empty, the size no whole number, or the square shows nothing of the image
 *
 * @example
 * ```ts
 * import { lesionBox } from "mammolab/prepare";
 * import { assertEquals } from "@std/assert";
 * const lesion = { kind: "circle", x: 30, y: 40, radius: 5 } as const;
 * assertEquals(lesionBox({ height: 100, width: 100 }, lesion, { size: 20 }), { x: 20, y: 30, width: 20, height: 20 });
 * ```
 */
export function lesionBox(image: Size, lesion: Region, { size }: { readonly size: number }): CropBox {
  checkSize(size);
  const { x, y, width, height } = boundingBox(lesion);
  const box = {
    x: Math.round(x + (width - size) / 2),
    y: Math.round(y + (height - size) / 2),
    width: size,
    height: size,
  };
  if (!touches(box, image)) {
    throw new MammolabError(
      `Cannot cut a patch round the ${lesion.kind} at (${Math.round(x + width / 2)}, ${
        Math.round(y + height / 2)
      }): it lies outside the image of ${image.width} × ${image.height}; check its coordinates, or leave it out`,
    );
  }
  return box;
}

/** How patches that show a lesion are drawn. */
export type LesionPatchOptions = {
  /** Pixels of the sides. */
  readonly size: number;
  /** Patches a lesion. */
  readonly count: number;
  /** How much of the lesion, or of the patch where the lesion is larger, each patch has to show, in (0, 1]; default 0.9. */
  readonly overlap?: number;
};

/**
 * Draws patches that show a lesion, moved about it at random (Shen et al. 2019: ten patches a lesion that overlap it by at least
 * 0.9). Where even the patch round its center shows less, that one is taken.
 *
 * @returns boxes for `crop`, plain JSON
 * @throws MammolabError as {@linkcode lesionBox}, and for a count or overlap out of range
 */
export function sampleLesionBoxes(
  { size, count, overlap = 0.9 }: LesionPatchOptions,
  image: Size,
  lesion: Region,
  random: Random,
): CropBox[] {
  if (!(Number.isSafeInteger(count) && count > 0 && overlap > 0 && overlap <= 1)) {
    throw new MammolabError(
      `Cannot draw ${count} patches that overlap a lesion by ${overlap}: give a whole number above 0 and a share in (0, 1]`,
    );
  }
  const center = lesionBox(image, lesion, { size });
  const { width, height } = boundingBox(lesion);
  const shown = shareShown(lesion);
  return Array.from({ length: count }, () => {
    // Each try comes nearer to the center, so that the search ends.
    for (let reach = 0.5; reach > 0.01; reach *= 0.95) {
      const moved = (length: number) => Math.round(random.between(-reach, reach) * (size + length));
      const box = { ...center, x: center.x + moved(width), y: center.y + moved(height) };
      if (touches(box, image) && shown(box) >= overlap) return box;
    }
    return center;
  });
}

/** How patches without a lesion are drawn. */
export type BackgroundPatchOptions = {
  /** Pixels of the sides. */
  readonly size: number;
  /** Patches a film; fewer are found where the breast is small. */
  readonly count: number;
  /** Share of a patch that has to be breast; default 0.5. */
  readonly least?: number;
};

/**
 * Draws patches of breast that show nothing of any lesion: the negative class of a patch classifier. Patches lie a quarter of
 * their size apart and may overlap each other.
 *
 * @param breast its outline or mask, in pixels of the image
 * @param lesions to be kept away from, in pixels of the image
 * @returns at most `count` boxes for `crop`, plain JSON
 */
export function sampleBackgroundBoxes(
  { size, count, least = 0.5 }: BackgroundPatchOptions,
  image: Size,
  { breast, lesions }: { readonly breast: Region; readonly lesions: readonly Region[] },
  random: Random,
): CropBox[] {
  checkSize(size);
  const found = breastWindows(image, breast, { size, step: Math.max(1, Math.floor(size / 4)), least });
  const free = found.filter((box) => lesions.every((lesion) => !meets(boundingBox(lesion), box)));
  return shuffled(free, random).slice(0, count);
}

type Rectangle = Pick<CropBox, "x" | "y" | "width" | "height">;

function meets(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function touches(box: Rectangle, image: Size): boolean {
  return meets(box, { x: 0, y: 0, ...image });
}

/**
 * Gives the pixels of a lesion in a box, as a share of the lesion, or of the box where that is smaller. A table of sums (Crow
 * 1984) counts them in four look-ups: many boxes are tried for each patch, and a patch is drawn for each image of each epoch.
 */
function shareShown(lesion: Region): (box: CropBox) => number {
  const { x: left, y: top, height, width, data: inside } = maskOf(lesion);
  const sums = new Float64Array((width + 1) * (height + 1)); // of all pixels above and to the left
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += inside[y * width + x]!;
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1]! + row;
    }
  }
  const size = area(lesion);
  const clamped = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return (box) => {
    const [x1, x2] = [clamped(box.x - left, width), clamped(box.x + box.width - left, width)];
    const [y1, y2] = [
      clamped(box.y - top, height) * (width + 1),
      clamped(box.y + box.height - top, height) * (width + 1),
    ];
    const count = sums[y2 + x2]! - sums[y1 + x2]! - sums[y2 + x1]! + sums[y1 + x1]!;
    return count / Math.min(size, box.width * box.height);
  };
}

function checkSize(size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new MammolabError(`Cannot cut patches of ${size} pixels: the size is a whole number above 0`);
}
