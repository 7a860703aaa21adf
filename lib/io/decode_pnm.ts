import { defaultLimits } from "./limits.ts";
import { checkSize, copyAgain, type GreyPicture, type PictureLimits, reading, refuse, saveAsGrey } from "./picture.ts";

/**
 * Reads a portable graymap: P5 (binary, 8 or 16 bits, high byte first) or P2 (numbers as text), with comments
 * (Netpbm, pgm(5)).
 *
 * @throws MammolabError when it is none, is cut, holds a value above its own maximum, or claims more than `maxPixels`
 *
 * @example
 * ```ts
 * import { decodePnm } from "mammolab/io";
 * import { assertEquals } from "@std/assert";
 * const { data, white } = decodePnm(new TextEncoder().encode("P2 # made by hand\n2 1 4095\n7 4095\n"));
 * assertEquals([...data, white], [7, 4095, 4095]);
 * ```
 */
export function decodePnm(bytes: Uint8Array, { maxPixels = defaultLimits.maxPixels }: PictureLimits = {}): GreyPicture {
  return reading("the PGM", () => {
    const kind = String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0);
    if (kind === "P3" || kind === "P6") {
      refuse(`it is a color picture (PPM); ${saveAsGrey}`);
    }
    if (kind !== "P2" && kind !== "P5") refuse("it does not begin with P2 or P5; convert it to PGM or PNG");
    const text: Text = { bytes, at: 2 };
    const width = numberIn(text, "width");
    const height = numberIn(text, "height");
    checkSize(width, height, maxPixels);
    const white = numberIn(text, "maximum");
    if (white < 1 || white > 65535) {
      refuse(`it says that its maximum is ${white}, 1 to 65535 are possible; export it again`);
    }
    const read = kind === "P5" ? binaryValues : textValues;
    const { data, left } = read(text, { count: width * height, white });
    const warnings = left > 0 ? [`${left} bytes after its last pixel were ignored`] : [];
    return { data, height, width, white, bits: Math.ceil(Math.log2(white + 1)), warnings };
  });
}

type Text = { readonly bytes: Uint8Array; at: number };
type Expected = { readonly count: number; readonly white: number };
type Values = { readonly data: Uint8Array | Uint16Array; readonly left: number };

function binaryValues({ bytes, at }: Text, { count, white }: Expected): Values {
  const wide = white > 255;
  const from = at + 1; // exactly one white space; the next byte may look like one
  const needed = wide ? 2 * count : count;
  if (bytes.length - from < needed) {
    refuse(`it needs ${needed} bytes of pixels and has ${Math.max(0, bytes.length - from)}; ${copyAgain}`);
  }
  const data = wide ? new Uint16Array(count) : bytes.slice(from, from + count);
  if (wide) {
    let k = from;
    for (let i = 0; i < count; i++) {
      data[i] = ((bytes[k] as number) << 8) | (bytes[k + 1] as number);
      k += 2;
    }
  }
  if (white !== 255 && white !== 65535) checkValues(data, white);
  return { data, left: bytes.length - from - needed };
}

function textValues(text: Text, { count, white }: Expected): Values {
  if (text.bytes.length - text.at < 2 * count) refuse(`it ends before its last pixel; ${copyAgain}`); // before anything is reserved
  const data = white > 255 ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = numberIn(text, "pixel");
    if (value > white) refuse(above(value, white));
    data[i] = value;
  }
  skipSpace(text);
  return { data, left: text.bytes.length - text.at };
}

function checkValues(data: Uint8Array | Uint16Array, white: number): void {
  for (const value of data) if (value > white) refuse(above(value, white));
}

/** The next number of the text. Nine digits at most: what is larger is no size, and stays an exact integer. */
function numberIn(text: Text, what: string): number {
  skipSpace(text);
  const { bytes } = text;
  const from = text.at;
  let value = 0;
  for (let byte = bytes[text.at]; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = bytes[++text.at]) {
    value = value * 10 + byte - 0x30;
    if (value > 1e9) refuse(`its ${what} is no number that fits; ${copyAgain}`);
  }
  const next = bytes[text.at];
  if (next === undefined && (text.at === from || what !== "pixel")) refuse(`it ends before its ${what}; ${copyAgain}`);
  if (text.at === from || !(next === undefined || isSpace(next) || next === hash)) {
    refuse(`its ${what} is no whole number; ${copyAgain}`);
  }
  return value;
}

function skipSpace(text: Text): void {
  const { bytes } = text;
  for (let byte = bytes[text.at]; byte !== undefined; byte = bytes[++text.at]) {
    if (byte === hash) {
      while (text.at < bytes.length && bytes[text.at] !== 0x0a && bytes[text.at] !== 0x0d) text.at++;
    } else if (!isSpace(byte)) return;
  }
}

const hash = 0x23;
const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
const above = (value: number, white: number) =>
  `it holds the value ${value}, above the maximum of ${white} that it names; export it again`;
