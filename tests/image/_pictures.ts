import { assert } from "@std/assert";
import { type Image, imageOf } from "mammolab/image";

/** The picture of tests/fixtures/resize/make.py. */
export function formulaPicture(height: number, width: number, channels = 1): Image {
  const data = new Float32Array(height * width * channels);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (let c = 0; c < channels; c++) {
        data[(i * width + j) * channels + c] = ((i * 7919 + j * 10473 + i * j * 31 + c * 2711) % 4096) / 4095;
      }
    }
  }
  return imageOf(data, { height, width, channels });
}

/** An image made by a function of its pixel centers. */
export function paint(height: number, width: number, value: (x: number, y: number) => number): Image {
  const at = (k: number) => value(k % width + 0.5, Math.floor(k / width) + 0.5);
  return imageOf(Float32Array.from({ length: height * width }, (_, k) => at(k)), { height, width });
}

/** Little-endian float32 numbers from base64. */
export function floatsOf(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
}

/** The largest absolute difference. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert(actual.length === expected.length, `${actual.length} values against ${expected.length}`);
  let largest = 0;
  for (let k = 0; k < actual.length; k++) {
    const difference = Math.abs(actual[k]! - expected[k]!);
    if (!(difference <= largest)) largest = difference; // NaN comes through
  }
  return largest;
}

/** Fails when some value is further away than allowed. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, absolute: number): void {
  const difference = largestDifference(actual, expected);
  assert(difference <= absolute, `the largest difference is ${difference}, ${absolute} is allowed`);
}
