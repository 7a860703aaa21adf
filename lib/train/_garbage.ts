// Arrays of hundreds of megabytes that nobody needs any more: V8 sees small objects and would let several pile up.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A collection takes some 20 ms: worth it from here on. ViT-Base has gradients of 340 MB and steps of seconds. */
const large = 100e6;
let collect: (() => void) | undefined;

/** Collects garbage now, if there may be as many bytes of it as a large network has. */
export function collectGarbage(bytes: number): void {
  if (bytes < large) return;
  if (!collect) {
    setFlagsFromString("--expose_gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
