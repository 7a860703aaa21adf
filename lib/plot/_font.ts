// The font of all pictures, so that they are the same on every machine: tests/fixtures/plot/make_font.py made it.
import { fileURLToPath } from "node:url";

export const fontFamily = "DejaVu Sans";
export const fontFile = fileURLToPath(new URL("./_dejavu_sans.ttf", import.meta.url));

/** Above and below the base line, in em (its `hhea` table). */
export const ascent = 0.928;
export const descent = 0.236;

/** Width of a text in em; the font has no kerning, so it is the sum of the advances. */
export type TextWidth = (text: string) => number;

/** Reads the advances from a TrueType font: tables `head`, `hhea`, `hmtx` and a `cmap` of format 4 (OpenType 1.9). */
export function textWidthOf(font: Uint8Array): TextWidth {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const tables = new Map<string, number>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const entry = 12 + 16 * i;
    tables.set(String.fromCharCode(...font.subarray(entry, entry + 4)), view.getUint32(entry + 8));
  }
  const at = (tag: string) => tables.get(tag)!;
  const unitsPerEm = view.getUint16(at("head") + 18);
  const metrics = view.getUint16(at("hhea") + 34);
  const glyphOf = readFormat4(view, at("cmap"));
  const advances = new Map<string, number>();
  const advance = (character: string) => {
    const known = advances.get(character);
    if (known !== undefined) return known;
    const glyph = Math.min(glyphOf(character.codePointAt(0)!), metrics - 1);
    const em = view.getUint16(at("hmtx") + 4 * glyph) / unitsPerEm;
    advances.set(character, em);
    return em;
  };
  return (text) => [...text].reduce((sum, character) => sum + advance(character), 0);
}

/** Character → glyph, 0 (the empty box) where the font has none. */
function readFormat4(view: DataView, cmap: number): (code: number) => number {
  const subtables = Array.from({ length: view.getUint16(cmap + 2) }, (_, i) => cmap + view.getUint32(cmap + 8 + 8 * i));
  const table = subtables.find((start) => view.getUint16(start) === 4)!;
  const segments = view.getUint16(table + 6) / 2;
  const [ends, starts, deltas, offsets] = [14, 16 + 2 * segments, 16 + 4 * segments, 16 + 6 * segments]
    .map((from) => table + from) as [number, number, number, number];
  return (code) => {
    for (let i = 0; i < segments; i++) {
      if (code > view.getUint16(ends + 2 * i)) continue;
      const start = view.getUint16(starts + 2 * i);
      if (code < start) return 0;
      const offset = view.getUint16(offsets + 2 * i);
      const delta = view.getUint16(deltas + 2 * i);
      if (offset === 0) return (code + delta) & 0xffff;
      const glyph = view.getUint16(offsets + 2 * i + offset + 2 * (code - start));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
