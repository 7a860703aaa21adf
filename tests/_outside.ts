// Looks at processes from outside, by _processes.ts.

async function look(...args: string[]): Promise<string> {
  const script = new URL("./_processes.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command("deno", { args: ["run", "-q", "-A", "--no-lock", script, ...args] })
    .output();
  return new TextDecoder().decode(stdout).trim();
}

/** The ids of the processes whose command line (on Linux also environment) contains the text. */
export async function processesWith(text: string): Promise<number[]> {
  return (await look("find", text)).split("\n").filter(Boolean).map(Number);
}

/** SIGKILL. */
export async function killProcess(id: number): Promise<void> {
  await look("kill", `${id}`);
}

/** Waits until no process has the text in its command line (on Linux also environment); the ids of those that are there after all. */
export async function leftAfter(text: string, deadlineMs: number): Promise<number[]> {
  for (const end = performance.now() + deadlineMs;;) {
    const left = await processesWith(text);
    if (left.length === 0 || performance.now() > end) return left;
  }
}
