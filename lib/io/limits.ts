/** What reading one file may cost at most. */
export type Limits = {
  /** Pixels of one frame; real mammograms have at most 30 million. */
  readonly maxPixels: number;
  /** Bytes of a file, also after inflating it. */
  readonly maxFileBytes: number;
  /** Milliseconds from the first byte to the last pixel; then the work is stopped. `Infinity` for no deadline. */
  readonly deadlineMs: number;
};

/** 100 million pixels, 2 gigabytes, 30 seconds. */
export const defaultLimits: Limits = { maxPixels: 100e6, maxFileBytes: 2e9, deadlineMs: 30_000 };
