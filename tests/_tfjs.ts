// TensorFlow.js is in a lock of its own, so that no task fetches it unasked. The tests that need it install it.
import { it } from "@std/testing/bdd";
import { openTfjs, type Tfjs } from "mammolab/engine";

const install = ["cache", "-q", "--lock=deno.optional.lock", "--frozen", "npm:@tensorflow/tfjs@4.22.0"];
const packages = ["@tensorflow/tfjs"] as const;

/** TensorFlow.js in JavaScript alone; undefined, and one ignored test that says so, where it cannot be had. */
export async function pureTfjs(): Promise<Tfjs | undefined> {
  try {
    return await openTfjs({ packages }).catch(async () => {
      await new Deno.Command("deno", {
        args: install,
        cwd: new URL("../", import.meta.url).pathname,
        stderr: "null",
        signal: AbortSignal.timeout(60_000),
      }).output();
      return await openTfjs({ packages });
    });
  } catch (error) {
    // A test that is ignored: what is printed outside of a test does not reach the terminal.
    it.skip(`the second engine is not tested here. ${(error as Error).message}`, () => {});
    return undefined;
  }
}
