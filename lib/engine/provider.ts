import { MammolabError, sentenceOf } from "../base/mod.ts";
import { startWorker } from "./_link.ts";
import { missingHere } from "./_missing.ts";
import { type Probe, probe } from "./_probe.ts";
import { openBlockingSession, type Provider } from "./native.ts";

/** Whether a provider runs here, tried for real. */
export type ProviderCheck =
  | {
    readonly provider: Provider;
    readonly works: true;
    /** How it compared with plain arithmetic and, off the processor, how fast it was. */
    readonly detail: string;
  }
  | {
    readonly provider: Provider;
    readonly works: false;
    /** What was found. */
    readonly reason: string;
    /** What to do. */
    readonly fix: string;
  };

/** The order in which `auto` tries. */
export const fastestFirst: readonly Provider[] = ["cuda", "webgpu", "cpu"];

/**
 * Tries each provider for real, each in a Worker of its own: starts it, runs a small graph, compares the numbers.
 *
 * @example
 * ```ts ignore
 * import { tryProviders } from "mammolab/engine";
 * for (const check of await tryProviders()) console.log(check.provider, check.works);
 * ```
 */
export async function tryProviders(providers: readonly Provider[] = fastestFirst): Promise<ProviderCheck[]> {
  const checks: ProviderCheck[] = [];
  for (const provider of providers) {
    const missing = await missingHere(provider);
    if (missing) {
      checks.push(missing);
      continue;
    }
    const link = startWorker();
    try {
      checks.push(await link.call<"check">({ kind: "check", provider }));
    } catch (error) {
      checks.push({ provider, works: false, reason: sentenceOf(error), fix: "run deno install, then try again" });
    } finally {
      await link.close();
    }
  }
  return checks;
}

/** How far a right answer of the probe, whose values are near 1, may be off: sums in another order; TF32 products on CUDA. */
const tolerance: Readonly<Record<Provider, number>> = { cpu: 1e-4, webgpu: 1e-3, cuda: 2e-2 };

/**
 * Starts a provider in this thread and runs the probe on it: the processor is compared with Float64 arithmetic, the others
 * with the processor. A provider list of ONNX Runtime does not fall back but throws, and some drivers start and give wrong
 * numbers.
 *
 * @param mustBeFaster refuse a provider that is slower than the processor: a graphics card in software passes all else
 */
export async function checkProvider(
  provider: Provider,
  { mustBeFaster }: { readonly mustBeFaster: boolean },
): Promise<ProviderCheck> {
  try {
    // The small graph finds out a card in software, which would work on the large one for many seconds.
    const small = await compare(provider, 64, { slowestMs: mustBeFaster ? 20 : Infinity });
    return mustBeFaster && small.works ? await compare(provider, 512, { slowestMs: "processor" }) : small;
  } catch (error) {
    return { provider, works: false, ...whyNot(provider, error) };
  }
}

async function compare(
  provider: Provider,
  side: number,
  { slowestMs }: { readonly slowestMs: number | "processor" },
): Promise<ProviderCheck> {
  const here = probe(side);
  const tried = await runTwice(here, provider);
  const processor = provider === "cpu" ? undefined : await runTwice(here, "cpu");
  const error = largestError(tried.values, processor?.values ?? here.expected());
  const fails = (reason: string, fix: string): ProviderCheck => ({ provider, works: false, reason, fix });
  if (!(error <= tolerance[provider])) {
    return fails(
      `its numbers are wrong by ${error.toExponential(1)}`,
      "update the graphics driver, or use the provider cpu",
    );
  }
  const detail = `error ${error.toExponential(1)}`;
  if (!processor) return { provider, works: true, detail };
  const times = `${tried.milliseconds.toFixed(1)} ms for a test graph, the processor takes ${
    processor.milliseconds.toFixed(1)
  } ms`;
  if (tried.milliseconds > (slowestMs === "processor" ? processor.milliseconds : slowestMs)) {
    return fails(`it is slower than the processor: ${times}`, "use the provider cpu");
  }
  return { provider, works: true, detail: `${detail}, ${times}` };
}

/** The second run counts: the first one compiles shaders. */
async function runTwice({ model, feeds }: Probe, provider: Provider) {
  await using session = await openBlockingSession({ model, provider, name: `a small graph on ${provider}` });
  await session.run(feeds);
  const start = performance.now();
  const { y } = await session.run<"y">(feeds);
  return { values: y.data as Float32Array, milliseconds: performance.now() - start };
}

function largestError(found: Float32Array, expected: Float32Array | Float64Array): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((found[i] as number) - (expected[i] as number))); // NaN where one is NaN
  }
  return worst;
}

function whyNot(provider: Provider, error: unknown): { readonly reason: string; readonly fix: string } {
  const text = `${sentenceOf(error)} ${
    error instanceof MammolabError && error.cause instanceof Error ? error.cause.message : ""
  }`;
  if (/ffi access|read access|not installed/.test(text)) {
    const [reason, fix] = sentenceOf(error).replace(/^Cannot [^:]*: /, "").split("; ");
    return { reason: reason ?? text, fix: fix ?? "run deno install" };
  }
  if (provider === "cuda") {
    return {
      reason: /backend not found/.test(text)
        ? "ONNX Runtime has no CUDA for this system"
        : "the CUDA part of ONNX Runtime, or CUDA and cuDNN themselves, could not be loaded",
      fix: "install CUDA 12 and cuDNN 9 and fetch the CUDA part (CONTRIBUTING, Providers), or use the provider cpu",
    };
  }
  if (provider === "webgpu") {
    return /backend not found/.test(text)
      ? { reason: "ONNX Runtime has no WebGPU for this system", fix: "use the provider cpu" }
      : {
        reason: /adapter/i.test(text)
          ? "no graphics card with a Vulkan, Metal or Direct3D 12 driver was found"
          : sentenceOf(error),
        fix: "install or update the graphics driver, or use the provider cpu",
      };
  }
  return { reason: sentenceOf(error), fix: "run deno install, then try again" };
}
