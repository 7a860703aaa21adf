import { MammolabError } from "../base/mod.ts";
import type { Preparation } from "./preparation.ts";

/**
 * Reads a preparation from JSON that somebody else wrote, a model's for one; `prepare` does so with its own.
 *
 * @param from what it was read from, for the sentence of an error
 * @throws MammolabError naming the first field that is missing, unknown or out of range
 *
 * @example
 * ```ts
 * import { readPreparation } from "mammolab/image";
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => readPreparation({ crop: "all" }, "model.json"), Error, '"crop" is "all"');
 * ```
 */
export function readPreparation(value: unknown, from: string): Preparation {
  const cannot = (field: string, found: unknown, expected: string): never => {
    throw new MammolabError(
      `Cannot read the preparation of ${from}: "${field}" is ${
        found === undefined ? "missing" : JSON.stringify(found)
      }, ${expected} is expected; correct it`,
    );
  };
  const isRecord = (item: unknown): item is Record<string, unknown> =>
    typeof item === "object" && item !== null && !Array.isArray(item);
  const only = (prefix: string, record: Record<string, unknown>, names: readonly string[]) => {
    const odd = Object.keys(record).find((name) => !names.includes(name));
    if (odd !== undefined) cannot(prefix + odd, record[odd], `one of ${names.join(", ")}`);
  };
  const choice = (field: string, found: unknown, choices: readonly unknown[]) => {
    if (!choices.includes(found)) cannot(field, found, choices.map((one) => JSON.stringify(one)).join(" or "));
  };
  const number = (field: string, found: unknown, fits: (n: number) => boolean, expected: string) => {
    if (typeof found !== "number" || !fits(found)) cannot(field, found, expected);
  };
  const size = (n: number) => Number.isSafeInteger(n) && n > 0 && n <= 16384;

  if (!isRecord(value)) return cannot("preparation", value, "a record");
  only("", value, ["crop", "face", "resize", "range", "clahe", "mean", "std", "channels"]);
  choice("crop", value.crop, ["none", "breast"]);
  choice("face", value.face, ["none", "left"]);
  const { resize, range, clahe, channels } = value;
  if (!isRecord(resize)) return cannot("resize", resize, "a record");
  only("resize.", resize, ["height", "width", "filter", "fit"]);
  number("resize.height", resize.height, size, "a whole number from 1 to 16384");
  number("resize.width", resize.width, size, "a whole number from 1 to 16384");
  choice("resize.filter", resize.filter, ["area", "bilinear", "bicubic"]);
  choice("resize.fit", resize.fit, ["stretch", "pad"]);
  if (range !== "display") {
    const shares = isRecord(range) && Object.keys(range).length === 1 ? range.percentiles : undefined;
    const [low, high] = Array.isArray(shares) && shares.length === 2 ? shares : [];
    const fits = typeof low === "number" && typeof high === "number" && low >= 0 && low < high && high <= 100;
    if (!fits) cannot("range", range, '"display" or { "percentiles": [low, high] } within 0 to 100');
  }
  if (clahe !== undefined) {
    if (!isRecord(clahe)) return cannot("clahe", clahe, "a record");
    only("clahe.", clahe, ["clip", "tiles"]);
    number("clahe.clip", clahe.clip, (n) => n > 0 && Number.isFinite(n), "a number above 0");
    number(
      "clahe.tiles",
      clahe.tiles,
      (n) => Number.isSafeInteger(n) && n > 0 && n <= 1024,
      "a whole number from 1 to 1024",
    );
  }
  choice("channels", channels, [1, 3]);
  for (const field of ["mean", "std"] as const) {
    const list = value[field];
    const fits = Array.isArray(list) && list.length === channels &&
      list.every((n) => Number.isFinite(n) && (field === "mean" || n > 0));
    if (!fits) cannot(field, list, `a list of ${channels} numbers${field === "std" ? " above 0" : ""}`);
  }
  return value as Preparation;
}
