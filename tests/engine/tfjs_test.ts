import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { openTfjs, type TfjsCheck, type TfjsPackage, tfjsPackages, tryTfjs } from "mammolab/engine";
import { withTfjs } from "../_tfjs.ts";

/** What an import throws, as it was seen in Deno 2.9.6. */
const failures: readonly (readonly [name: TfjsPackage, thrown: string, reason: RegExp, fix: RegExp])[] = [
  [
    "@tensorflow/tfjs-node-gpu",
    "The Node.js native addon module (tfjs_binding.node) can not be found at path: /a/b.node. \nPlease run …",
    /^its native part is missing/,
    /^with CUDA 11\.2 and cuDNN 8 run deno cache --lock=deno\.optional\.lock .*--allow-scripts=npm:@tensorflow\/tfjs-node-gpu npm:@tensorflow\/tfjs-node-gpu@4\.22\.0$/,
  ],
  [
    "@tensorflow/tfjs-node",
    "The lockfile is out of date. Run `deno install --frozen=false`, or …",
    /^the lock file of this program does not hold it$/,
    /^start with deno run --lock=deno\.optional\.lock --frozen$/,
  ],
  [
    "@tensorflow/tfjs",
    "Failed caching npm package 'a@1'\n    0: npm package not found in cache: \"a\", --cached-only is specified.",
    /^it is not installed and could not be fetched$/,
    /^with a network run deno cache .* npm:@tensorflow\/tfjs@4\.22\.0$/,
  ],
  [
    "@tensorflow/tfjs-node",
    'Requires env access to "node_pre_gyp_mock_s3", run again with the --allow-env flag',
    /^it needs the right to env$/,
    /^run with --allow-env$/,
  ],
];

/** Where TensorFlow.js could be loaded. */
type Chain = {
  readonly name: TfjsPackage;
  readonly backend: string;
  readonly checks: readonly TfjsCheck[];
  readonly pure: TfjsCheck;
  readonly said: readonly string[];
};
const chain = await withTfjs<Chain>(new URL("_tfjs_chain.ts", import.meta.url));

describe("tryTfjs()", () => {
  for (const [name, thrown, reason, fix] of failures) {
    it(`says in words what “${thrown.slice(0, 40)}…” means and what to do`, async () => {
      const check = await tryTfjs(name, { load: () => Promise.reject(new Error(thrown)) });
      assert(!check.works);
      assertMatch(check.reason, reason);
      assertMatch(check.fix, fix);
    });
  }

  it("does not believe an import that succeeded: the first operation may fail", async () => {
    const removed: string[] = [];
    const broken = {
      ready: () => Promise.resolve(),
      setBackend: () => Promise.resolve(true),
      getBackend: () => "tensorflow",
      removeBackend: (name: string) => void removed.push(name),
      valueAndGrads: () => {},
      tidy: () => {
        throw new TypeError("(0 , util_1.isNullOrUndefined) is not a function");
      },
    };
    const check = await tryTfjs("@tensorflow/tfjs-node", { load: () => Promise.resolve({ default: broken }) });
    assert(!check.works);
    assertStringIncludes(check.reason, "isNullOrUndefined");
    assertEquals(removed, ["tensorflow"]); // the next build would be given its back end
  });

  it("refuses numbers that are wrong", async () => {
    const wrong = {
      ready: () => Promise.resolve(),
      setBackend: () => Promise.resolve(true),
      getBackend: () => "cpu",
      removeBackend: () => {},
      backend: () => ({}),
      valueAndGrads: () => {},
      tidy: () => [NaN, 1.5, 3.7],
    };
    const check = await tryTfjs("@tensorflow/tfjs", { load: () => Promise.resolve(wrong) });
    assert(!check.works);
    assertEquals(check.reason, "its numbers are wrong by NaN");
  });

  it("lends Deno the function of Node that tfjs-node still calls", async () => {
    await tryTfjs("@tensorflow/tfjs", { load: () => Promise.reject(new Error("none")) });
    const { isNullOrUndefined } = (await import("node:util")).default as unknown as {
      isNullOrUndefined: (value: unknown) => boolean;
    };
    assertEquals([null, undefined, 0, ""].map(isNullOrUndefined), [true, true, false, false]);
  });
});

describe("openTfjs()", () => {
  it("tries a graphics card, native code and JavaScript alone, in this order, by name and version", async () => {
    const asked: string[] = [];
    const load = (specifier: string) => {
      asked.push(specifier);
      return Promise.reject(new Error("The lockfile is out of date."));
    };
    const { message } = await assertRejects(() => openTfjs({ load }), MammolabError);
    assertEquals(asked, tfjsPackages.map((name) => `${name}@4.22.0`));
    const why = "the lock file of this program does not hold it";
    assertEquals(
      message,
      `Cannot run with TensorFlow.js: ${tfjsPackages.map((name) => `${name}: ${why}`).join("; ")}; ` +
        "start with deno run --lock=deno.optional.lock --frozen",
    );
  });

  it("is refused in one sentence where the program runs with the plain lock, as tasks do", async () => {
    const { message } = await assertRejects(() => openTfjs(), MammolabError);
    assertMatch(
      message,
      /^Cannot run with TensorFlow\.js: .*; start with deno run --lock=deno\.optional\.lock --frozen$/,
    );
  });

  if (chain) {
    it("takes the first that computes a network and its gradient rightly, and tells what the others lack", () => {
      const { name, checks, backend, pure } = chain;
      assertEquals(checks.at(-1), { ...checks.at(-1)!, package: name, works: true } as TfjsCheck);
      assertEquals(checks.map((check) => check.package), tfjsPackages.slice(0, checks.length));
      assertEquals(backend, name === "@tensorflow/tfjs" ? "cpu" : "tensorflow");
      assertMatch(pure.works ? pure.detail : "", /^runs on the processor, error \d\.\de-\d$/);
      for (const check of checks.slice(0, -1)) {
        assert(!check.works && check.reason.length > 10 && check.fix.length > 10);
      }
    });

    it("keeps the package's advertisement and its warnings about kernels off the terminal", () => {
      assertEquals(chain.said, []);
    });
  }
});
