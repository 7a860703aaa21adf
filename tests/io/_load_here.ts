// deno-lint-ignore-file no-console
// Loads one file with the rights that this process has, and says its size or what is wrong.
import { sentenceOf } from "../../lib/base/mod.ts";
import { loadMammogram } from "../../lib/io/mod.ts";

try {
  const { image } = await loadMammogram(Deno.args[0] as string);
  console.log(`${image.width} × ${image.height}`);
} catch (error) {
  console.log(sentenceOf(error));
}
