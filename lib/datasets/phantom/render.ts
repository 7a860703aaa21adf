import type { Laterality } from "../../io/mod.ts";
import { drawsOf, keyOf } from "./draws.ts";
import { develop } from "./film.ts";
import { frameOf, type PhantomViewName } from "./frame.ts";
import { addLesion, discAndRing, lesionShadow } from "./lesions.ts";
import type { BreastPlan, ExamPlan, LesionPlan } from "./plan.ts";
import { drawAnatomy, tissueOf } from "./tissue.ts";

/** A lesion as it came out in one view. */
export type LesionView = {
  readonly plan: LesionPlan;
  /** `[height, width]`, 1 inside the lesion. */
  readonly mask: Uint8Array;
  /** Centre in pixels. */
  readonly x: number;
  /** Centre in pixels. */
  readonly y: number;
  /** Pixels. */
  readonly radius: number;
  /** (mean of the disc of 0.6 R - mean of the ring of 1.1 to 1.6 R) / deviation of the ring, on the display values. */
  readonly ringCnr: number;
};

/** One film of a phantom. */
export type PhantomView = {
  readonly laterality: Laterality;
  readonly view: PhantomViewName;
  readonly width: number;
  readonly height: number;
  /** Millimetres a pixel. */
  readonly mm: number;
  /** `[height, width]`, 0..4095, white is dense; the chest wall is on the left of left breasts, on the right of right ones. */
  readonly pixels: Uint16Array;
  /** `[height, width]`, 1 inside the breast. */
  readonly breast: Uint8Array;
  /** Where the nipple is, in pixels. */
  readonly nipple: { readonly x: number; readonly y: number };
  readonly lesions: readonly LesionView[];
};

/** Both views of one breast. */
export function renderBreast(plan: ExamPlan, breast: BreastPlan, mm: number): readonly PhantomView[] {
  const { seed, shape } = plan;
  const { laterality, lesions } = breast;
  const anatomy = drawAnatomy(plan, laterality);
  const views = (["CC", "MLO"] as const).map((view) => {
    const frame = frameOf(shape, view, mm, drawsOf(seed, "frame", laterality, view));
    return {
      frame,
      tissue: tissueOf(plan, laterality, frame, anatomy),
      shadows: lesions.map((lesion) => lesionShadow(seed, laterality, lesion, frame)),
    };
  });
  lesions.forEach((lesion, k) => addLesion(lesion, k, views));

  return views.map(({ frame, tissue, shadows }) => {
    const { view, width, height, nippleX, nippleY, inside } = frame;
    const pixels = develop(plan, frame, tissue, keyOf(seed, "noise", laterality, view));
    const film: PhantomView = {
      laterality,
      view,
      width,
      height,
      mm,
      pixels,
      breast: inside,
      nipple: { x: nippleX / mm, y: nippleY / mm },
      lesions: shadows.map(({ mask, x, y }, k) => {
        const [center, radius] = [{ x: x / mm, y: y / mm }, lesions[k]!.radius / mm];
        const { disc, ring, deviation } = discAndRing(pixels, frame, { ...center, radius });
        for (let i = 0; i < mask.length; i++) mask[i]! &= inside[i]!;
        return { plan: lesions[k]!, mask, ...center, radius, ringCnr: (disc - ring) / (deviation || 1) };
      }),
    };
    return laterality === "L" ? film : mirrored(film);
  });
}

/** A right breast is drawn as a left one and mirrored. */
function mirrored(film: PhantomView): PhantomView {
  const { width, pixels, breast, lesions, nipple } = film;
  return {
    ...film,
    pixels: mirrorRows(pixels, width),
    breast: mirrorRows(breast, width),
    nipple: { ...nipple, x: width - nipple.x },
    lesions: lesions.map((lesion) => ({ ...lesion, mask: mirrorRows(lesion.mask, width), x: width - lesion.x })),
  };
}

function mirrorRows<T extends Uint8Array | Uint16Array>(data: T, width: number): T {
  const out = data.slice() as T;
  for (let at = 0; at < out.length; at += width) out.subarray(at, at + width).reverse();
  return out;
}
