import { describe, it } from "@std/testing/bdd";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MammolabError, seededRandom } from "mammolab/base";
import * as g from "mammolab/graph";
import { cases } from "./_cases.ts";
import { randomInputs, weighed } from "./_random.ts";

/** Gradient times direction, beside the central difference of the loss along it, both in Float64. */
function slopes(
  loss: g.Tensor,
  tensors: Readonly<Record<string, g.Tensor>>,
  feeds: Readonly<Record<string, g.Value>>,
  seed: number,
) {
  const names = Object.keys(tensors);
  const found = g.gradients(loss, names.map((name) => tensors[name]!));
  const outputs = Object.fromEntries(
    names.flatMap((name) => found.has(tensors[name]!) ? [[name, found.get(tensors[name]!)!]] : []),
  );
  const values = g.evaluate(outputs, feeds);
  const direction = Object.fromEntries(names.map((name) => {
    const { normal } = seededRandom(seed, "direction", name);
    return [name, feeds[name]!.data.map(normal)];
  }));
  const predicted = Object.entries(values).reduce((sum, [name, { data, shape }]) => {
    assertEquals([...shape], [...feeds[name]!.shape], `shape of the gradient of ${name}`);
    return sum + data.reduce((part, value, i) => part + value * direction[name]![i]!, 0);
  }, 0);
  const at = (step: number) =>
    g.evaluate(
      { loss },
      Object.fromEntries(names.map((name) => [name, {
        shape: feeds[name]!.shape,
        data: feeds[name]!.data.map((value, i) => value + step * direction[name]![i]!),
      }])),
    ).loss!.data[0]!;
  const h = 1e-5;
  return { predicted, measured: (at(h) - at(-h)) / (2 * h) };
}

describe("gradients()", () => {
  for (const [op, { shapes, build }] of Object.entries(cases)) {
    it(`of ${op} agree with finite differences in random directions`, () => {
      const { tensors, feeds } = randomInputs(3, shapes);
      const loss = weighed(build(tensors));
      for (const seed of [1, 2, 3]) {
        const { predicted, measured } = slopes(loss, tensors, feeds, seed);
        assert(
          Math.abs(predicted - measured) <= 1e-6 * (1 + Math.abs(measured)),
          `${op}: ${predicted}, measured ${measured}`,
        );
      }
    });
  }

  it("of a convolution with a stride that leaves pixels over agree too", () => {
    const { tensors, feeds } = randomInputs(4, { x: [2, 3, 8, 7], w: [4, 3, 3, 3] });
    const loss = weighed(g.conv2d(tensors.x!, tensors.w!, { stride: 3, padding: 1 }));
    const { predicted, measured } = slopes(loss, tensors, feeds, 1);
    assert(Math.abs(predicted - measured) <= 1e-6 * (1 + Math.abs(measured)));
  });

  it("of values that are used twice are summed, of overlapping slices too", () => {
    const { tensors: { x }, feeds } = randomInputs(5, { x: [4, 3] });
    const y = g.concat([g.slice(x!, 0, 0, 3), g.slice(x!, 0, 1, 4), g.multiply(x!, x!)], 0);
    const { predicted, measured } = slopes(weighed(y), { x: x! }, feeds, 1);
    assert(Math.abs(predicted - measured) <= 1e-6 * (1 + Math.abs(measured)));
  });

  it("are built only for what is asked: nothing of a frozen layer's weight", () => {
    const [x, frozen, trained] = [g.input("x", [2, 3]), g.parameter("frozen", [4, 3]), g.parameter("trained", [5, 4])];
    const loss = g.sum(g.linear(g.linear(x, frozen), trained));
    const found = g.gradients(loss, [trained]);
    assertEquals([...found.keys()].map(({ name }) => name), ["trained"]);
    const used = g.nodesOf([found.get(trained)!]);
    assert(
      !used.some(({ op, shape }) => op === "gemm" && g.sameShape(shape, [4, 3])),
      "no gradient of the frozen weight",
    );
  });

  it("of the parts of u (1 + erf u) are there when they are asked for, and otherwise one factor stands for them", () => {
    const [u, w] = [g.input("u", [5]), g.input("w", [5])];
    const erf = g.erf(u);
    const gate = g.addNumber(erf, 1);
    const loss = g.sum(g.multiply(w, g.multiply(u, gate)));
    const values = (seed: number) => ({ shape: [5], data: new Float64Array(5).map(seededRandom(seed).normal) });
    const feeds = { u: values(1), w: values(2) };
    const found = g.gradients(loss, [u, erf, gate]);
    const outputs = { u: found.get(u)!, erf: found.get(erf)!, gate: found.get(gate)! };
    const { du, ...inside } = g.evaluate({ du: g.gradients(loss, [u]).get(u)!, ...outputs }, feeds);
    for (const [k, x] of feeds.u.data.entries()) {
      const [weight, h] = [feeds.w.data[k]!, 1e-5];
      const gelu = (x: number) =>
        g.evaluate({ y: g.multiply(u, gate) }, { u: { shape: [5], data: Float64Array.of(x, 0, 0, 0, 0) } }).y!.data[0]!;
      const slope = weight * (gelu(x + h) - gelu(x - h)) / (2 * h);
      for (const found of [du!, inside.u!]) assertAlmostEquals(found.data[k]!, slope, 1e-8);
      for (const found of [inside.erf!, inside.gate!]) assertAlmostEquals(found.data[k]!, weight * x, 1e-12);
    }
  });

  it("give nothing for what the loss does not depend on, and refuse a loss of several numbers", () => {
    const [x, y] = [g.input("x", [2]), g.input("y", [2])];
    assertEquals(g.gradients(g.sum(x), [x, y]).has(y), false);
    assertThrows(() => g.gradients(x, [x]), MammolabError, "a loss is a single number");
  });
});
