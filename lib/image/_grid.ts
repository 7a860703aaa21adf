// Small pictures of one value a pixel, as the breast outline and the pectoral muscle use them: masks are 0 or 1.

/** `[height, width]` values, row by row. */
export type Grid<Data extends Float32Array | Uint8Array = Float32Array> = {
  readonly data: Data;
  readonly height: number;
  readonly width: number;
};

/** The mask of the pixels that pass a test of their place in the data. */
export function maskWhere(
  { height, width }: { height: number; width: number },
  test: (at: number) => boolean,
): Grid<Uint8Array> {
  const data = new Uint8Array(height * width);
  for (let at = 0; at < data.length; at++) data[at] = test(at) ? 1 : 0;
  return { data, height, width };
}

/** Pixels of one connected part, four neighbors. */
export type Component = { readonly label: number; readonly size: number };

/** Numbers the connected parts of a mask (four neighbors) from 1, in reading order; 0 is outside. */
export function labelComponents(mask: Grid<Uint8Array>): { labels: Int32Array; components: readonly Component[] } {
  const { data, height, width } = mask;
  const labels = new Int32Array(data.length);
  const stack = new Int32Array(data.length);
  const components: Component[] = [];
  for (let seed = 0; seed < data.length; seed++) {
    if (!data[seed] || labels[seed]) continue;
    const label = components.length + 1;
    let [top, size] = [0, 0];
    const push = (at: number) => {
      if (!data[at] || labels[at]) return;
      labels[at] = label;
      stack[top++] = at;
    };
    push(seed);
    while (top > 0) {
      const at = stack[--top]!;
      size++;
      const column = at % width;
      if (column > 0) push(at - 1);
      if (column < width - 1) push(at + 1);
      if (at >= width) push(at - width);
      if (at < width * (height - 1)) push(at + width);
    }
    components.push({ label, size });
  }
  return { labels, components };
}

/** The mask with all that it encloses: what cannot be reached from outside the picture becomes inside. */
export function fillHoles({ data, height, width }: Grid<Uint8Array>): Grid<Uint8Array> {
  const [h, w] = [height + 2, width + 2]; // a rim of outside round the picture
  const outside = new Uint8Array(h * w).fill(1);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) outside[(i + 1) * w + j + 1] = data[i * width + j] ? 0 : 1;
  }
  const { labels } = labelComponents({ data: outside, height: h, width: w });
  const filled = new Uint8Array(data.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) filled[i * width + j] = labels[(i + 1) * w + j + 1] === labels[0] ? 0 : 1;
  }
  return { data: filled, height, width };
}

/** Mean over (2 r + 1)² pixels, the edge repeated; `times` boxes in a row come near a Gaussian of variance times · r (r + 1) / 3. */
export function blur({ data, height, width }: Grid<Float32Array | Uint8Array>, radius: number, times = 3): Grid {
  const current = Float32Array.from(data);
  const next = new Float32Array(data.length);
  if (radius < 1) return { data: current, height, width };
  const pass = (from: Float32Array, to: Float32Array, lines: number, length: number, line: number, step: number) => {
    for (let l = 0; l < lines; l++) {
      const at = (k: number) => from[l * line + Math.min(Math.max(k, 0), length - 1) * step]!;
      let sum = 0;
      for (let k = -radius; k <= radius; k++) sum += at(k);
      for (let k = 0; k < length; k++) {
        to[l * line + k * step] = sum / (2 * radius + 1);
        sum += at(k + radius + 1) - at(k - radius);
      }
    }
  };
  for (let time = 0; time < times; time++) {
    pass(current, next, height, width, width, 1);
    pass(next, current, width, height, 1, width);
  }
  return { data: current, height, width };
}

/** The pixels from which a disc of this radius does not leave the mask; beyond the picture counts as inside. */
export function erode(mask: Grid<Uint8Array>, radius: number): Grid<Uint8Array> {
  const distance = distanceTo(mask, 0).data;
  return maskWhere(mask, (at) => distance[at]! > radius);
}

/** The pixels that a disc of this radius about some pixel of the mask covers. */
export function dilate(mask: Grid<Uint8Array>, radius: number): Grid<Uint8Array> {
  const distance = distanceTo(mask, 1).data;
  return maskWhere(mask, (at) => distance[at]! <= radius);
}

/**
 * Exact distance of each pixel to the nearest one of that value (Meijster, Roerdink & Hesselink 2000: columns by two scans,
 * rows by the lower envelope of parabolas); infinite where there is none.
 */
export function distanceTo({ data, height, width }: Grid<Uint8Array>, value: 0 | 1): Grid {
  const far = height + width; // longer than any distance
  const columns = new Int32Array(data.length);
  for (let j = 0; j < width; j++) {
    let d = far;
    for (let i = 0; i < height; i++) columns[i * width + j] = d = data[i * width + j] === value ? 0 : d + 1;
    d = far;
    for (let i = height - 1; i >= 0; i--) {
      d = data[i * width + j] === value ? 0 : d + 1;
      if (d < columns[i * width + j]!) columns[i * width + j] = d;
    }
  }
  const out = new Float32Array(data.length).fill(Infinity);
  // Parabola k has its foot at foot[k] with height tall[k] and is the lowest from start[k] on.
  const [foot, tall, start] = [new Int32Array(width), new Float64Array(width), new Float64Array(width + 1)];
  for (let i = 0; i < height; i++) {
    let count = 0;
    for (let j = 0; j < width; j++) {
      const d = columns[i * width + j]!;
      if (d >= far) continue;
      const square = d * d + j * j;
      let from = -Infinity;
      while (count > 0) {
        from = (square - tall[count - 1]!) / (2 * (j - foot[count - 1]!));
        if (from > start[count - 1]!) break;
        count--;
      }
      foot[count] = j;
      tall[count] = square;
      start[count] = count === 0 ? -Infinity : from;
      count++;
    }
    if (count === 0) continue;
    start[count] = Infinity;
    let k = 0;
    for (let j = 0; j < width; j++) {
      while (start[k + 1]! < j) k++;
      const d = columns[i * width + foot[k]!]!;
      out[i * width + j] = Math.sqrt((j - foot[k]!) ** 2 + d * d);
    }
  }
  return { data: out, height, width };
}
