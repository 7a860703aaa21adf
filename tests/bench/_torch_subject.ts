// Starts the Python that MAMMOLAB_BENCH_PYTHON names on torch_peer.py and hands the lines through.
const python = Deno.env.get("MAMMOLAB_BENCH_PYTHON");
if (!python) Deno.exit(0);
const { runs, net, folder, batch, threads, lastBlocks = "all" } = JSON.parse(Deno.args[0]!);
const { code } = await new Deno.Command(python, {
  args: [
    new URL("torch_peer.py", import.meta.url).pathname,
    net,
    `${folder}/model.safetensors`,
    `${batch}`,
    `${threads}`,
    ...runs === "torchStep" ? [`${lastBlocks}`] : [],
  ],
  env: { OMP_NUM_THREADS: `${threads}` },
  stdin: "inherit",
  stdout: "inherit",
}).spawn().status;
Deno.exit(code);
