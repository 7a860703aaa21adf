// The only file that loads TensorFlow.js, and only when it is asked for: importing lib/engine loads nothing of it.
import { createRequire } from "node:module";
import { MammolabError, sentenceOf } from "../base/mod.ts";
import {
  erf,
  evaluate,
  evaluateTfjs,
  gradients,
  input,
  matmul,
  sum,
  type TensorFlow,
  type TfjsTensor,
} from "../graph/mod.ts";

/** The builds of TensorFlow.js. */
export type TfjsPackage = "@tensorflow/tfjs-node-gpu" | "@tensorflow/tfjs-node" | "@tensorflow/tfjs";

/** The order in which they are tried: a graphics card, native code, JavaScript alone. */
export const tfjsPackages: readonly TfjsPackage[] = [
  "@tensorflow/tfjs-node-gpu",
  "@tensorflow/tfjs-node",
  "@tensorflow/tfjs",
];

/** The release of all of them that deno.optional.lock holds. */
const version = "4.22.0";

/** Whether a build of TensorFlow.js runs here, tried for real. */
export type TfjsCheck =
  | {
    readonly package: TfjsPackage;
    readonly works: true;
    /** On what it runs, and how it compared with Float64. */
    readonly detail: string;
  }
  | {
    readonly package: TfjsPackage;
    readonly works: false;
    /** What was found. */
    readonly reason: string;
    /** What to do. */
    readonly fix: string;
  };

/** TensorFlow.js, ready. */
export type Tfjs = {
  readonly tf: TensorFlow;
  readonly package: TfjsPackage;
  /** Those that were tried, the one that works last. */
  readonly checks: readonly TfjsCheck[];
};

/** Which builds are tried, and how one is loaded. */
export type TfjsOptions = {
  /** Default `tfjsPackages`. */
  readonly packages?: readonly TfjsPackage[];
  /** Gives the namespace of a package, or throws; default: from the folder node_modules. */
  readonly load?: (name: TfjsPackage) => unknown;
};

// No `import`: one that the lock file does not hold fails, and from then on so does every Worker of the process that loads a
// package (Deno 2.9.6).
const require = createRequire(import.meta.url);

/**
 * Loads the first build of TensorFlow.js that computes a small network and its gradient rightly.
 *
 * None is among the packages that every task fetches. The one in JavaScript is installed by
 * `deno cache --lock=deno.optional.lock --frozen npm:@tensorflow/tfjs@4.22.0`; `deno install` removes it again.
 *
 * @throws MammolabError when none works: what each lacks and how to install it
 *
 * @example
 * ```ts ignore
 * import { openTfjs } from "mammolab/engine";
 * const { tf, package: name } = await openTfjs();
 * ```
 */
export async function openTfjs({ packages = tfjsPackages, load = require }: TfjsOptions = {}): Promise<Tfjs> {
  const checks: TfjsCheck[] = [];
  for (const name of packages) {
    const { check, tf } = await tried(name, load);
    checks.push(check);
    if (tf) return { tf, package: name, checks };
  }
  const [reasons, last] = [checks.map(whyNot).join("; "), checks.at(-1)];
  throw new MammolabError(
    `Cannot run with TensorFlow.js: ${reasons}; ${last && !last.works ? last.fix : "name a package to try"}`,
  );
}

/**
 * Tries one build of TensorFlow.js for real: loads it, computes a small network and its gradient, compares with Float64.
 * Each in a process of its own, because they share one registry, and native code may end the process that loads it.
 */
export async function tryTfjs(name: TfjsPackage, { load = require }: Pick<TfjsOptions, "load"> = {}): Promise<
  TfjsCheck
> {
  return (await tried(name, load)).check;
}

async function tried(
  name: TfjsPackage,
  load: (name: TfjsPackage) => unknown,
): Promise<{ check: TfjsCheck; tf?: TensorFlow }> {
  const loud = quieted();
  let tf: TensorFlow | undefined;
  try {
    shim();
    tf = load(name) as TensorFlow;
    if (name === "@tensorflow/tfjs") await tf.setBackend("cpu");
    await tf.ready();
    const error = probe(tf);
    if (!(error <= 1e-4)) throw new MammolabError(`its numbers are wrong by ${error.toExponential(1)}`);
    const place = tf.backend().isUsingGpuDevice ? "the graphics card" : "the processor";
    return { check: { package: name, works: true, detail: `runs on ${place}, error ${error.toExponential(1)}` }, tf };
  } catch (error) {
    // The builds share one registry: the next one would get the back end of this one.
    removeBackend(tf);
    return { check: { package: name, works: false, ...remedy(name, error) } };
  } finally {
    loud();
  }
}

/** The largest error of a small network and its gradient. The import alone proves nothing: much fails at the first operation. */
function probe(tf: TensorFlow): number {
  const [x, w] = [input("x", [1, 2]), input("w", [2, 2])];
  const y = erf(matmul(x, w));
  const loss = sum(y);
  const feeds = { x: { shape: [1, 2], data: [0.1, 0.2] }, w: { shape: [2, 2], data: [1, 2, 3, 4] } };
  const exact = evaluate(
    { loss, dx: gradients(loss, [x]).get(x)! },
    Object.fromEntries(
      Object.entries(feeds).map(([leaf, { shape, data }]) => [leaf, { shape, data: Float64Array.from(data) }]),
    ),
  );
  const found = tf.tidy(() => {
    const [own, weight] = [feeds.x, feeds.w].map(({ data, shape }) => tf.tensor(data, shape, "float32"));
    const run = (...[x]: readonly TfjsTensor[]) => evaluateTfjs(tf, { loss }, { x: x!, w: weight! }).loss;
    const { value, grads } = tf.valueAndGrads(run)([own!]);
    return [value, ...grads].flatMap((tensor) => [...tensor.dataSync()]);
  });
  const errors = [...exact.loss!.data, ...exact.dx!.data].map((value, i) => Math.abs(found[i]! - value));
  return Math.max(...errors); // NaN where one is NaN
}

function whyNot(check: TfjsCheck): string {
  return `${check.package}: ${check.works ? check.detail : check.reason}`;
}

function remedy(name: TfjsPackage, error: unknown): { readonly reason: string; readonly fix: string } {
  const text = error instanceof Error ? error.message : String(error);
  const scripts = name === "@tensorflow/tfjs" ? "" : ` --allow-scripts=npm:${name}`;
  const install = `run deno cache --lock=deno.optional.lock --frozen${scripts} npm:${name}@${version}`;
  const fix = name === "@tensorflow/tfjs-node-gpu" ? `with CUDA 11.2 and cuDNN 8 ${install}` : install;
  if ((error as { readonly code?: unknown }).code === "MODULE_NOT_FOUND") return { reason: "it is not installed", fix };
  if (/native addon module/.test(text)) {
    return {
      reason: "its native part is missing, which its install script fetches from storage.googleapis.com",
      fix,
    };
  }
  const right = text.match(/requires (\w+) access/i)?.[1];
  if (right) return { reason: `it needs the right to ${right}`, fix: `run with --allow-${right}` };
  return { reason: sentenceOf(error), fix: `${fix}, or use the engine onnx` };
}

/** tfjs-node 4.22.0 calls a function at its first operation that Node 23 and Deno no longer have (tensorflow/tfjs 8425). */
function shim(): void {
  const util = require("node:util");
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
}

/** Holds back what TensorFlow.js says about itself (an advertisement, 160 lines about kernels); gives a function that ends it. */
function quieted(): () => void {
  const { console } = globalThis;
  const { warn } = console;
  console.warn = (...words: unknown[]) => {
    if (!/TensorFlow\.js|is already registered/.test(String(words[0]))) warn.apply(console, words);
  };
  return () => void (console.warn = warn);
}

function removeBackend(tf: TensorFlow | undefined): void {
  try {
    tf?.removeBackend(tf.getBackend());
  } catch { /* it has none */ }
}
