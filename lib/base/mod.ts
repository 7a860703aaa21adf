/** What every room uses and what knows nothing of images: errors, seeded randomness, progress, files, the pool. @module */
export { MammolabError, sentenceOf } from "./errors.ts";
export { hashKey, type Random, seededRandom, shuffled } from "./random.ts";
export { type OnProgress, type Progress, progressCounter } from "./progress.ts";
export { disk, type FileSystem, type WritableFile, writeFileAtomic } from "./files.ts";
