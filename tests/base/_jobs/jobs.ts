// deno-lint-ignore-file no-console
// The work of the pools that are tested: one job of each kind that may happen.
import { MammolabError } from "../../../lib/base/errors.ts";

export type Job =
  | { readonly kind: "double"; readonly values: Float32Array }
  | { readonly kind: "sum" }
  | { readonly kind: "wait"; readonly ms: number; readonly name: string }
  | { readonly kind: "spin" | "refuse" | "translate" | "throw" | "print" | "exit" | "grow" | "count" | "environment" };

let done = 0;
const held: Uint8Array[] = [];

export async function work(job: Job, body?: Uint8Array): Promise<unknown> {
  done++;
  switch (job.kind) {
    case "double":
      return { values: job.values.map((x) => 2 * x), name: "doubled" };
    case "sum":
      return { sum: body?.reduce((a, b) => a + b, 0), size: body?.length };
    case "wait":
      await new Promise((resolve) => setTimeout(resolve, job.ms));
      return job.name;
    case "spin":
      for (;;);
    case "refuse":
      throw new MammolabError("Cannot do this: it is refused; do something else");
    case "translate":
      throw new MammolabError("Cannot do this: the codec gave up; do something else", { cause: new Error("stack") });
    case "throw":
      throw new Error("decoder stack with a patient's name");
    case "print":
      console.log("noise on standard output");
      console.error("noise");
      return "printed";
    case "exit":
      Deno.exit(7);
      break;
    case "grow":
      for (;;) {
        held.push(new Uint8Array(16e6).fill(1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    case "count":
      return done;
    case "environment": {
      const tries = {
        write: () => Deno.writeTextFileSync("x", ""),
        read: () => Deno.readTextFileSync("/etc/hostname"),
        env: () => Deno.env.get("HOME"),
        run: () => new Deno.Command("deno").spawn(),
      };
      return Object.entries(tries).filter(([, go]) => {
        try {
          go();
          return true;
        } catch {
          return false;
        }
      }).map(([name]) => name);
    }
  }
}
