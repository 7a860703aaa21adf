import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MammolabError } from "mammolab/base";
import { openSession, tryProviders } from "mammolab/engine";

const softmax = new URL("../fixtures/engine/softmax.onnx", import.meta.url).pathname;
const feeds = { x: { data: new Float32Array(6), shape: [2, 3] } };
const checks = await tryProviders();

describe("tryProviders()", () => {
  it("compares the processor with Float64 arithmetic", () => {
    const cpu = checks.find(({ provider }) => provider === "cpu");
    assertEquals(cpu?.works, true);
    assertStringIncludes(cpu?.works ? cpu.detail : "", "error ");
  });

  it("says of each provider that does not run what was found and what to do", () => {
    assertEquals(checks.map(({ provider }) => provider), ["cuda", "webgpu", "cpu"]);
    for (const check of checks) if (!check.works) assert(check.reason.length > 10 && check.fix.length > 10);
  });
});

describe("openSession() with a provider", () => {
  it("auto takes one that works and gives with every result the reasons against the others", async () => {
    await using session = await openSession({ model: softmax });
    const { provider, reason, outputs } = await session.run(feeds);
    assertEquals([...outputs.p!.data], Array(8).fill(0.25));
    for (const check of checks.slice(0, checks.findIndex((one) => one.provider === provider))) {
      assertStringIncludes(reason ?? "", `${check.provider}: `);
    }
  });

  for (const check of checks.filter(({ provider }) => provider !== "cpu")) {
    if (check.works) {
      it(`${check.provider} gives the numbers of the processor`, async () => {
        await using session = await openSession({ model: softmax, provider: check.provider });
        const { provider, outputs } = await session.run(feeds);
        assertEquals([provider, [...outputs.p!.data]], [check.provider, Array(8).fill(0.25)]);
      });
    } else {
      it(`${check.provider}, asked for by name, is one sentence with cause and remedy where it cannot run`, async () => {
        const open = () => openSession({ model: softmax, provider: check.provider });
        const { message } = await assertRejects(open, MammolabError);
        assertEquals(message, `Cannot run on ${check.provider}: ${check.reason}; ${check.fix}`);
      });
    }
  }
});

describe("importing mammolab", () => {
  it("loads no native code: it needs no right to", async () => {
    // _imports_only.ts imports it and then opens a session, which must fail for want of --allow-ffi.
    const { code, stdout, stderr } = await new Deno.Command("deno", {
      args: ["run", "-q", "--no-prompt", "--allow-read", new URL("_imports_only.ts", import.meta.url).pathname],
      cwd: new URL("../../", import.meta.url).pathname,
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(
      new TextDecoder().decode(stdout),
      "imported\nCannot open the graph: native code is not allowed; run with --allow-ffi=./node_modules\n",
    );
    assertEquals(code, 0);
  });
});
