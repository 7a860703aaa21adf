import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { openTfjs, type TfjsPackage, tfjsPackages, tryTfjs } from "mammolab/engine";
import { pureTfjs } from "../_tfjs.ts";

/** What loading throws, as it was seen in Deno 2.9.6, and what is made of it. */
const failures: readonly (readonly [name: TfjsPackage, thrown: Error, reason: RegExp, fix: RegExp])[] = [
  [
    "@tensorflow/tfjs-node-gpu",
    new Error("The Node.js native addon module (tfjs_binding.node) can not be found at path: /a/b.node. \nPlease …"),
    /^its native part is missing/,
    /^with CUDA 11\.2 and cuDNN 8 run deno cache .* --allow-scripts=npm:@tensorflow\/tfjs-node-gpu npm:@tensorflow\/tfjs-node-gpu@4\.22\.0$/,
  ],
  [
    "@tensorflow/tfjs",
    Object.assign(new Error("Cannot find module '@tensorflow/tfjs'\nRequire stack:\n- a.ts"), {
      code: "MODULE_NOT_FOUND",
    }),
    /^it is not installed$/,
    /^run deno cache --lock=deno\.optional\.lock --frozen npm:@tensorflow\/tfjs@4\.22\.0$/,
  ],
  [
    "@tensorflow/tfjs-node",
    new Error('Requires env access to "node_pre_gyp_mock_s3", run again with the --allow-env flag'),
    /^it needs the right to env$/,
    /^run with --allow-env$/,
  ],
];
const failing = (error: Error) => () => {
  throw error;
};

const pure = await pureTfjs();

describe("tryTfjs()", () => {
  for (const [name, thrown, reason, fix] of failures) {
    it(`says in words what “${thrown.message.slice(0, 40)}…” means and what to do`, async () => {
      const check = await tryTfjs(name, { load: failing(thrown) });
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
    const check = await tryTfjs("@tensorflow/tfjs-node", { load: () => broken });
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
    const check = await tryTfjs("@tensorflow/tfjs", { load: () => wrong });
    assert(!check.works);
    assertEquals(check.reason, "its numbers are wrong by NaN");
  });

  it("lends Deno the function of Node that tfjs-node still calls", async () => {
    await tryTfjs("@tensorflow/tfjs", { load: failing(new Error("none")) });
    const { isNullOrUndefined } = (await import("node:util")).default as unknown as {
      isNullOrUndefined: (value: unknown) => boolean;
    };
    assertEquals([null, undefined, 0, ""].map(isNullOrUndefined), [true, true, false, false]);
  });
});

describe("openTfjs()", () => {
  it("tries a graphics card, native code and JavaScript alone, in this order, and tells what each lacks", async () => {
    const asked: string[] = [];
    const load = (name: TfjsPackage) => {
      asked.push(name);
      throw failures[1]![1];
    };
    const { message } = await assertRejects(() => openTfjs({ load }), MammolabError);
    assertEquals(asked, [...tfjsPackages]);
    const reasons = tfjsPackages.map((name) => `${name}: it is not installed`).join("; ");
    assertEquals(
      message,
      `Cannot run with TensorFlow.js: ${reasons}; ` +
        "run deno cache --lock=deno.optional.lock --frozen npm:@tensorflow/tfjs@4.22.0",
    );
  });

  if (pure) {
    it("takes the first that computes a network and its gradient rightly", async () => {
      const loaded = {} as Record<string, unknown>;
      const load = (name: TfjsPackage) => {
        if (name === "@tensorflow/tfjs-node-gpu") throw failures[0]![1];
        return loaded[name] = pure.tf;
      };
      const { package: name, checks, tf } = await openTfjs({ load });
      assertEquals([name, Object.keys(loaded)], ["@tensorflow/tfjs-node", ["@tensorflow/tfjs-node"]]);
      assertEquals(checks.map(({ works }) => works), [false, true]);
      assertMatch(checks[1]!.works ? checks[1]!.detail : "", /^runs on the processor, error \d\.\de-\d$/);
      assert(tf === pure.tf);
    });
  }

  it("lets nothing on the terminal of what the package says about itself", async () => {
    const said: unknown[] = [];
    const { warn } = globalThis.console;
    globalThis.console.warn = (...words: unknown[]) => void said.push(...words);
    try {
      const load = () => {
        globalThis.console.warn("The kernel 'FFT' for backend 'tensorflow' is already registered");
        globalThis.console.warn("\n====\nHi, looks like you are running TensorFlow.js in Node.js.");
        globalThis.console.warn("of something else");
        throw new Error("none");
      };
      await tryTfjs("@tensorflow/tfjs-node", { load });
      globalThis.console.warn("afterwards: TensorFlow.js");
    } finally {
      globalThis.console.warn = warn;
    }
    assertEquals(said, ["of something else", "afterwards: TensorFlow.js"]);
  });
});
