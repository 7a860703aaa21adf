import { cpus } from "node:os";
import { sentenceOf } from "../lib/base/mod.ts";
import { rows } from "../tests/bench/rows.ts";
import { type Measured, runRow } from "../tests/bench/run_row.ts";
import { table, task, UsageError } from "./_task.ts";

await task({
  name: "bench",
  summary:
    "Speed and memory against their goals: both sides in turns, with a control that tells whether the machine was quiet.",
  usage: "deno task bench",
  example: "MAMMOLAB_BENCH_PYTHON=~/torch/bin/python deno task bench --json",
  options: {
    only: { type: "string", value: "TEXT", help: "only rows with this text in their names" },
    rounds: {
      type: "number",
      value: "N",
      help: "pairs a row; seven or more for figures to report",
      default: 7,
      min: 1,
      integer: true,
    },
  },
  run: async ({ options: { only, rounds }, signal, progress, note, failure }) => {
    const chosen = rows.filter(({ name }) => only === undefined || name.toLowerCase().includes(only.toLowerCase()));
    if (chosen.length === 0) throw new UsageError(`--only "${only}" matches no row`);
    const loadBefore = Deno.loadavg()[0];
    const measured: Measured[] = [];
    for (const row of chosen) {
      if (signal.aborted) break;
      const result = await runRow(row, { rounds, before: measured }).catch((error) => {
        failure();
        note(sentenceOf(error));
      });
      if (!result) continue;
      if (result.holds === false) failure();
      measured.push(result);
      progress({ done: measured.length, total: chosen.length, unit: "rows" });
    }
    const machine = {
      processor: cpus()[0]?.model ?? "unknown",
      cores: navigator.hardwareConcurrency,
      system: `${Deno.build.os} ${Deno.build.arch}`,
      deno: Deno.version.deno,
      loadBefore,
      loadAfter: Deno.loadavg()[0],
      rounds,
    };
    return { machine, rows: measured };
  },
  print: ({ machine, rows }) =>
    [
      `${machine.processor}, ${machine.cores} cores, Deno ${machine.deno}, load ${machine.loadBefore} before and ${machine.loadAfter} after`,
      "",
      table(rows.map(({ name, ours, peer, unit, ratio, goal, holds, control }) => ({
        name,
        ours: ours ?? undefined,
        peer: peer ?? undefined,
        unit,
        ratio: ratio ?? undefined,
        goal,
        holds: holds === true ? "yes" : holds === false ? "NO" : holds,
        control,
      }))),
      ...(rows.some(({ holds }) => holds === "peer absent")
        ? ["", "peer absent: set MAMMOLAB_BENCH_PYTHON to a Python with PyTorch, torchvision and timm"]
        : []),
    ].join("\n"),
});
