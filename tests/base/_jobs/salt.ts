// deno-lint-ignore-file no-console
// A process that has no right to write: which salt does it get?
import { readSalt } from "../../../lib/base/cache.ts";

const { bytes, kept } = await readSalt();
console.log(`${bytes.length} bytes, ${kept ? "kept" : "not kept"}`);
