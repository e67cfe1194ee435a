/**
 * A whole decoder with random weights: what tests of exactness and benchmarks run. One sequence in one cache.
 *
 * Llama without its details; the model layers are not used, so that backends are judged on their own.
 */
import { storageBytes } from "../../core/storage.js";
import { Graph } from "../../graph/graph.js";
import { add } from "../../graph/operations/add.js";
import { attention } from "../../graph/operations/attention.js";
import { cacheWrite } from "../../graph/operations/cache-write.js";
import { embedding } from "../../graph/operations/embedding.js";
import { gatedActivation } from "../../graph/operations/gated-activation.js";
import { linear } from "../../graph/operations/linear.js";
import { rmsNorm } from "../../graph/operations/rms-norm.js";
import { type RotaryAttributes, rotary } from "../../graph/operations/rotary.js";
import { selectRows } from "../../graph/operations/select-rows.js";
import type { Tensor } from "../../graph/tensor.js";
import type { Backend, MatrixSource, Program, Resource } from "../backend.js";
import { RandomNumbers } from "./random-numbers.js";
import { drawStored, type KnownStorage } from "./stored-values.js";

export interface TransformerShape {
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly rotaryLayout: RotaryAttributes["layout"];
  readonly storage: KnownStorage;
  /** Positions that the cache has room for. A multiple of 16. */
  readonly contextLength: number;
  /** Most tokens in one run. */
  readonly tokens: number;
}

const blockSize = 16;

/** The graph, with the tensors that the caller fills or reads. */
function transformerGraph(shape: TransformerShape) {
  const graph = new Graph();
  const tokens = graph.dimension("tokens", shape.tokens);
  const input = (name: string) => graph.input(name, [tokens], "i32");
  const blocks = shape.contextLength / blockSize;
  const inputs = {
    ids: input("ids"),
    positions: input("positions"),
    slots: input("slots"),
    sequences: input("sequences"),
    visible: input("visible"),
    rows: graph.input("rows", [graph.dimension("outputs", shape.tokens)], "i32"),
    blockTables: graph.input("blockTables", [1, blocks], "i32"),
  };
  const table = graph.parameter("embedding", [shape.vocabSize, shape.hiddenSize]);
  let x = embedding(table, inputs.ids);
  for (let layer = 0; layer < shape.layerCount; layer++) {
    x = add(x, attentionBlock(graph, shape, inputs, normed(graph, x, `${layer}.attentionNorm`), layer));
    x = add(x, feedForward(graph, shape, normed(graph, x, `${layer}.feedForwardNorm`), layer));
  }
  const logits = linear(normed(graph, selectRows(x, inputs.rows), "norm"), table);
  return { graph, inputs, logits };
}

type Inputs = ReturnType<typeof transformerGraph>["inputs"];

function normed(graph: Graph, x: Tensor, name: string): Tensor {
  return rmsNorm(x, graph.parameter(name, [x.shape[1] as number]), { eps: 1e-5 });
}

function attentionBlock(graph: Graph, shape: TransformerShape, inputs: Inputs, x: Tensor, layer: number): Tensor {
  const { hiddenSize, headCount, keyValueHeadCount } = shape;
  const headDim = hiddenSize / headCount;
  const project = (name: string, out: number) => linear(x, graph.parameter(`${layer}.${name}`, [out, hiddenSize]));
  const angles = graph.constant("angles", [shape.contextLength, headDim], rotaryAngles(shape.contextLength, headDim));
  const turn = (y: Tensor) =>
    rotary(y, inputs.positions, angles, { headDim, rotaryDim: headDim, layout: shape.rotaryLayout });
  const cache = { keyValueHeadCount, headDim, blockSize };
  const kept = (role: "key" | "value", y: Tensor) => {
    const blocks = shape.contextLength / blockSize;
    const state = graph.state(`${layer}.${role}s`, [blocks, keyValueHeadCount * headDim * blockSize]);
    return cacheWrite(state, y, inputs.slots, { ...cache, role, codec: "f32" });
  };
  const query = turn(project("query", hiddenSize));
  const keys = kept("key", turn(project("key", keyValueHeadCount * headDim)));
  const values = kept("value", project("value", keyValueHeadCount * headDim));
  const { blockTables, sequences, visible } = inputs;
  const mixed = attention(
    { query, keys, values, blockTables, sequences, visible },
    { ...cache, headCount, keyCodec: "f32", valueCodec: "f32", scale: headDim ** -0.5, softCap: 0, window: 0 },
  );
  return linear(mixed, graph.parameter(`${layer}.output`, [hiddenSize, hiddenSize]));
}

function feedForward(graph: Graph, shape: TransformerShape, x: Tensor, layer: number): Tensor {
  const { hiddenSize, intermediateSize } = shape;
  const gate = linear(x, graph.parameter(`${layer}.gate`, [intermediateSize, hiddenSize]));
  const up = linear(x, graph.parameter(`${layer}.up`, [intermediateSize, hiddenSize]));
  const down = graph.parameter(`${layer}.down`, [hiddenSize, intermediateSize]);
  return linear(gatedActivation(gate, up, "silu"), down);
}

function rotaryAngles(contextLength: number, headDim: number): Float32Array {
  const half = headDim / 2;
  return Float32Array.from({ length: contextLength * headDim }, (_, i) => {
    const angle = Math.floor(i / headDim) * 10000 ** (-(i % half) / half);
    return i % headDim < half ? Math.cos(angle) : Math.sin(angle);
  });
}

/** A decoder on a backend, with a cache that begins empty. */
export class Transformer {
  readonly #graph;
  readonly #program: Program;
  readonly #resources: ReadonlyMap<string, Resource>;

  private constructor(graph: ReturnType<typeof transformerGraph>, program: Program, resources: Map<string, Resource>) {
    this.#graph = graph;
    this.#program = program;
    this.#resources = resources;
    const tables = program.integers(graph.inputs.blockTables);
    for (let i = 0; i < tables.length; i++) tables[i] = i;
  }

  static async on(backend: Backend, shape: TransformerShape): Promise<Transformer> {
    const transformer = transformerGraph(shape);
    const resources = new Map<string, Resource>();
    for (const { name, origin, shape: extents } of transformer.graph.tensors) {
      const [rows, width] = extents as number[];
      if (origin.kind === "state") resources.set(name, backend.allocateState(rows! * width!));
      if (origin.kind !== "parameter") continue;
      const loaded =
        origin.layout === "plain"
          ? backend.loadPlain(new Float32Array(rows!).fill(1))
          : await backend.loadMatrix(randomMatrix(name, [rows!, width!], shape.storage));
      resources.set(name, loaded);
    }
    const program = backend.compile(transformer.graph, { resources, outputs: [transformer.logits] });
    return new Transformer(transformer, program, resources);
  }

  /** Runs `ids` at the positions from `first` on. @returns the last `outputs` rows of logits, valid until the next run. */
  run(ids: readonly number[], first: number, outputs = ids.length): Float32Array {
    this.#program.run(this.#fill(ids, first, outputs));
    return this.#logits(outputs);
  }

  async runAsync(ids: readonly number[], first: number, outputs = ids.length): Promise<Float32Array> {
    await this.#program.runAsync(this.#fill(ids, first, outputs));
    return this.#logits(outputs);
  }

  dispose(): void {
    this.#program.dispose();
    for (const resource of this.#resources.values()) resource.dispose();
  }

  #logits(outputs: number): Float32Array {
    const { logits } = this.#graph;
    return this.#program.floats(logits).subarray(0, outputs * (logits.shape[1] as number));
  }

  #fill(ids: readonly number[], first: number, outputs: number) {
    const views = Object.entries(this.#graph.inputs).map(([name, input]) => [name, this.#program.integers(input)]);
    const into = Object.fromEntries(views) as Record<keyof Inputs, Int32Array>;
    for (const [i, id] of ids.entries()) {
      into.ids[i] = id;
      into.positions[i] = first + i;
      into.slots[i] = first + i;
      into.sequences[i] = 0;
      into.visible[i] = first + i + 1;
    }
    for (let i = 0; i < outputs; i++) into.rows[i] = ids.length - outputs + i;
    return { tokens: ids.length, outputs };
  }
}

/** Random rows of a magnitude that keeps activations in range; 64 of them, again and again, as drawing is slow. */
function randomMatrix(name: string, shape: readonly [number, number], storage: KnownStorage): MatrixSource {
  const random = new RandomNumbers(name.length);
  const rowBytes = storageBytes(storage, shape[1]);
  const drawn = drawStored(storage, 64 * shape[1], random);
  if (storage === "f32") {
    const floats = new Float32Array(drawn.buffer);
    for (let i = 0; i < floats.length; i++) floats[i]! /= Math.sqrt(shape[1]);
  }
  const readRows = async (first: number, count: number, into: Uint8Array): Promise<void> => {
    for (let row = 0; row < count; row++) {
      const from = ((first + row * 7) % 64) * rowBytes;
      into.set(drawn.subarray(from, from + rowBytes), row * rowBytes);
    }
  };
  return { name, shape, storage, readRows };
}
