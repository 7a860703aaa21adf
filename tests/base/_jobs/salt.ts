// deno-lint-ignore-file no-console
// A process that has no right to write: which salt does it get?
import { readSalt } from "../../../lib/base/cache.ts";

const [first, second] = [await readSalt(), await readSalt()];
console.log(
  `${first.bytes.length} bytes, ${first.kept ? "kept" : "not kept"}, ${
    first.bytes === second.bytes ? "the same" : "another"
  }`,
);
