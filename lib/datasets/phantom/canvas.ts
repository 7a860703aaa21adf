/** What a view adds up, in millimetres of gland: the one thing here that is written into. */
export type Canvas = {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly mm: number;
};

/** An empty canvas of the size of a frame. */
export function canvasOf({ width, height, mm }: Omit<Canvas, "data">): Canvas {
  return { data: new Float32Array(width * height), width, height, mm };
}

/** A soft dot with a Gaussian profile. `sigma` in millimetres; a dot finer than a pixel keeps its integral. */
export function addDot(canvas: Canvas, x: number, y: number, sigma: number, peak: number): void {
  const blurred = blurredByPixel(sigma, canvas.mm);
  addGaussian(canvas, x, y, blurred, peak * (sigma / blurred) ** 2, 2.6);
}

/** A curve with a Gaussian profile; width, brightness and position run linearly from point to point. */
export type Stroke = {
  /** `[points, 2]`, x and y in millimetres. */
  readonly points: Float64Array;
  /** Full width at half maximum at the start and at the end, millimetres. */
  readonly width: readonly [start: number, end: number];
  /** Brightness at the start and at the end. */
  readonly peak: readonly [start: number, end: number];
  /** Share of the length over which each end fades in and out. */
  readonly fade: readonly [start: number, end: number];
};

/** Draws a curve as overlapping Gaussian dots. */
export function addStroke(canvas: Canvas, { points, width, peak, fade }: Stroke): void {
  const count = points.length / 2;
  let length = 0;
  for (let i = 1; i < count; i++) length += segment(points, i);
  let before = 0;
  for (let i = 1; i < count; i++) {
    const long = segment(points, i);
    const sigma = (width[0] + ((width[1] - width[0]) * (i - 0.5)) / (count - 1)) / 2.355;
    const blurred = blurredByPixel(sigma, canvas.mm);
    const dots = Math.max(1, Math.round(long / (1.4 * blurred)));
    // dots 1.4 deviations apart add up to an even line (ripple 0.03 %); a line finer than a pixel keeps its integral
    const share = (long / dots / (Math.sqrt(2 * Math.PI) * blurred)) * (sigma / blurred);
    const [ax, ay] = [points[2 * i - 2]!, points[2 * i - 1]!];
    const [dx, dy] = [points[2 * i]! - ax, points[2 * i + 1]! - ay];
    for (let k = 0; k < dots; k++) {
      const t = (k + 0.5) / dots;
      const u = (before + t * long) / length;
      const ends = Math.min(1, u / fade[0], (1 - u) / fade[1]);
      const height = (peak[0] + (peak[1] - peak[0]) * u) * ends * share;
      addGaussian(canvas, ax + dx * t, ay + dy * t, blurred, height, 2.3);
    }
    before += long;
  }
}

function segment(points: Float64Array, i: number): number {
  const dx = points[2 * i]! - points[2 * i - 2]!;
  const dy = points[2 * i + 1]! - points[2 * i - 1]!;
  return Math.sqrt(dx * dx + dy * dy);
}

/** The deviation of a dot seen through a square pixel: a uniform spread over one pixel has variance 1/12. */
function blurredByPixel(sigma: number, mm: number): number {
  return Math.sqrt(sigma * sigma + (mm * mm) / 12);
}

const row = new Float64Array(8192);

/** exp(x + y) = exp(x) exp(y): one exponential a column and one a row, not one a pixel. */
function addGaussian(
  { data, width, height, mm }: Canvas,
  x: number,
  y: number,
  sigma: number,
  peak: number,
  reach: number,
): void {
  const s = sigma / mm;
  const [px, py] = [x / mm - 0.5, y / mm - 0.5];
  const far = reach * s + 0.5;
  const left = Math.max(0, Math.ceil(px - far));
  const right = Math.min(width - 1, Math.floor(px + far));
  const top = Math.max(0, Math.ceil(py - far));
  const bottom = Math.min(height - 1, Math.floor(py + far));
  const k = -0.5 / (s * s);
  for (let i = left; i <= right; i++) row[i] = peak * Math.exp(k * (i - px) * (i - px));
  for (let j = top; j <= bottom; j++) {
    const e = Math.exp(k * (j - py) * (j - py));
    const at = j * width;
    for (let i = left; i <= right; i++) data[at + i]! += row[i]! * e;
  }
}
