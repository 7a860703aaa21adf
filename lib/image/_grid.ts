// Small pictures of one value a pixel, as the breast outline and the pectoral muscle use them: masks are 0 or 1.

/** `[height, width]` values, row by row. */
export type Grid<Data extends Float32Array | Uint8Array = Float32Array> = {
  readonly data: Data;
  readonly height: number;
  readonly width: number;
};

/** Pixels of one connected part, four neighbors. */
export type Component = { readonly label: number; readonly size: number };

/**
 * Numbers the connected parts of a mask (four neighbors) from 1, in reading order; 0 is outside. A pixel takes the number of its
 * upper or left neighbor, and numbers that meet are noted as one part (union-find): two passes, with no call for a pixel.
 */
export function labelComponents(
  { data, height, width }: Grid<Uint8Array>,
): { labels: Int32Array; components: readonly Component[] } {
  const labels = new Int32Array(data.length);
  const parent = new Int32Array((data.length >> 1) + 2); // of each number one of the same part, the smallest last
  const firstOf = (label: number) => {
    while (parent[label] !== label) label = parent[label] = parent[parent[label]!]!;
    return label;
  };
  let count = 0;
  for (let i = 0; i < height; i++) {
    let left = 0;
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      if (!data[at]) {
        left = 0;
        continue;
      }
      const above = i > 0 ? labels[at - width]! : 0;
      if (above && left && above !== left) {
        const [a, b] = [firstOf(above), firstOf(left)];
        if (a < b) parent[b] = a;
        else parent[a] = b;
      }
      left ||= above;
      if (!left) parent[left = ++count] = count;
      labels[at] = left;
    }
  }
  const numbers = new Int32Array(count + 1);
  const sizes = [0];
  for (let label = 1; label <= count; label++) {
    const first = firstOf(label);
    numbers[label] = first === label ? sizes.push(0) - 1 : numbers[first]!;
  }
  for (let at = 0; at < labels.length; at++) {
    const label = numbers[labels[at]!]!;
    labels[at] = label;
    sizes[label]!++;
  }
  return { labels, components: sizes.slice(1).map((size, k) => ({ label: k + 1, size })) };
}

/** The mask with all that it encloses: what cannot be reached from outside the picture becomes inside. */
export function fillHoles({ data, height, width }: Grid<Uint8Array>): Grid<Uint8Array> {
  const [h, w] = [height + 2, width + 2]; // a rim of outside round the picture
  const outside = new Uint8Array(h * w).fill(1);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) outside[(i + 1) * w + j + 1] = data[i * width + j] ? 0 : 1;
  }
  const { labels } = labelComponents({ data: outside, height: h, width: w }); // the rim has number 1
  const filled = new Uint8Array(data.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) filled[i * width + j] = labels[(i + 1) * w + j + 1] === 1 ? 0 : 1;
  }
  return { data: filled, height, width };
}

/** Mean over (2 r + 1)² pixels, the edge repeated; `times` boxes in a row come near a Gaussian of variance times · r (r + 1) / 3. */
export function blur({ data, height, width }: Grid<Float32Array | Uint8Array>, radius: number, times = 3): Grid {
  const current = new Float32Array(data);
  if (radius < 1) return { data: current, height, width };
  const next = new Float32Array(data.length);
  for (let time = 0; time < times; time++) {
    blurRows(current, next, { height, width }, radius);
    blurColumns(next, current, { height, width }, radius);
  }
  return { data: current, height, width };
}

type Size = { readonly height: number; readonly width: number };

/** Running sums along each row. */
function blurRows(from: Float32Array, to: Float32Array, { height, width }: Size, radius: number): void {
  const [count, last] = [2 * radius + 1, width - 1];
  for (let start = 0; start < height * width; start += width) {
    let sum = 0;
    for (let k = -radius; k <= radius; k++) sum += from[start + Math.min(Math.max(k, 0), last)]!;
    for (let k = 0; k < width; k++) {
      to[start + k] = sum / count;
      const [ahead, behind] = [k + radius + 1, k - radius];
      sum += from[start + (ahead < last ? ahead : last)]! - from[start + (behind > 0 ? behind : 0)]!;
    }
  }
}

/** Running sums down all columns at once, row by row. */
function blurColumns(from: Float32Array, to: Float32Array, { height, width }: Size, radius: number): void {
  const [count, last] = [2 * radius + 1, height - 1];
  const sums = new Float64Array(width);
  for (let k = -radius; k <= radius; k++) {
    const at = Math.min(Math.max(k, 0), last) * width;
    for (let j = 0; j < width; j++) sums[j]! += from[at + j]!;
  }
  for (let k = 0; k < height; k++) {
    const [ahead, behind] = [Math.min(k + radius + 1, last) * width, Math.max(k - radius, 0) * width];
    for (let j = 0; j < width; j++) {
      const sum = sums[j]!;
      to[k * width + j] = sum / count;
      sums[j] = sum + (from[ahead + j]! - from[behind + j]!);
    }
  }
}

/** The pixels from which a disc of this radius, a whole number, does not leave the mask; beyond the picture counts as inside. */
export function erode(mask: Grid<Uint8Array>, radius: number): Grid<Uint8Array> {
  const { data, height, width } = mask;
  const eroded = near(mask, 0, radius);
  for (let at = 0; at < data.length; at++) eroded[at]! ^= 1;
  return { data: eroded, height, width };
}

/** The pixels that a disc of this radius, a whole number, about some pixel of the mask covers. */
export function dilate(mask: Grid<Uint8Array>, radius: number): Grid<Uint8Array> {
  return { data: near(mask, 1, radius), height: mask.height, width: mask.width };
}

/**
 * 1 where a pixel of that value is not farther than the radius. In a row d above or below it a run of such pixels covers
 * √(radius² − d²) pixels more on both sides: where covers begin and end is counted, and the counts are summed along each row.
 */
function near({ data, height, width }: Grid<Uint8Array>, value: 0 | 1, radius: number): Uint8Array {
  const reach = Int32Array.from({ length: radius + 1 }, (_, d) => Math.sqrt(radius ** 2 - d ** 2));
  const changes = new Int32Array(height * (width + 1));
  for (let i = 0; i < height; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    const [top, bottom] = [Math.max(0, i - radius), Math.min(height - 1, i + radius)];
    for (let from = row.indexOf(value); from >= 0;) {
      const next = row.indexOf(1 - value, from);
      const to = next < 0 ? width : next;
      for (let k = top; k <= bottom; k++) {
        const more = reach[Math.abs(k - i)]!;
        changes[k * (width + 1) + Math.max(0, from - more)]!++;
        changes[k * (width + 1) + Math.min(width, to + more)]!--;
      }
      from = next < 0 ? -1 : row.indexOf(value, next);
    }
  }
  const out = new Uint8Array(data.length);
  for (let i = 0; i < height; i++) {
    let covers = 0;
    for (let j = 0; j < width; j++) {
      covers += changes[i * (width + 1) + j]!;
      if (covers > 0) out[i * width + j] = 1;
    }
  }
  return out;
}
