// Our side of the rows on pixels, in a process of its own: one line of JSON when ready, then `run N` → the time of one image.
import process from "node:process";
import { phantomExam } from "../../lib/datasets/mod.ts";
import { type Image, imageOf, type Preparation, resizeTo } from "../../lib/image/mod.ts";
import { encodePng } from "../../lib/io/mod.ts";
import {
  batch,
  brightness,
  color,
  contrast,
  createFlow,
  noise,
  resizedCrop,
  rotation,
  saturation,
  scale,
  stackImages,
  type Step,
  translation,
} from "../../lib/prepare/mod.ts";
import { lines, type Ready, type Timing } from "./_subject.ts";

/** One side of a comparison of work on pixels. */
export type ImageSide = {
  readonly runs: "ours" | "torchvision";
  readonly work: keyof typeof operations | "resize" | "flow";
  /** Of a `flow` (decode, prepare, augment, stack): its workers. */
  readonly threads: number;
  /** Of our flow: Workers in place of processes. */
  readonly trusted?: boolean;
};

/**
 * What is done to 224 × 224 × 3; the same numbers stand in image_peer.py. The result goes into an array that is there, as in a
 * pipeline: PyTorch's allocator gives its memory back to it too, a new array of JavaScript is fetched from the system (0.1 ms).
 */
const operations = {
  noise: (film: Image, into: Float32Array) => () => noise(film, { kind: "gaussian", level: 0.05, seed: 1 }, into),
  rotation: (film: Image, into: Float32Array) => () => rotation(film, { degrees: 17 }, into),
  translation: (film: Image, into: Float32Array) => () => translation(film, { x: 0.1, y: -0.05 }, into),
  contrast: (film: Image, into: Float32Array) => () => contrast(film, { factor: 1.3 }, into),
  saturation: (film: Image, into: Float32Array) => () => saturation(film, { factor: 0.6 }, into),
  color: (film: Image, into: Float32Array) => () => color(film, { turn: 0.1 }, into),
  brightness: (film: Image, into: Float32Array) => () => brightness(film, { factor: 1.2 }, into),
  scale: (film: Image, into: Float32Array) => () => scale(film, { factor: 1.2 }, into),
  crop: (film: Image, into: Float32Array) => () =>
    resizedCrop(film, { x: 0.125, y: 0.0625, width: 0.75, height: 0.75 }, into),
} as const;

const version = `mammolab on Deno ${Deno.version.deno}`;

if (import.meta.main) await serve(JSON.parse(Deno.args[0]!));

async function serve(side: ImageSide): Promise<void> {
  const { ready, run, close } = side.work === "flow" ? await openFlow(side) : onePicture(side.work);
  const say = (value: object) => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  say(ready);
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(lines())) {
    say(await run(Number(line.split(" ")[1])));
  }
  await close();
}

type Work = {
  readonly ready: Ready;
  /** Mean over so many. */
  readonly run: (count: number) => Promise<Timing>;
  readonly close: () => Promise<void>;
};

function onePicture(work: Exclude<ImageSide["work"], "flow">): Work {
  const film = work === "resize" ? picture(4000, 3000, 1) : picture(224, 224, 3);
  const resize = resizeTo({ height: 224, width: 224, filter: "bilinear" });
  const into = new Float32Array(film.data.length);
  const step = work === "resize" ? () => resize(film) : operations[work](film, into);
  const { data } = step();
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  for (let warm = 0; warm < 200; warm++) step();
  return {
    ready: { version, flop: 0, ...(work === "noise" ? {} : { logit: mean }) },
    run: (count) => timed(count, () => Promise.resolve(void step())),
    close: () => Promise.resolve(),
  };
}

async function openFlow({ threads, trusted = false }: ImageSide): Promise<Work> {
  const files = await films();
  const preparation: Preparation = {
    crop: "none",
    face: "none",
    resize: { height: 384, width: 192, filter: "bilinear", fit: "stretch" },
    range: "display",
    mean: [0.5],
    std: [0.25],
    channels: 1,
  };
  const augmentations: readonly Step[] = [
    {
      name: "affine",
      options: { rotation: { degrees: 10 }, translation: { x: 0.05, y: 0.05 }, scale: { low: 0.9, high: 1.1 } },
    },
    { name: "brightness", options: { strength: 0.2 } },
    { name: "contrast", options: { strength: 0.2 } },
    { name: "noise", options: { kind: "gaussian", low: 0.01, high: 0.03 } },
  ];
  const flow = createFlow({ preparation, augmentations, workers: threads, trusted });
  const items = files.map((file) => ({
    film: { id: file, labels: {}, lesions: [], file, dataset: "bench", oddities: [] },
  }));
  let epoch = 0;
  const pass = async () => {
    let images = 0;
    for await (const outcomes of batch(flow.prepareAll(items, { epoch: epoch++ }), { size: 8 })) {
      const prepared = outcomes.map((outcome) => {
        if ("error" in outcome) throw outcome.error;
        return outcome.result.image;
      });
      images += stackImages(prepared).shape[0];
    }
    if (images !== files.length) throw new Error(`${images} of ${files.length} films came out`);
  };
  await pass();
  return {
    ready: { version, flop: 0 },
    run: async () => {
      const { seconds, cpuSeconds } = await timed(1, pass);
      return { seconds: seconds / files.length, cpuSeconds: cpuSeconds / files.length };
    },
    close: flow.close,
  };
}

/** Sixteen phantom films of 2400 × 1800 pixels as 16-bit PNG, drawn once. */
async function films(): Promise<string[]> {
  const folder = new URL("../../.cache/bench/films/", import.meta.url).pathname;
  const names = Array.from({ length: 16 }, (_, k) => `${folder}${String(k).padStart(2, "0")}.png`);
  if (await Deno.stat(names.at(-1)!).then(() => true, () => false)) return names;
  await Deno.mkdir(folder, { recursive: true });
  for (let seed = 0; seed < 4; seed++) {
    for (const [k, { pixels, height, width }] of phantomExam(seed, { mm: 0.1 }).views.entries()) {
      await Deno.writeFile(names[4 * seed + k]!, encodePng(pixels.map((value) => 16 * value), { height, width }));
    }
  }
  return names;
}

/** The same pixels as in image_peer.py. */
function picture(height: number, width: number, channels: number): Image {
  const data = Float32Array.from({ length: height * width * channels }, (_, k) => (k * 40503 % 65536) / 65535);
  return imageOf(data, { height, width, channels });
}

async function timed(count: number, work: () => Promise<void>): Promise<Timing> {
  const [start, cpu] = [performance.now(), cpuNow()];
  for (let k = 0; k < count; k++) await work();
  return { seconds: (performance.now() - start) / 1000 / count, cpuSeconds: (cpuNow() - cpu) / count };
}

function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
