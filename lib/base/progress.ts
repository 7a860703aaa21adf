/** How far a long piece of work is. */
export type Progress = {
  /** Items finished. */
  readonly done: number;
  /** Items in all, where known. */
  readonly total?: number;
  /** What is counted: `"files"`, `"exams"`, `"steps"`. */
  readonly unit: string;
  /** Seconds still to go at the present rate, where known. */
  readonly eta?: number;
};

/** Called now and then during long work; must return at once. */
export type OnProgress = (progress: Progress) => void;

/** Counts items and says how long the rest will take at the mean rate so far. */
export function progressCounter(
  unit: string,
  total: number | undefined,
  onProgress: OnProgress = () => {},
): () => void {
  const start = performance.now();
  let done = 0;
  return () => {
    done++;
    const seconds = (performance.now() - start) / 1000;
    onProgress({
      done,
      unit,
      ...(total === undefined ? {} : { total, eta: (seconds / done) * Math.max(0, total - done) }),
    });
  };
}
