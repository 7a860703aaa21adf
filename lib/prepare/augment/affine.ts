import { MammolabError, type Random } from "../../base/mod.ts";
import { type Affine, compose, type Image, invert, warp } from "../../image/mod.ts";

/** Turn, shift, scale and shear about the center of the image, in one resampling; what is left out changes nothing. */
export type AffineParameters = {
  /** Counter-clockwise on the screen. */
  readonly degrees?: number;
  /** Shift to the right, as a share of the width. */
  readonly x?: number;
  /** Shift down, as a share of the height. */
  readonly y?: number;
  /** Above 1 enlarges. */
  readonly factor?: number;
  /** Degrees: rows are moved against each other, the upper ones to the right. */
  readonly shearX?: number;
  /** Degrees: columns are moved against each other, the left ones down. */
  readonly shearY?: number;
};

/**
 * Moves the picture (torchvision `affine`, whose angle runs the other way): shift · turn · shear · scale about the center,
 * bilinear between pixel centers, 0 beyond the image, which is the background of a film.
 *
 * `toSource` is composed, so that masks, boxes, circles, outlines and points of the film follow by `moveRegionBack`.
 *
 * @example What was on the right is above after a quarter turn
 * ```ts
 * import { imageOf, moveRegionBack } from "mammolab/image";
 * import { affine } from "mammolab/prepare";
 * import { assertAlmostEquals } from "@std/assert";
 * const film = imageOf(new Float32Array(100), { height: 10, width: 10 });
 * const turned = affine(film, { degrees: 90 });
 * const lesion = moveRegionBack({ kind: "circle", x: 9, y: 5, radius: 1 }, turned.toSource);
 * if (lesion.kind === "circle") assertAlmostEquals(lesion.y, 1, 1e-9);
 * ```
 */
export function affine(image: Image, parameters: AffineParameters, into?: Float32Array): Image {
  return warp(image, invert(affineOf(image, parameters)), into ? { into } : {});
}

/** Where the points of the image go. */
function affineOf(
  { height, width }: Pick<Image, "height" | "width">,
  { degrees = 0, x = 0, y = 0, factor = 1, shearX = 0, shearY = 0 }: AffineParameters,
): Affine {
  const radians = (angle: number) => (angle * Math.PI) / 180;
  const [turn, tanX, tanY] = [radians(-degrees), Math.tan(radians(shearX)), Math.tan(radians(shearY))];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  // torchvision _get_inverse_affine_matrix: rotation · shear along y · shear along x, with these signs.
  const shears = compose([1, 0, 0, -tanY, 1, 0], [1, -tanX, 0, 0, 1, 0]);
  const linear = compose([factor * cos, -factor * sin, 0, factor * sin, factor * cos, 0], shears);
  const [cx, cy] = [width / 2, height / 2];
  return compose([1, 0, cx + x * width, 0, 1, cy + y * height], compose(linear, [1, 0, -cx, 0, 1, -cy]));
}

/** The largest turn either way, in degrees, in (0, 180]. */
export type RotationOptions = { readonly degrees: number };
/** Drawn by {@linkcode sampleRotation}: counter-clockwise on the screen. */
export type RotationParameters = { readonly degrees: number };

/** Draws an angle from [−degrees, degrees). @throws MammolabError when it is not in (0, 180] */
export function sampleRotation({ degrees }: RotationOptions, random: Random): RotationParameters {
  if (!(degrees > 0 && degrees <= 180)) {
    throw new MammolabError(`Cannot draw a rotation of up to ${degrees}°: give an angle above 0°, at most 180°`);
  }
  return { degrees: random.between(-degrees, degrees) };
}

/** Turns the picture about its center, counter-clockwise for positive angles (torchvision `rotate`). */
export const rotation: (image: Image, parameters: RotationParameters, into?: Float32Array) => Image = affine;

/** The largest shift either way, as shares of the width and of the height, in [0, 1). */
export type TranslationOptions = { readonly x?: number; readonly y?: number };
/** Drawn by {@linkcode sampleTranslation}: to the right and down, as shares of the width and of the height. */
export type TranslationParameters = { readonly x: number; readonly y: number };

/** Draws a shift. @throws MammolabError when both shares are 0 or one is outside [0, 1) */
export function sampleTranslation({ x = 0, y = 0 }: TranslationOptions, random: Random): TranslationParameters {
  if (![x, y].every((share) => share >= 0 && share < 1) || x + y === 0) {
    throw new MammolabError(
      `Cannot draw a translation of up to ${x} and ${y}: give shares of width and height in [0, 1), not both 0`,
    );
  }
  return { x: x * random.between(-1, 1), y: y * random.between(-1, 1) };
}

/** Shifts the picture (torchvision `affine`, which takes pixels). */
export const translation: (image: Image, parameters: TranslationParameters, into?: Float32Array) => Image = affine;

/** Range of the factor of {@linkcode scale}; above 1 enlarges. */
export type ScaleOptions = { readonly low: number; readonly high: number };
/** Drawn by {@linkcode sampleScale}. */
export type ScaleParameters = { readonly factor: number };

/** Draws a factor, log-uniform. @throws MammolabError when the range is empty, not above 0, or holds 1 alone */
export function sampleScale({ low, high }: ScaleOptions, random: Random): ScaleParameters {
  if (!(low > 0 && high >= low && Number.isFinite(high)) || (low === 1 && high === 1)) {
    throw new MammolabError(`Cannot draw a scale from ${low} to ${high}: give two factors above 0, not both 1`);
  }
  return { factor: random.logBetween(low, high) };
}

/** Enlarges or shrinks the picture about its center; the size of the image stays (torchvision `affine`). */
export const scale: (image: Image, parameters: ScaleParameters, into?: Float32Array) => Image = affine;

/** The largest shears either way, in degrees, in [0, 90). */
export type ShearOptions = { readonly x?: number; readonly y?: number };
/** Drawn by {@linkcode sampleShear}, in degrees. */
export type ShearParameters = { readonly shearX: number; readonly shearY: number };

/** Draws two angles. @throws MammolabError when both are 0 or one is outside [0, 90) */
export function sampleShear({ x = 0, y = 0 }: ShearOptions, random: Random): ShearParameters {
  if (![x, y].every((angle) => angle >= 0 && angle < 90) || x + y === 0) {
    throw new MammolabError(`Cannot draw a shear of up to ${x}° and ${y}°: give angles in [0°, 90°), not both 0°`);
  }
  return { shearX: x * random.between(-1, 1), shearY: y * random.between(-1, 1) };
}

/** Moves rows and columns against each other (torchvision `affine`). */
export const shear: (image: Image, parameters: ShearParameters, into?: Float32Array) => Image = affine;

/** Ranges of all that {@linkcode affine} does; what is left out is not done. */
export type AffineOptions = {
  readonly rotation?: RotationOptions;
  readonly translation?: TranslationOptions;
  readonly scale?: ScaleOptions;
  readonly shear?: ShearOptions;
};

/**
 * Draws several movements, to be done in one resampling: sharper than one after the other, and the corners that a first one
 * moves out of the image are not lost to the next.
 *
 * @throws MammolabError when nothing would be done, and for the settings of each
 */
export function sampleAffine({ rotation, translation, scale, shear }: AffineOptions, random: Random): AffineParameters {
  if (!rotation && !translation && !scale && !shear) {
    throw new MammolabError(
      "Cannot draw an affine map: nothing is asked for; give a rotation, translation, scale or shear",
    );
  }
  return {
    ...(rotation ? sampleRotation(rotation, random) : {}),
    ...(translation ? sampleTranslation(translation, random) : {}),
    ...(scale ? sampleScale(scale, random) : {}),
    ...(shear ? sampleShear(shear, random) : {}),
  };
}
