import { checkWord } from "../base/mod.ts";
import { colorTables } from "./_color_tables.ts";

/** Perceptual color maps: equal steps of the number look like equal steps. */
export type ColorMapName = "magma" | "viridis" | "cividis" | "grey";

/** `[256, 3]` bytes sRGB, the lowest number first. */
export type ColorMap = Uint8Array;

/**
 * A color map as bytes.
 *
 * @param name `magma` (the default of relevance), `viridis`, `cividis` (for color-blind readers), `grey` (films)
 *
 * @example
 * ```ts
 * import { colorMap } from "mammolab/plot";
 * import { assertEquals } from "@std/assert";
 * assertEquals([...colorMap("viridis").slice(-3)], [0xfd, 0xe7, 0x25]);
 * ```
 */
export function colorMap(name: ColorMapName): ColorMap {
  checkWord("Cannot color: the map", name, Object.keys(colorTables) as ColorMapName[]);
  return Uint8Array.fromBase64(colorTables[name]);
}

/**
 * A color map as a plotly `colorscale` of one opacity, or of one that grows with the number, as in `overlay`.
 *
 * @param opacity of the highest number
 */
export function plotlyScale(
  name: ColorMapName,
  { opacity = 1, grows = false }: { readonly opacity?: number; readonly grows?: boolean } = {},
): readonly (readonly [number, string])[] {
  const map = colorMap(name);
  return Array.from({ length: 17 }, (_, step) => {
    const t = step / 16;
    const [red, green, blue] = map.subarray(Math.round(t * 255) * 3);
    const alpha = Number((opacity * (grows ? t : 1)).toFixed(3));
    return [t, `rgba(${red},${green},${blue},${alpha})`] as const;
  });
}
