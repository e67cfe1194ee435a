import { describe, expect, test } from "vitest";
import { availableBackends } from "../../../test/support/backends.js";
import { CounterRandom } from "../../core/random.js";
import { Graph } from "../../graph/graph.js";
import { activation } from "../../graph/operations/activation.js";
import { add } from "../../graph/operations/add.js";
import { gatedActivation } from "../../graph/operations/gated-activation.js";
import { layerNorm } from "../../graph/operations/layer-norm.js";
import { linear } from "../../graph/operations/linear.js";
import { rmsNorm } from "../../graph/operations/rms-norm.js";
import { rowWidth, type Tensor } from "../../graph/tensor.js";
import { createBackend } from "../../load-model.node.js";
import type { Backend } from "../backend.js";

const [width, out, capacity] = [320, 48, 40];
const random = new CounterRandom(5);
const numbers = (count: number, from: number) =>
  Float32Array.from({ length: count }, (_, i) => 4 * random.uniform(from + i) - 2);
const values: Readonly<Record<string, Float32Array>> = {
  a: numbers(capacity * width, 0),
  b: numbers(capacity * width, 20_000),
  normWeight: numbers(width, 40_000),
  normBias: numbers(width, 50_000),
};

type Sources = Readonly<Record<"a" | "b" | "normWeight" | "normBias" | "matrix", Tensor>>;
type Build = (sources: Sources) => Tensor[];

/** Runs a graph of the sources above; the results that are named stay to be read, and which instructions ran. */
async function run(backend: Backend, build: Build, inputs = values, rows = capacity) {
  const graph = new Graph();
  const extent = graph.dimension("rows", capacity);
  const input = (name: string) => graph.input(name, [extent, width], "f32");
  const [a, b] = [input("a"), input("b")];
  const [normWeight, normBias] = [graph.parameter("normWeight", [width]), graph.parameter("normBias", [width])];
  const outputs = build({ a, b, normWeight, normBias, matrix: graph.parameter("matrix", [out, width]) });
  const readRows = async (first: number, count: number, into: Uint8Array) => {
    for (let i = 0; i < into.length; i++) into[i] = i % 34 === 1 ? 0x2c : (37 * (i + first * count)) % 251;
  };
  const matrix = await backend.loadMatrix({ name: "matrix", shape: [out, width], storage: "q8_0", readRows });
  const resources = new Map([["matrix", matrix]]);
  for (const name of ["normWeight", "normBias"]) resources.set(name, backend.loadPlain(values[name]!));
  const program = backend.compile(graph, { resources, outputs });
  for (const tensor of [a, b]) {
    try {
      program.floats(tensor).set(inputs[tensor.name]!);
    } catch {
      // Not part of this graph.
    }
  }
  program.startProfile!();
  program.run({ rows });
  const instructions = program.stopProfile!().map((each) => each.operation);
  const results = outputs.map((tensor) => program.floats(tensor).slice(0, rows * rowWidth(tensor)));
  program.dispose();
  return { instructions, results };
}

const norms: Readonly<Record<string, (x: Tensor, s: Sources) => Tensor>> = {
  "RMS norm": (x, s) => rmsNorm(x, s.normWeight, { eps: 1e-5, groups: 1 }),
  "layer norm": (x, s) => layerNorm(x, s.normWeight, s.normBias, { eps: 1e-5 }),
};
const activations: Readonly<Record<string, (s: Sources) => Tensor>> = {
  "gated activation": (s) => gatedActivation(add(s.a, s.a), s.b, "silu"),
  activation: (s) => activation(add(s.a, s.a), "gelu"),
};

describe.each(availableBackends.filter((name) => name !== "reference"))("operations done together: %s", (name) => {
  test.each([1, 2])(
    "a sum, its norm and the quantization of that give the bits of each alone, %i threads",
    async (threads) => {
      const backend = await createBackend({ backend: name, threads });
      for (const norm of Object.values(norms)) {
        const together: Build = (s) => {
          const sum = add(s.a, s.b);
          const product = linear(norm(sum, s), s.matrix);
          return [product, add(sum, s.a)];
        };
        const [sums] = (await run(backend, (s) => [add(s.a, s.b)])).results;
        const [normed] = (await run(backend, (s) => [norm(s.a, s)], { ...values, a: sums! })).results;
        const alone = await run(backend, (s) => [linear(s.a, s.matrix)], { ...values, a: normed! });
        const fused = await run(backend, together);
        expect(alone.instructions).toEqual(["quantize_rows", "linear_q8_0"]);
        expect(fused.instructions).toEqual(["norm_rows", "linear_q8_0", "add"]);
        expect(fused.results[0]).toEqual(alone.results[0]);
        expect(fused.results[1]).toEqual(
          (await run(backend, (s) => [add(s.a, s.b)], { ...values, a: sums!, b: values.a! })).results[0],
        );
        const kept = await run(backend, (s) => {
          const sum = add(s.a, s.b);
          const y = norm(sum, s);
          return [linear(y, s.matrix), sum, y];
        });
        expect(kept.instructions).toEqual(["norm_rows", "linear_q8_0"]);
        expect(kept.results).toEqual([alone.results[0], sums, normed]);
        const fewer = await run(backend, together, values, 3);
        expect(fewer.results[0]).toEqual(alone.results[0]!.slice(0, 3 * out));
      }
      await backend.dispose();
    },
  );

  test.each([1, 2])("an activation and its quantization give the bits of each alone, %i threads", async (threads) => {
    const backend = await createBackend({ backend: name, threads });
    for (const activated of Object.values(activations)) {
      const [inner] = (await run(backend, (s) => [activated(s)])).results;
      const alone = await run(backend, (s) => [linear(s.a, s.matrix)], { ...values, a: inner! });
      const fused = await run(backend, (s) => [linear(activated(s), s.matrix)]);
      expect(fused.instructions).toEqual(["add", "activate_rows", "linear_q8_0"]);
      expect(fused.results).toEqual(alone.results);
    }
    await backend.dispose();
  });

  test.each([1, 2])("linear maps of one input give the bits of each alone, %i threads", async (threads) => {
    const backend = await createBackend({ backend: name, threads });
    const alone = await run(backend, (s) => [linear(s.a, s.matrix)]);
    for (const rows of [1, 3, capacity]) {
      const maps = (s: Sources) => [linear(s.a, s.matrix), linear(s.a, s.matrix), linear(s.b, s.matrix)];
      const { instructions, results } = await run(backend, maps, values, rows);
      const pair = ["quantize_rows", "linear_q8_0"]; // the first two together
      expect(instructions).toEqual([...pair, ...pair]);
      for (const i of [0, 1]) expect(results[i]).toEqual(alone.results[0]!.slice(0, rows * out));
      const b = await run(backend, (s) => [linear(s.b, s.matrix)], values, rows);
      expect(results[2]).toEqual(b.results[0]);
    }
    await backend.dispose();
  });

  test("rows that another linear map quantized in between are quantized again", async () => {
    const backend = await createBackend({ backend: name, threads: 2 });
    const norm = norms["RMS norm"]!;
    const alone = await run(backend, (s) => [linear(norm(s.a, s), s.matrix)]);
    const { instructions, results } = await run(backend, (s) => {
      const y = norm(s.a, s);
      return [linear(y, s.matrix), linear(s.b, s.matrix), linear(y, s.matrix)];
    });
    expect(instructions).toEqual([
      "norm_rows",
      "linear_q8_0",
      ...Array(2).fill(["quantize_rows", "linear_q8_0"]).flat(),
    ]);
    expect(results[0]).toEqual(alone.results[0]);
    expect(results[2]).toEqual(alone.results[0]);
    await backend.dispose();
  });
});
