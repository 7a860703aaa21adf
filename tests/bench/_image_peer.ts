// Starts the Python that MAMMOLAB_BENCH_PYTHON names on image_peer.py and hands the lines through.
const python = Deno.env.get("MAMMOLAB_BENCH_PYTHON");
if (!python) Deno.exit(0);
const { work, threads } = JSON.parse(Deno.args[0]!);
const films = new URL("../../.cache/bench/films/", import.meta.url).pathname;
const { code } = await new Deno.Command(python, {
  args: [new URL("image_peer.py", import.meta.url).pathname, work, `${threads}`, films],
  env: { OMP_NUM_THREADS: work === "flow" ? "1" : `${threads}` },
  stdin: "inherit",
  stdout: "inherit",
}).spawn().status;
Deno.exit(code);
