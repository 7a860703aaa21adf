import { type Body, createPool, type Pool, type PoolOptions, wholeBody } from "../base/mod.ts";
import { type DecodeJob, type Inspected, type Loaded, work } from "./_decode.ts";
import { jpegDecoderAsks } from "./decode_jpeg.ts";

/** Processes that decode files from outside; pass one to `loadMammogram`, close it with `await using`. */
export type DecodingPool = Pool<unknown, unknown>;

/**
 * Makes processes that decode. Without one, all calls share one that is made when it is first needed and does not keep a
 * script from ending.
 *
 * @param options.size how many files are decoded at once; default: the number of cores, at most 4
 */
export function decodingPool(options: Pick<PoolOptions, "size" | "memoryBytes" | "idleMs"> = {}): DecodingPool {
  const module = new URL("./_decode.ts", import.meta.url);
  return createPool({ carrier: "child", module, env: [jpegDecoderAsks], ...options });
}

let shared: DecodingPool | undefined;

/** Where and how a file is decoded. */
export type DecodeOptions = {
  /** Decodes in this process, without a deadline: only for files that we made ourselves, such as phantoms. */
  readonly trusted?: boolean;
  /** The processes to use; default: shared ones. */
  readonly pool?: DecodingPool;
  /** Stops the decoding. */
  readonly signal?: AbortSignal;
};

/**
 * Decodes a file in a process that can be stopped, or in this one where it is trusted.
 *
 * @typeParam Result `Loaded` for a job to load, `Inspected` for one to inspect
 */
export async function decode<Result extends Loaded | Inspected>(
  job: DecodeJob,
  body: Body,
  { trusted = false, pool, signal }: DecodeOptions,
): Promise<Result> {
  signal?.throwIfAborted();
  if (trusted) return await work(job, await wholeBody(body)) as Result;
  const run = { what: `read ${job.file}`, body, deadlineMs: job.limits.deadlineMs, ...(signal ? { signal } : {}) };
  return await (pool ?? (shared ??= decodingPool())).run(job, run) as Result;
}
