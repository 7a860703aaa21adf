import { Worker } from "node:worker_threads";
import { MammolabError } from "../base/mod.ts";
import type { Ink, Picture } from "./_canvas.ts";
import type { StillsJob, StillsResult, TextLine } from "./_stills_worker.ts";
import type { PlotlyFigure } from "./plotly.ts";

/** Draws lines of text as ink, in the font of all pictures. */
export async function inkOf(lines: readonly TextLine[]): Promise<readonly Ink[]> {
  return await ask({ kind: "text", lines }) as readonly Ink[];
}

/** Draws a plotly figure, without a browser. */
export async function chartPicture(
  figure: PlotlyFigure,
  { height, width, scale }: { readonly height: number; readonly width: number; readonly scale: number },
): Promise<Picture> {
  return await ask({ kind: "chart", figure, height, width, scale }) as Picture;
}

type Waiting = { resolve: (result: StillsResult) => void; reject: (error: unknown) => void };
type Answer = { id: number; result: StillsResult; error?: undefined } | { id: number; error: string };

let worker: Worker | undefined;
let last = 0;
const waiting = new Map<number, Waiting>();

/** One worker for all pictures, made at the first; it holds the process alive only while it has work. */
function ask(job: StillsJob): Promise<StillsResult> {
  worker ??= openWorker();
  worker.ref();
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.postMessage({ id, job });
  });
}

function openWorker(): Worker {
  const opened = new Worker(new URL("./_stills_worker.ts", import.meta.url));
  opened.on("message", (answer: Answer) => {
    const { resolve, reject } = waiting.get(answer.id)!;
    waiting.delete(answer.id);
    if (waiting.size === 0) opened.unref();
    if (answer.error === undefined) resolve(answer.result);
    else reject(drawingError(answer.error));
  });
  opened.on("error", (cause: unknown) => {
    worker = undefined; // the next picture gets a new one
    for (const { reject } of waiting.values()) reject(drawingError(cause));
    waiting.clear();
  });
  return opened;
}

function drawingError(cause: unknown): MammolabError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const firstLine = found.split("\n")[0];
  const fix = /--allow-(\w+)/.exec(found)?.[0] ?? "";
  return new MammolabError(
    `Cannot draw the picture: ${firstLine}; ${
      fix
        ? `run the program with ${fix}, or take the figure's plotly JSON`
        : "take the figure's plotly JSON, which needs no drawing"
    }`,
    { cause },
  );
}
