import { checkWord, MammolabError } from "../../base/mod.ts";
import type { PhantomOptions } from "./phantom.ts";

/** Seeds are whole numbers from 0, because they are also the numbers of the exams. */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new MammolabError(`Cannot draw a phantom of seed ${seed}: a seed is a whole number from 0; give one`);
  }
}

/** Checks what a caller fixed. */
export function checkOptions({ mm = 0.4, contrast, radius, density, label, kind }: PhantomOptions): void {
  const cannot = "Cannot draw a phantom";
  if (!(mm >= 0.1 && mm <= 1)) {
    throw new MammolabError(
      `${cannot} with pixels of ${mm} mm: they may measure 0.1 to 1 mm; choose a size in between`,
    );
  }
  checkRange("contrasts", contrast, [0.1, 10]);
  checkRange("radii in mm", radius, [1, 30]);
  if (density) checkWord(`${cannot}: the density`, density, ["a", "b", "c", "d"]);
  if (label) checkWord(`${cannot}: the label`, label, ["normal", "benign", "malignant"]);
  if (kind) checkWord(`${cannot}: the kind`, kind, ["digital", "film"]);
}

function checkRange(what: string, range: readonly [number, number] | undefined, [least, most]: [number, number]): void {
  if (!range) return;
  const [low, high] = range;
  if (!(low >= least && low <= high && high <= most)) {
    throw new MammolabError(
      `Cannot draw a phantom with ${what} from ${low} to ${high}: they lie between ${least} and ${most}, the lower one first; change them`,
    );
  }
}
