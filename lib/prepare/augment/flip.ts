import { checkWord, type Random } from "../../base/mod.ts";
import { composeSource, type Image, mirror } from "../../image/mod.ts";

/**
 * What is swapped: left and right (`horizontal`) or top and bottom (`vertical`). Nothing is drawn: give the step a
 * probability.
 */
export type FlipOptions = { readonly direction: "horizontal" | "vertical" };
/** The same, as a parameter. */
export type FlipParameters = FlipOptions;

const directions: readonly FlipOptions["direction"][] = ["horizontal", "vertical"];

/** Takes the direction. @throws MammolabError when it is none */
export function sampleFlip({ direction }: FlipOptions, _random: Random): FlipParameters {
  checkWord("Cannot draw a flip: the direction", direction, directions);
  return { direction };
}

/** Swaps left and right, or top and bottom; `toSource` is composed. */
export function flip(image: Image, { direction }: FlipParameters): Image {
  checkWord("Cannot flip: the direction", direction, directions);
  if (direction === "horizontal") return mirror(image);
  const { height, width, channels } = image;
  const line = width * channels;
  const data = new Float32Array(image.data.length);
  for (let row = 0; row < height; row++) {
    data.set(image.data.subarray(row * line, (row + 1) * line), (height - 1 - row) * line);
  }
  return { ...image, data, toSource: composeSource(image.toSource, [1, 0, 0, 0, -1, height], image) };
}
