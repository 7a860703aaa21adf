import type { Image } from "mammolab/image";
import type { Taps } from "../../lib/image/_taps.ts";

/** The slow twin of `resample`: the double sum of its definition, in Float64. */
export function slowResample({ data, width, channels }: Image, rows: Taps, columns: Taps): Float32Array {
  const [height, outWidth] = [rows.first.length, columns.first.length];
  const out = new Float32Array(height * outWidth * channels);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < outWidth; j++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let down = 0; down < rows.count[i]!; down++) {
          for (let right = 0; right < columns.count[j]!; right++) {
            const at = ((rows.first[i]! + down) * width + columns.first[j]! + right) * channels + channel;
            sum += rows.weights[i * rows.stride + down]! * columns.weights[j * columns.stride + right]! * data[at]!;
          }
        }
        out[(i * outWidth + j) * channels + channel] = sum;
      }
    }
  }
  return out;
}
