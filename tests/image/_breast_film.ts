import { seededRandom } from "mammolab/base";
import { type Image, imageOf, type Point } from "mammolab/image";

/** A hand-made film and what is true about it. */
export type BreastFilm = { readonly image: Image; readonly inside: (point: Point) => boolean };

/** Half an ellipse on the left edge: thick in the middle, thin at the skin, textured; noise everywhere. */
export function breastFilm(height: number, width: number, seed = 1): BreastFilm {
  const { uniform } = seededRandom(seed, "breast film");
  const [middle, reach, half] = [height * 0.52, width * 0.62, height * 0.4];
  const radius = ([x, y]: Point) => Math.hypot(x / reach, (y - middle) / half);
  const data = new Float32Array(height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const [x, y] = [j + 0.5, i + 0.5];
      const thick = Math.max(0, 1 - radius([x, y]) ** 2) ** 0.4;
      const strands = 0.12 * Math.sin(x / 9 + Math.sin(y / 17)) * Math.sin(y / 11 + x / 23);
      data[i * width + j] = 0.04 + thick * (0.5 + strands) + 0.01 * (uniform() - 0.5);
    }
  }
  return { image: imageOf(data, { height, width }), inside: (point) => radius(point) < 1 };
}

/** Paints over the image: later pixels win. */
export function painted(image: Image, value: (x: number, y: number, before: number) => number): Image {
  const { width } = image;
  return { ...image, data: image.data.map((before, at) => value(at % width, Math.floor(at / width), before)) };
}

/** Overlap of a mask `[height, width]` with the truth, over their union. */
export function overlapOf(mask: Uint8Array, width: number, inside: (point: Point) => boolean): number {
  let [both, either] = [0, 0];
  mask.forEach((value, at) => {
    const truth = inside([at % width + 0.5, Math.floor(at / width) + 0.5]);
    if (truth && value) both++;
    if (truth || value) either++;
  });
  return both / either;
}
