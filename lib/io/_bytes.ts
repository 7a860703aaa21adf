import { joinBytes } from "../base/mod.ts";

/** One array of several; the only one is not copied. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : joinBytes(pieces);
}
