// Property tests draw the same cases each time, so that a run can be repeated; another seed: MAMMOLAB_TEST_SEED=7 deno task test.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("MAMMOLAB_TEST_SEED") ?? 1) });

export * from "fast-check";
export default fc;
