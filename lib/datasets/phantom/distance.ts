/**
 * Exact Euclidean distance from each inside pixel to the nearest outside pixel, in pixels: the lower envelope of parabolas
 * along columns, then rows (Felzenszwalb & Huttenlocher 2012, Theory of Computing 8:415). The frame's own edges are not outside.
 *
 * @param inside `[height, width]`, 0 or 1
 */
export function distanceToOutside(inside: Uint8Array, width: number, height: number): Float32Array {
  const far = 1e12;
  const longest = Math.max(width, height);
  const squared = new Float64Array(width * height);
  for (let i = 0; i < squared.length; i++) squared[i] = inside[i] ? far : 0;
  const value = new Float64Array(longest);
  const vertex = new Int32Array(longest);
  const border = new Float64Array(longest + 1);
  const pass = (at: number, step: number, count: number) => {
    for (let q = 0; q < count; q++) value[q] = squared[at + q * step]!;
    let k = 0;
    vertex[0] = 0;
    border[0] = -far;
    border[1] = far;
    for (let q = 1; q < count; q++) {
      for (;;) {
        const v = vertex[k]!;
        const s = (value[q]! + q * q - value[v]! - v * v) / (2 * (q - v));
        if (s <= border[k]! && k > 0) k--;
        else {
          k++;
          vertex[k] = q;
          border[k] = s;
          border[k + 1] = far;
          break;
        }
      }
    }
    k = 0;
    for (let q = 0; q < count; q++) {
      while (border[k + 1]! < q) k++;
      const v = vertex[k]!;
      squared[at + q * step] = (q - v) * (q - v) + value[v]!;
    }
  };
  for (let x = 0; x < width; x++) pass(x, width, height);
  for (let y = 0; y < height; y++) pass(y * width, 1, width);
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(squared[i]!);
  return out;
}
