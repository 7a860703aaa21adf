/**
 * mammolab: from a mammogram file to an attention map.
 *
 * This door holds the line and its names only; each room has more at its own door: `mammolab/image`, `mammolab/io`, …
 *
 * @module
 */
export { MammolabError } from "./lib/base/mod.ts";
export { type Image } from "./lib/image/mod.ts";
export { type Mammogram } from "./lib/io/mod.ts";
