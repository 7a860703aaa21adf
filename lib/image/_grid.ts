// Small pictures of one value a pixel, as the breast outline and the pectoral muscle use them: masks are 0 or 1.

/** `[height, width]` values, row by row. */
export type Grid<Data extends Float32Array | Uint8Array = Float32Array> = {
  readonly data: Data;
  readonly height: number;
  readonly width: number;
};

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
  return threshold(distanceTo(mask, 0), (d) => d > radius);
}

/** The pixels that a disc of this radius about some pixel of the mask covers. */
export function dilate(mask: Grid<Uint8Array>, radius: number): Grid<Uint8Array> {
  return threshold(distanceTo(mask, 1), (d) => d <= radius);
}

function threshold({ data, height, width }: Grid, keep: (value: number) => boolean): Grid<Uint8Array> {
  return { data: Uint8Array.from(data, (value) => keep(value) ? 1 : 0), height, width };
}

/** Exact distance of each pixel to the nearest one of that value (Felzenszwalb & Huttenlocher 2012), infinite where there is none. */
export function distanceTo({ data, height, width }: Grid<Uint8Array>, value: 0 | 1): Grid {
  const far = 1e12;
  const squared = Float64Array.from(data, (x) => (x ? 1 : 0) === value ? 0 : far);
  const longest = Math.max(height, width);
  const [f, place, edge] = [new Float64Array(longest), new Int32Array(longest), new Float64Array(longest + 1)];
  const pass = (start: number, length: number, step: number) => {
    for (let q = 0; q < length; q++) f[q] = squared[start + q * step]!;
    let k = 0;
    place[0] = 0;
    edge[0] = -Infinity;
    edge[1] = Infinity;
    for (let q = 1; q < length; q++) {
      const meet = (p: number) => (f[q]! + q * q - f[p]! - p * p) / (2 * (q - p));
      while (k > 0 && meet(place[k]!) <= edge[k]!) k--;
      const s = meet(place[k]!);
      place[++k] = q;
      edge[k] = s;
      edge[k + 1] = Infinity;
    }
    k = 0;
    for (let q = 0; q < length; q++) {
      while (edge[k + 1]! < q) k++;
      squared[start + q * step] = (q - place[k]!) ** 2 + f[place[k]!]!;
    }
  };
  for (let j = 0; j < width; j++) pass(j, height, width);
  for (let i = 0; i < height; i++) pass(i * width, width, 1);
  return {
    data: Float32Array.from(squared, (d) => d >= far / 2 ? Infinity : Math.sqrt(d)),
    height,
    width,
  };
}
