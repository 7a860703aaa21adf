// What a model is called on the command line, for every task that takes one.
import { isHubName } from "../lib/weights/mod.ts";

/** A folder is where the user stands; anything else is a name: of the catalogue, or of the hub. */
export async function modelPath(word: string, path: (typed: string) => string): Promise<string> {
  if (isHubName(word)) return word;
  const isFolder = await Deno.stat(path(word)).then((found) => found.isDirectory, () => false);
  return isFolder || /[/\\]/.test(word) ? path(word) : word;
}
