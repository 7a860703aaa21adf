// deno-lint-ignore-file no-console no-sync-fn-in-async-fn
// What runs on this machine, seen from outside: `deno run -A tests/_processes.ts find TEXT` prints the ids of the processes
// whose command line or environment contains TEXT, `… kill PID` kills one, `… pipe PATH` makes a pipe. The tests themselves have no right to.
const [what, word] = Deno.args as [string, string];

if (what === "kill") Deno.kill(Number(word), "SIGKILL");
else if (what === "pipe") await new Deno.Command("mkfifo", { args: [word] }).output();
else {
  for (const [id, command] of await commands()) {
    if (command.includes(word) && id !== Deno.pid && !command.includes("_processes.ts")) console.log(id);
  }
}

async function commands(): Promise<[number, string][]> {
  if (Deno.build.os === "linux") {
    const ids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
    return ids.map((id) => [id, commandOf(id)]);
  }
  const { stdout } = await new Deno.Command("ps", { args: ["-A", "-o", "pid=,args="] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => [parseInt(line), line]);
}

function commandOf(id: number): string {
  try {
    // The environment too: a word put into it marks all that comes of a process.
    return ["cmdline", "environ"].map((file) => Deno.readTextFileSync(`/proc/${id}/${file}`)).join().replaceAll(
      "\0",
      " ",
    );
  } catch {
    return ""; // it has ended meanwhile
  }
}
