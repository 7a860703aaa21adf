// The memory of a process, seen from outside: `deno run -A _memory.ts PID`. Peak and present resident set, in bytes.
const status = await Deno.readTextFile(`/proc/${Deno.args[0]}/status`);
const bytes = (name: string) => 1024 * Number(status.match(new RegExp(`${name}:\\s+(\\d+) kB`))?.[1]);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ peak: bytes("VmHWM"), now: bytes("VmRSS") })));
