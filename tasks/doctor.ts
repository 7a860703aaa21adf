import { availableParallelism } from "node:os";
import { cacheFolder, sentenceOf, writeFileAtomic } from "../lib/base/mod.ts";
import {
  type Provider,
  type ProviderCheck,
  type TfjsCheck,
  type TfjsPackage,
  tfjsPackages,
  tryProviders,
  tryTfjs,
} from "../lib/engine/mod.ts";
import { rollout } from "../lib/explain/mod.ts";
import { encodePng, loadMammogram } from "../lib/io/mod.ts";
import { loadModel } from "../lib/model/mod.ts";
import { attention, chart } from "../lib/plot/mod.ts";
import { task } from "./_task.ts";

/** One thing that was tried. */
type Check = {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do where it is not ok. */
  readonly fix?: string;
  /** Without it there is another way: it does not count as a failure. */
  readonly optional?: true;
};

/** What a check returns, or throws: the detail, in words. */
type Attempt = { readonly name: string; readonly fix: string; readonly try: () => Promise<string> };

const oldestDeno = [2, 9] as const;

/**
 * In a process of its own, because a broken graphics driver may end the process that loads it.
 *
 * @returns how the process ended where it did not answer; nothing where it could not be started: Deno refuses to hand
 * LD_LIBRARY_PATH on, which a graphics driver may need
 */
async function tryElsewhere<Found>(file: string, what: string): Promise<Found | string | undefined> {
  const script = new URL(file, import.meta.url).pathname;
  const command = new Deno.Command("deno", {
    args: ["run", "-q", "-P=work", "--no-prompt", script, what],
    stderr: "null",
    signal: AbortSignal.timeout(60_000),
  });
  try {
    const { code, signal, stdout } = await command.output();
    return code === 0 ? JSON.parse(new TextDecoder().decode(stdout)) : signal ?? `code ${code}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

const side = 64;
/** A disk of tissue against the left edge, 12 bits: enough of a breast for all steps. */
const film = encodePng(
  Uint16Array.from({ length: side * side }, (_, at) => {
    const [x, y] = [at % side, Math.floor(at / side)];
    return Math.hypot(x, y - side / 2) < side / 2.5 ? 1800 + ((at * 31) % 700) : 0;
  }),
  { height: side, width: side },
);
const loadFilm = () => loadMammogram(film, { name: "doctor_L-CC.png" });

const attempts: readonly Attempt[] = [
  {
    name: "Deno",
    fix: "run npx -y deno@2.9.6 task doctor, or install that version",
    try: () => {
      const found = Deno.version.deno.split(".").map(Number);
      const [major, minor] = oldestDeno;
      const enough = found[0]! > major || (found[0] === major && found[1]! >= minor);
      if (!enough) throw new Error(`version ${Deno.version.deno}, ${major}.${minor} or later is needed`);
      return Promise.resolve(
        `${Deno.version.deno} on ${Deno.build.os} ${Deno.build.arch}, ${availableParallelism()} cores`,
      );
    },
  },
  {
    name: "memory",
    fix: "close other programs, or use a small network: ViT-Base takes half a gigabyte",
    try: () => {
      const { total, available } = Deno.systemMemoryInfo();
      const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
      if (available < 1e9) throw new Error(`${gigabytes(available)} of ${gigabytes(total)} are free`);
      return Promise.resolve(`${gigabytes(available)} of ${gigabytes(total)} are free`);
    },
  },
  {
    name: "files",
    fix: "run it from the folder of the project, in which out/ and .cache/ may be written",
    try: async () => `${await writes("out")} and ${await writes(await cacheFolder())} can be written`,
  },
  {
    name: "decoding",
    fix: "check that deno is on the PATH: films are decoded in a process of its own",
    try: async () => {
      const { image } = await loadFilm();
      if (image.height !== side || !(image.data[side * side / 2]! > 0.4)) throw new Error("the decoded film is wrong");
      return "a film was decoded in another process";
    },
  },
  {
    name: "model",
    fix: "delete .cache/models, and see above whether the engine works",
    try: async () => {
      await using model = await loadModel();
      const { scores, trained } = await model.predict(await loadFilm());
      const sum = Object.values(scores).reduce((total, score) => total + score, 0);
      if (!(Math.abs(sum - 1) < 1e-5)) throw new Error(`the scores add up to ${sum}`);
      return `${model.name}${trained ? "" : ", untrained,"} predicts on ${model.provider}`;
    },
  },
  {
    name: "overlay",
    fix: "run deno install: the picture needs imagescript",
    try: async () => {
      await using model = await loadModel();
      const mammogram = await loadFilm();
      const { attention: layers } = await model.predict(mammogram, { attention: true });
      return `attention over a film, ${await pngSize(attention(mammogram, rollout(layers)))}`;
    },
  },
  {
    name: "figures",
    fix: "run deno install: stills of figures need plotly.js, happy-dom and @resvg/resvg-js",
    try: async () =>
      `a plotly figure as a picture, ${await pngSize(
        chart({ data: [{ type: "scatter", y: [1, 3, 2] }], layout: {} }, { text: "A test" }),
      )}`,
  },
];

await task({
  name: "doctor",
  summary: "What works on this machine: each part is tried for real.",
  usage: "deno task doctor",
  example: "deno task doctor --json",
  run: async ({ signal, progress, failure }) => {
    const checks: Check[] = [];
    const steps: (() => Promise<Check>)[] = [
      ...attempts.slice(0, 3).map((attempt) => () => checkOf(attempt)),
      ...(["cpu", "webgpu", "cuda"] as const).map((provider) => () => providerCheck(provider)),
      ...tfjsPackages.map((name) => () => tfjsCheck(name)),
      ...attempts.slice(3).map((attempt) => () => checkOf(attempt)),
    ];
    for (const step of steps) {
      const check = await step();
      if (signal.aborted) break; // Ctrl-C reached the process that tried it, too
      if (!check.ok && !check.optional) failure();
      checks.push(check);
      progress({ done: checks.length, total: steps.length, unit: "checks" });
    }
    return { checks, stopped: signal.aborted };
  },
  print: ({ checks, stopped }) => {
    const width = Math.max(0, ...checks.map(({ name }) => name.length));
    const lines = checks.map(({ name, ok, optional, detail, fix }) => {
      const line = `${ok ? "ok" : optional ? "--" : "NO"}  ${name.padEnd(width)}  ${detail}`;
      return ok || !fix ? line : `${line}\n    ${" ".repeat(width)}  → ${fix}`;
    });
    const failed = checks.filter(({ ok, optional }) => !ok && !optional).length;
    return [
      ...lines,
      "",
      failed > 0
        ? `${failed} of ${checks.length} do not work`
        : stopped
        ? `Stopped after ${checks.length} checks`
        : "Everything that is needed works",
    ]
      .join("\n");
  },
});

async function checkOf({ name, fix, try: attempt }: Attempt): Promise<Check> {
  try {
    return { name, ok: true, detail: await attempt() };
  } catch (error) {
    return { name, ok: false, detail: sentenceOf(error), fix };
  }
}

async function providerCheck(provider: Provider): Promise<Check> {
  const name = `engine on ${provider}`;
  const optional = provider === "cpu" ? {} : { optional: true } as const;
  const tried = await tryElsewhere<ProviderCheck>("./_try_provider.ts", provider);
  const check = tried ?? (await tryProviders([provider]))[0]!;
  return engineCheck(name, check, "update the graphics driver, or run deno install", optional);
}

/** The second engine, which nothing needs. */
async function tfjsCheck(name: TfjsPackage): Promise<Check> {
  const tried = await tryElsewhere<TfjsCheck>("./_try_tfjs.ts", name);
  return engineCheck(name, tried ?? await tryTfjs(name), "use the engine onnx", { optional: true });
}

function engineCheck(
  name: string,
  check: ProviderCheck | TfjsCheck | string,
  fix: string,
  optional: Pick<Check, "optional">,
): Check {
  if (typeof check === "string") {
    return { name, ok: false, detail: `the process that tried it ended with ${check}`, fix, ...optional };
  }
  if (check.works) return { name, ok: true, detail: check.detail };
  return { name, ok: false, detail: check.reason, fix: check.fix, ...optional };
}

async function writes(folder: string): Promise<string> {
  const path = `${folder}/doctor-${crypto.randomUUID()}`;
  await writeFileAtomic(path, "written by deno task doctor");
  await Deno.remove(path);
  return folder;
}

async function pngSize({ toPng }: { readonly toPng: () => Promise<Uint8Array> }): Promise<string> {
  const bytes = await toPng();
  if (bytes[1] !== 0x50) throw new Error("the picture is no PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return `${view.getUint32(16)} × ${view.getUint32(20)} pixels`;
}
