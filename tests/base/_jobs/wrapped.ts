// deno-lint-ignore-file no-console
// A process whose `deno` is a wrapper: says how many processes its child is, and what became of a job that never ends.
const [wrapper, token] = Deno.args as [string, string];
Object.defineProperty(Deno, "execPath", { value: () => wrapper });
const { createPool } = await import("../../../lib/base/pool.ts");
const { processesWith } = await import("../../_outside.ts");

const module = new URL(`./jobs.ts?${token}`, import.meta.url);
const read = [new URL("../../../lib/", import.meta.url), new URL("./", import.meta.url)];
const pool = createPool<{ kind: string }, unknown>({ carrier: "child", module, read });
await pool.run({ kind: "count" });
const children = await processesWith(
  `_pool_child.ts file://${new URL("./", import.meta.url).pathname}jobs.ts?${token}`,
);
console.log(`${children.length} of them`);
await pool.run({ kind: "spin" }, { deadlineMs: 500 }).catch(({ message }) => console.log(message));
await new Promise((resolve) => setTimeout(resolve, 500));
