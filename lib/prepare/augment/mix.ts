import { MammolabError, type Random } from "../../base/mod.ts";
import type { Image } from "../../image/mod.ts";

/** An image with its label as shares of the classes, which sum to 1. */
export type LabeledImage = { readonly image: Image; readonly target: readonly number[] };

/** How even the mixture is: Beta(alpha, alpha); 0.2 is nearly one image, 1 is uniform. */
export type MixOptions = { readonly alpha: number };
/** Drawn by {@linkcode sampleMixup}: the share of the first image. */
export type MixupParameters = { readonly share: number };

/** Draws the share of the first image. @throws MammolabError when alpha is not above 0 */
export function sampleMixup({ alpha }: MixOptions, random: Random): MixupParameters {
  return { share: beta(alpha, random) };
}

/**
 * `λ a + (1 − λ) b` of images and labels (Zhang et al. 2018, mixup). The place on the film is that of the first image.
 *
 * @throws MammolabError when sizes or numbers of classes differ
 */
export function mixup(a: LabeledImage, b: LabeledImage, { share }: MixupParameters): LabeledImage {
  sameShape(a, b);
  const data = a.image.data.map((value, i) => share * value + (1 - share) * b.image.data[i]!);
  return { image: { ...a.image, data }, target: mixed(a, b, share) };
}

/** Drawn by {@linkcode sampleCutmix}: a box as shares of the image that comes from the second one. */
export type CutmixParameters = {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly width: number;
};

/** Draws a box whose area is Beta(alpha, alpha) of the image. @throws MammolabError when alpha is not above 0 */
export function sampleCutmix({ alpha }: MixOptions, random: Random): CutmixParameters {
  const side = Math.sqrt(1 - beta(alpha, random));
  return { x: random.uniform(), y: random.uniform(), height: side, width: side };
}

/** Puts a box of the second image into the first; labels by the area that was really replaced (Yun et al. 2019, CutMix). */
export function cutmix(a: LabeledImage, b: LabeledImage, box: CutmixParameters): LabeledImage {
  sameShape(a, b);
  const { height, width, channels } = a.image;
  const clip = (value: number, size: number) => Math.min(size, Math.max(0, Math.round(value * size)));
  const [left, right] = [clip(box.x - box.width / 2, width), clip(box.x + box.width / 2, width)];
  const [top, bottom] = [clip(box.y - box.height / 2, height), clip(box.y + box.height / 2, height)];
  const data = a.image.data.slice();
  for (let row = top; row < bottom; row++) {
    const [from, to] = [(row * width + left) * channels, (row * width + right) * channels];
    data.set(b.image.data.subarray(from, to), from);
  }
  const share = 1 - (right - left) * (bottom - top) / (height * width);
  return { image: { ...a.image, data }, target: mixed(a, b, share) };
}

function mixed({ target: a }: LabeledImage, { target: b }: LabeledImage, share: number): readonly number[] {
  return a.map((value, c) => share * value + (1 - share) * b[c]!);
}

function sameShape({ image: a, target: s }: LabeledImage, { image: b, target: t }: LabeledImage): void {
  if (a.height !== b.height || a.width !== b.width || a.channels !== b.channels || s.length !== t.length) {
    throw new MammolabError(
      `Cannot mix images of ${a.height} × ${a.width} × ${a.channels} and ${b.height} × ${b.width} × ${b.channels} with ${s.length} and ${t.length} classes: they must agree; resize first`,
    );
  }
}

/** Beta(alpha, alpha) as the share of two gamma draws. */
function beta(alpha: number, random: Random): number {
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new MammolabError(`Cannot draw a mixture with alpha ${alpha}: it would mix nothing; give a number above 0`);
  }
  const [a, b] = [gammaDraw(alpha, random), gammaDraw(alpha, random)];
  return a + b === 0 ? (random.uniform() < 0.5 ? 0 : 1) : a / (a + b);
}

/** A draw of Gamma(shape, 1) (Marsaglia & Tsang 2000; below 1 by their boost). */
function gammaDraw(shape: number, random: Random): number {
  if (shape < 1) return gammaDraw(shape + 1, random) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
