import { MammolabError } from "mammolab/base";
import { loadModel } from "mammolab/model";
import { median, pairedRatio, verdict } from "./_pairs.ts";
import { type ImageSide } from "./_image_subject.ts";
import { type Running, start, startProcess } from "./_subject.ts";
import type { ImageRow, LimitRow, MeanRow, MemoryRow, PairRow, Row, SideOf } from "./rows.ts";

/** A row of the table, measured. */
export type Measured = {
  readonly name: string;
  readonly ours: number | null;
  readonly peer: number | null;
  readonly unit: string;
  /** Our speed ÷ the peer's; of memory, the peer's ÷ ours; for a limit, our number ÷ the goal. */
  readonly ratio: number | null;
  /** The smallest good ratio, or the largest good number. */
  readonly goal: number;
  /** `unclear`: the control shows that the machine was too busy to tell. */
  readonly holds: boolean | "unclear" | "peer absent";
  /** Our own two runs of a round against each other: 1 on a quiet machine. */
  readonly control?: number;
  /** Lowest and highest ratio of the rounds. */
  readonly range?: readonly [number, number];
  /** Processor seconds ÷ seconds on the clock, ours: near the number of threads when nobody disturbs. */
  readonly busy?: number;
  readonly versions?: readonly string[];
};

/** Measures one row. @param before what was measured already: a mean is taken over these */
export async function runRow(
  row: Row,
  options: { readonly rounds: number; readonly before?: readonly Measured[] },
): Promise<Measured> {
  switch (row.kind) {
    case "pair":
      return await runPair(row, options);
    case "limit":
      return await runLimit(row, options);
    case "memory":
      return await runMemory(row);
    case "images":
      return await runImages(row, options);
    case "mean":
      return meanOf(row, options.before ?? []);
  }
}

const runImages = ({ ours, peer, ...row }: ImageRow, options: Rounds): Promise<Measured> =>
  runSides(row, { us: () => startImages(ours), them: () => startImages(peer), work: 1 }, options);

async function startImages(side: ImageSide): Promise<Running | undefined> {
  return await startProcess(side.runs === "ours" ? "_image_subject.ts" : "_image_peer.ts", side);
}

function meanOf({ name, of, unit, goal }: MeanRow, before: readonly Measured[]): Measured {
  const known = before.filter((row) => row.name.startsWith(of));
  const ratios = known.flatMap(({ ratio }) => ratio === null ? [] : [ratio]);
  const absent = ratios.length === 0 || ratios.length < known.length;
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const ratio = absent ? null : digits(mean);
  const unclear = known.some(({ holds }) => holds === "unclear");
  return {
    name,
    ours: ratio,
    peer: null,
    unit,
    ratio,
    goal,
    holds: absent ? "peer absent" : unclear ? "unclear" : mean >= goal,
  };
}

const runPair = ({ ours, peer, ...row }: PairRow, options: Rounds): Promise<Measured> =>
  runSides(row, { us: () => begin(ours), them: () => begin(peer), work: ours.batch }, options);

type Rounds = { readonly rounds: number };

/** Both sides in turns. @param sides.work what one of our runs does, in the unit of the row; rates of products count their own */
async function runSides(
  { name, time, unit, goal }: Pick<PairRow | ImageRow, "name" | "time" | "unit" | "goal">,
  sides: {
    readonly us: () => Promise<Running | undefined>;
    readonly them: () => Promise<Running | undefined>;
    readonly work: number;
  },
  { rounds }: Rounds,
): Promise<Measured> {
  await using us = await sides.us();
  await using them = await sides.them();
  if (!us) throw new MammolabError(`Cannot measure "${name}": our own side did not start; run deno task doctor`);
  if (!them) return { name, ours: null, peer: null, unit, ratio: null, goal, holds: "peer absent" };
  requireSame(name, us, them);
  const flop = us.ready.flop;
  const busy: number[] = [];
  // Seconds of a run; where rates of products are compared, for as many products as one of our runs has.
  const side = (running: Running) => async () => {
    const { seconds, cpuSeconds } = await running.measure();
    if (running === us) busy.push(cpuSeconds / seconds);
    return (time === "wall" ? seconds : cpuSeconds) * (unit === "GFLOP/s" ? flop / running.ready.flop : 1);
  };
  const { ratio, range, control, ...times } = await pairedRatio(side(us), side(them), { rounds });
  const work = unit === "GFLOP/s" ? flop / 1e9 : sides.work;
  return {
    name,
    ours: digits(work / times.ours),
    peer: digits(work / times.peer),
    unit,
    ratio: digits(ratio),
    goal,
    holds: verdict({ ratio, control }, goal),
    control: digits(control),
    range: [digits(range[0]), digits(range[1])],
    busy: digits(median(busy)),
    versions: [us.ready.version, them.ready.version],
  };
}

async function runMemory({ name, ours, peer, unit, goal }: MemoryRow): Promise<Measured> {
  const peaks: number[] = [];
  const versions: string[] = [];
  for (const side of [ours, peer]) {
    await using running = await begin(side);
    if (!running) return { name, ours: peaks[0] ?? null, peer: null, unit, ratio: null, goal, holds: "peer absent" };
    for (let n = 0; n < 6; n++) await running.measure(0);
    peaks.push(digits((await seen(running.pid)).peak / 1e6));
    versions.push(running.ready.version);
  }
  const ratio = digits(peaks[1]! / peaks[0]!);
  return { name, ours: peaks[0]!, peer: peaks[1]!, unit, ratio, goal, holds: ratio >= goal, versions };
}

function requireSame(name: string, us: Running, them: Running): void {
  const [own, other] = [us.ready.logit, them.ready.logit];
  if (own !== undefined && other !== undefined && Math.abs(own - other) > 1e-3) {
    throw new MammolabError(
      `Cannot compare "${name}": the sides answer ${own} and ${other}; they do not do the same`,
    );
  }
}

async function runLimit(
  { name, measure, net, unit, goal }: LimitRow,
  { rounds }: { readonly rounds: number },
): Promise<Measured> {
  const folder = await weightsOf(net);
  const ours = digits(await limits[measure](net, folder, rounds));
  return { name, ours, peer: null, unit, ratio: digits(ours / goal), goal, holds: ours <= goal };
}

const limits: Readonly<Record<LimitRow["measure"], (net: string, folder: string, rounds: number) => Promise<number>>> =
  {
    peakMemory: async (net) => (await memoryOf(net)).peak / 1e6,
    memoryAfterClose: async (net) => (await memoryOf(net)).afterClose / 1e6,
    firstPrediction: (_, folder, rounds) =>
      medianOf(
        rounds,
        () =>
          seconds(
            ["--allow-read", "--allow-ffi=./node_modules", "--allow-env", "--allow-sys"],
            "_first_prediction.ts",
            folder,
          ),
      ),
    optimizerShare: async (net, _, rounds) => {
      await using running = await begin({ runs: "step", net, batch: 8, threads: 1 });
      const shares: number[] = [];
      for (let n = 0; n < rounds; n++) {
        const { seconds, optimizerSeconds } = await running!.measure(0);
        shares.push(100 * optimizerSeconds! / seconds);
      }
      return median(shares);
    },
    importWithoutNativeCode: (_, __, rounds) =>
      medianOf(rounds, () => seconds(["--allow-read", "--deny-ffi"], "_import_only.ts")),
  };

async function memoryOf(net: string): Promise<{ readonly peak: number; readonly afterClose: number }> {
  await using running = await begin({ runs: "predict", net, batch: 1, threads: 2 });
  for (let n = 0; n < 5; n++) await running!.measure(0);
  const { peak } = await seen(running!.pid);
  await running!.ask("close");
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { peak, afterClose: (await seen(running!.pid)).now };
}

async function seen(pid: number): Promise<{ readonly peak: number; readonly now: number }> {
  return JSON.parse(await output(["-A"], "_memory.ts", `${pid}`));
}

/** Seconds from the start of a process to its end. */
async function seconds(rights: readonly string[], file: string, ...args: string[]): Promise<number> {
  const start = performance.now();
  await output(["--no-prompt", ...rights], file, ...args);
  return (performance.now() - start) / 1000;
}

async function output(rights: readonly string[], file: string, ...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("deno", {
    args: ["run", "-q", ...rights, new URL(file, import.meta.url).pathname, ...args],
    cwd: new URL("../../", import.meta.url).pathname,
    stderr: "inherit",
  }).output();
  if (!success) throw new MammolabError(`Cannot measure with ${file}: it failed; see the lines above`);
  return new TextDecoder().decode(stdout);
}

async function medianOf(rounds: number, once: () => Promise<number>): Promise<number> {
  await once(); // fills the file cache
  const values: number[] = [];
  for (let n = 0; n < rounds; n++) values.push(await once());
  return median(values);
}

async function begin(side: SideOf): Promise<Running | undefined> {
  return await start({ ...side, folder: await weightsOf(side.net) });
}

const folders = new Map<string, string>();

/** Random weights, made once and kept in the cache; every side reads the same file. */
async function weightsOf(net: string): Promise<string> {
  const known = folders.get(net);
  if (known) return known;
  await using model = await loadModel(net, { provider: "cpu", seed: 1, threads: 1 });
  folders.set(net, model.folder);
  return model.folder;
}

function digits(value: number): number {
  return Number(value.toPrecision(4));
}
