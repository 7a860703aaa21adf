// deno-lint-ignore-file no-console
// A process that keeps a child of a pool busy, for the tests to end: prints its id once the child works.
import { createPool } from "../../../lib/base/pool.ts";
import type { Job } from "./jobs.ts";

const [token, end] = Deno.args as [string, string];
const read = [new URL("../../../lib/", import.meta.url), new URL("./", import.meta.url)];
const pool = createPool<Job, unknown>({
  carrier: "child",
  module: new URL(`./jobs.ts?${token}`, import.meta.url),
  read,
});
await pool.run({ kind: "count" });
if (end !== "idle") pool.run({ kind: "spin" }).catch(() => {});
console.log(Deno.pid);
if (end === "exit") setTimeout(() => Deno.exit(3), 100);
if (end === "throw") setTimeout(() => Promise.reject(new Error("unhandled")), 100);
