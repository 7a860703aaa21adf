/** What every room uses and what knows nothing of images: errors, seeded randomness, progress, files, the pool. @module */
export { MammolabError, sentenceOf } from "./errors.ts";
export { checkWord } from "./words.ts";
export { canonicalJson } from "./canonical.ts";
export { hashKey, type Random, seededRandom, shuffled } from "./random.ts";
export { type OnProgress, type Progress, progressCounter } from "./progress.ts";
export {
  cannotWrite,
  checkFolder,
  disk,
  exists,
  type FileSystem,
  removeHalfWritten,
  temporaryPathFor,
  type WritableFile,
  writeFileAtomic,
} from "./files.ts";
export { inOrder, type Outcome } from "./in_order.ts";
export { type ArrayKind, arrayKinds, putArrays, takeArrays, type TypedArray } from "./arrays.ts";
export { type Body, joinBytes, wholeBody } from "./body.ts";
export { type ChildRights, createPool, type Pool, type PoolOptions, type RunOptions } from "./pool.ts";
export { release } from "./_garbage.ts";
export { cacheFolder, readSalt, type Salt } from "./cache.ts";
