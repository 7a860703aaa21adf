import type { Laterality } from "../../io/mod.ts";
import { keyOf } from "./draws.ts";
import { band, type Field, powerLaw, sample, twoFields } from "./fields.ts";
import { forEachInside, type Frame } from "./frame.ts";

/** The random fields of one view. The two views of a breast share lobes, lobules, strands and lesions, not these. */
export type Texture = {
  /** 1/f^2.9: the cloud. */
  readonly cloud: Field;
  /** 1/f^1.6 below 6 mm: grain. */
  readonly grain: Field;
  /** 1/f^3.4 without anything shorter than some 8 mm: where gland turns to fat. Finer waves would crumble its edge. */
  readonly border: Field;
  /** Blobs of 30 mm. */
  readonly slow: Field;
  /** Where each pixel looks into fields and lobules, in millimetres: its own place, a little bent. */
  readonly places: { readonly x: Float32Array; readonly y: Float32Array };
};

/** Draws the fields of a view. */
export function drawTexture(seed: number, laterality: Laterality, frame: Frame): Texture {
  const key = (part: string) => keyOf(seed, part, laterality, frame.view);
  const [cloud, grain] = twoFields(key("cloud"), 512, powerLaw(2.9), powerLaw(1.6, { longest: 6 }));
  const [border, slow] = twoFields(key("border"), 256, powerLaw(3.4, { shortest: 7 }), band(30, 0.45));
  return { cloud, grain, border, slow, places: bentPlaces(frame, slow, cloud) };
}

/** By no more than this: a field bent with a gradient above some 0.3 looks like fur, one bent by itself like brain coral. */
function bentPlaces(frame: Frame, slow: Field, cloud: Field): Texture["places"] {
  const x = new Float32Array(frame.width * frame.height);
  const y = new Float32Array(frame.width * frame.height);
  forEachInside(frame, (at, u, v) => {
    x[at] = u + 1.5 * sample(slow, 0.6 * u + 90, 0.6 * v + 40) + 0.4 * sample(cloud, u + 30, v);
    y[at] = v + 1.5 * sample(slow, 0.6 * u + 20, 0.6 * v + 150) + 0.4 * sample(cloud, u, v + 30);
  });
  return { x, y };
}
